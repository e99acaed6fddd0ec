/** What `empty-run.ts` is asked to do, and what comes back. */
import type { BrokerUnderTest } from './broker-under-test.js';
import type { Usage } from './usage-window.js';
import type { WorkAccounts } from './work-job.js';

/** Workers take everything that waits in the work queue. */
export interface EmptyJob extends BrokerUnderTest {
  readonly kind: 'empty';
  readonly workers: number;
  /** How many messages each publisher has sent. */
  readonly sent: readonly number[];
  readonly longestMs: number;
}

export interface EmptyResult extends Usage, WorkAccounts {
  readonly kind: 'empty';
  readonly delivered: number;
}
