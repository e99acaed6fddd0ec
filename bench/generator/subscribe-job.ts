/** What `subscribe-run.ts` is asked to do, and what comes back. */
import type { BrokerUnderTest } from './broker-under-test.js';
import type { LoadJob, LoadResult } from './load-job.js';
import type { Usage } from './usage-window.js';

/** Many subscriptions that the load does not match, and are there while it is measured. */
export interface SubscribeJob extends BrokerUnderTest {
  readonly kind: 'subscribe';
  readonly subscriptions: number;
  readonly settleMs: number;
  readonly load: Omit<LoadJob, 'address' | 'protocol' | 'brokerPid'>;
  readonly longestMs: number;
}

export interface SubscribeResult extends Usage {
  readonly kind: 'subscribe';
  readonly subscriptions: number;
  readonly residentBytesBefore?: number;
  readonly residentBytesAfter?: number;
  readonly load: LoadResult;
}
