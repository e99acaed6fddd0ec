/** What `work-run.ts` is asked to do, and what comes back; and what all jobs have in common that fill the work queue and empty it. */
import type { BrokerUnderTest } from './broker-under-test.js';
import type { Protocol } from './frames.js';
import type { Usage } from './usage-window.js';

/** Publishers fill the work queue while somebody empties it. */
export interface WorkLoad extends BrokerUnderTest {
  readonly publishers: number;
  /** Message groups, evenly over the publishers. */
  readonly groups: number;
  readonly payloadBytes: number;
  readonly windowMessages: number;
  readonly batchMessages: number;
  readonly warmUpMs: number;
  readonly measuredMs: number;
}

/** What became of all messages, from the first to the last. */
export interface WorkAccounts {
  readonly lost: number;
  readonly duplicated: number;
  /** Within their groups. */
  readonly reordered: number;
  /** What the broker says of the queue when everything is done: messages in it, and such as are in nobody's account. */
  readonly left: number | undefined;
  readonly missing: number | undefined;
}

/** Workers over MQTT empty it. */
export interface WorkJob extends WorkLoad {
  readonly kind: 'work';
  readonly workers: number;
  readonly workerProtocol: Protocol;
}

export interface WorkResult extends Usage, WorkAccounts {
  readonly kind: 'work';
  /** In the measured window: acknowledged to publishers, and acknowledged by workers. */
  readonly acknowledged: number;
  readonly worked: number;
}
