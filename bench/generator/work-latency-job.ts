/** What `work-latency-run.ts` is asked to do, and what comes back. */
import type { BrokerUnderTest } from './broker-under-test.js';
import type { Usage } from './usage-window.js';
import type { WorkAccounts } from './work-job.js';

/** An open loop into many groups, each message to be with a worker soon. */
export interface WorkLatencyJob extends BrokerUnderTest {
  readonly kind: 'work-latency';
  readonly publishers: number;
  readonly groups: number;
  readonly workers: number;
  /** What a worker takes for a message. */
  readonly workMs: number;
  readonly messagesPerSecond: number;
  readonly payloadBytes: number;
  readonly warmUpMs: number;
  readonly measuredMs: number;
}

export interface WorkLatencyResult extends Usage, WorkAccounts {
  readonly kind: 'work-latency';
  /** From the moment a message was due to its arrival at a worker. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly lateP99Ms: number;
  readonly delivered: number;
  /** Messages of nobody's, that were there before. */
  readonly background: number;
}
