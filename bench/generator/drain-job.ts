/** What `drain-run.ts` is asked to do, and what comes back. */
import type { BrokerUnderTest } from './broker-under-test.js';
import type { OfflineQueues } from './offline-queues.js';
import type { Usage } from './usage-window.js';

/** The first `drained` sessions of `queues` come back and take what has waited for them. */
export interface DrainJob extends BrokerUnderTest {
  readonly kind: 'drain';
  readonly queues: OfflineQueues;
  readonly drained: number;
  /** How many messages each publisher has sent. */
  readonly sent: readonly number[];
  readonly longestMs: number;
}

export interface DrainResult extends Usage {
  readonly kind: 'drain';
  readonly delivered: number;
  /** Sessions that the broker did not know any more. */
  readonly absentSessions: number;
  readonly lost: number;
  /** Not delivered when the time was over, while deliveries still came. */
  readonly left: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly foreign: number;
}
