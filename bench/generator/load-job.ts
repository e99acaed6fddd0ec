/** What `load-run.ts` is asked to do, and what comes back. */
import type { Garbage } from '../probe/garbage.js';
import type { BrokerUnderTest } from './broker-under-test.js';
import type { Qos } from './frames.js';
import type { Usage } from './usage-window.js';

export interface LoadJob extends BrokerUnderTest {
  readonly kind: 'load';
  readonly scenario: string;
  readonly qos: Qos;
  readonly payloadBytes: number;
  /** In each PUBLISH, if it is MQTT 5. */
  readonly userProperties: number;
  readonly windowMessages: number;
  readonly batchMessages: number;
  readonly warmUpMs: number;
  readonly measuredMs: number;
  /** Where the broker's garbage probe writes, if there is one in it. */
  readonly probeFile?: string;
}

/** Rates and CPU times belong to the measured window; the accounting covers every message from the first to the last. */
export interface LoadResult extends Usage {
  readonly kind: 'load';
  readonly published: number;
  readonly delivered: number;
  /** Completed exchanges of the publishers; 0 at QoS 0. */
  readonly acknowledged: number;
  readonly totalPublished: number;
  readonly totalDelivered: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  /** Deliveries of something that was never sent, or to a subscriber that did not ask for it. */
  readonly foreign: number;
  /** QoS 1 and 2 exchanges, of publishers or subscribers, that the broker never completed. */
  readonly unfinished: number;
  readonly garbage?: Garbage;
}
