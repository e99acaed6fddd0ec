/** What `queue-run.ts` is asked to do, and what comes back. */
import type { BrokerUnderTest } from './broker-under-test.js';
import type { OfflineQueues } from './offline-queues.js';
import type { Usage } from './usage-window.js';

/** Stores the sessions of `queues`, lets them leave, and publishes at QoS 1 what they will find. */
export interface QueueJob extends BrokerUnderTest {
  readonly kind: 'queue';
  readonly queues: OfflineQueues;
  /** Publishers send to the work queue: into a group each, or all into the same. */
  readonly work?: 'own groups' | 'deep group';
  readonly payloadBytes: number;
  readonly windowMessages: number;
  readonly batchMessages: number;
  readonly warmUpMs: number;
  /** Ends with the first of these: so many published, or so much time after the warm-up. */
  readonly totalMessages: number;
  readonly longestMs: number;
}

export interface QueueResult extends Usage {
  readonly kind: 'queue';
  /** In the measured window, which ends with the last PUBACK. */
  readonly acknowledged: number;
  /** By each publisher, from the first message to the last. */
  readonly sent: readonly number[];
  /** Never acknowledged. */
  readonly unfinished: number;
  /** What waits afterwards, over all sessions. */
  readonly queued: number;
}
