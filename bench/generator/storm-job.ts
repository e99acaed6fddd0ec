/** What `storm-run.ts` is asked to do, and what comes back. */
import type { BrokerUnderTest } from './broker-under-test.js';
import type { Usage } from './usage-window.js';

/** Connections come as fast as they are taken, twice. */
export interface StormJob extends BrokerUnderTest {
  readonly kind: 'storm';
  readonly connections: number;
  /** Connects under way at one time. */
  readonly atOnce: number;
}

/** Figures of the second storm. */
export interface StormResult extends Usage {
  readonly kind: 'storm';
  readonly connected: number;
  /** In both. */
  readonly refused: number;
  readonly firstPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}
