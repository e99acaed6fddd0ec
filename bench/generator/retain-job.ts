/** What `retain-run.ts` is asked to do, and what comes back. */
import type { BrokerUnderTest } from './broker-under-test.js';
import type { Usage } from './usage-window.js';

/** Retained messages, one for each of so many topics. */
export interface RetainJob extends BrokerUnderTest {
  readonly kind: 'retain';
  readonly messages: number;
  readonly payloadBytes: number;
  readonly longestMs: number;
}

export interface RetainResult extends Usage {
  readonly kind: 'retain';
  readonly messages: number;
}
