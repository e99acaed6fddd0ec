/** What `idle-run.ts` is asked to do, and what comes back. */
import type { BrokerUnderTest } from './broker-under-test.js';

export interface IdleJob extends BrokerUnderTest {
  readonly kind: 'idle';
  readonly connections: number;
  readonly settleMs: number;
}

export interface IdleResult {
  readonly kind: 'idle';
  readonly connections: number;
  readonly connectSeconds: number;
  readonly connectCpuMs?: number;
  readonly residentBytesBefore?: number;
  readonly residentBytesAfter?: number;
}
