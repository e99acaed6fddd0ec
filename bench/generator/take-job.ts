/** What `take-run.ts` is asked to do, and what comes back. */
import type { BrokerUnderTest } from './broker-under-test.js';
import type { Usage } from './usage-window.js';

/** One worker takes messages that are there, one after the other. */
export interface TakeJob extends BrokerUnderTest {
  readonly kind: 'take';
  /** Not counted, and then counted. */
  readonly warmUpMessages: number;
  readonly messages: number;
  readonly longestMs: number;
}

export interface TakeResult extends Usage {
  readonly kind: 'take';
  readonly taken: number;
  /** From a PUBACK to the next message. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}
