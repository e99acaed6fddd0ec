/** What `session-run.ts` is asked to do, and what comes back. */
import type { BrokerUnderTest } from './broker-under-test.js';
import type { Usage } from './usage-window.js';

export interface StoreSessionsJob extends BrokerUnderTest {
  readonly kind: 'store-sessions';
  readonly sessions: number;
  readonly longestMs: number;
}

export interface StoreSessionsResult extends Usage {
  readonly kind: 'store-sessions';
}

export interface CheckSessionsJob extends BrokerUnderTest {
  readonly kind: 'check-sessions';
  readonly sessions: number;
  /** How many of them are looked at. */
  readonly sample: number;
}

export interface CheckSessionsResult {
  readonly kind: 'check-sessions';
  readonly absent: number;
}
