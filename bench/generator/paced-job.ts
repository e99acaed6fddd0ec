/** What `paced-run.ts` is asked to do, and what comes back. */
import type { BrokerUnderTest } from './broker-under-test.js';
import type { Qos } from './frames.js';
import type { Usage } from './usage-window.js';

/** An open loop: devices that send in turn, to one subscriber. */
export interface PacedJob extends BrokerUnderTest {
  readonly kind: 'paced';
  readonly publishers: number;
  /** Of all together. */
  readonly messagesPerSecond: number;
  readonly qos: Qos;
  readonly payloadBytes: number;
  readonly userProperties: number;
  readonly warmUpMs: number;
  readonly measuredMs: number;
}

export interface PacedResult extends Usage {
  readonly kind: 'paced';
  /** In the window. */
  readonly delivered: number;
  /** From the moment a message was due to its arrival. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly longestMs: number;
  /** How late the generator itself was; it is part of the latencies. */
  readonly lateP99Ms: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly foreign: number;
  /** QoS 1 exchanges that the broker never completed. */
  readonly unfinished: number;
}
