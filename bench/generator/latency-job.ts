/** What `latency-run.ts` is asked to do, and what comes back. */
import type { BrokerUnderTest } from './broker-under-test.js';
import type { Usage } from './usage-window.js';

export interface LatencyJob extends BrokerUnderTest {
  readonly kind: 'latency';
  readonly publishers: number;
  readonly messagesPerSecond: number;
  readonly payloadBytes: number;
  readonly warmUpMs: number;
  readonly measuredMs: number;
  /** On the disk that the broker writes to. */
  readonly fsyncDirectory: string;
}

export interface LatencyResult extends Usage {
  readonly kind: 'latency';
  readonly acknowledged: number;
  /** From the moment a message was due to its PUBACK. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly longestMs: number;
  /** How late the generator itself was; it is part of the latencies. */
  readonly lateP99Ms: number;
  /** Left out because thousands of their publisher were unanswered. */
  readonly notSent: number;
  readonly unfinished: number;
  readonly fsyncBeforeMs: number;
  readonly fsyncAfterMs: number;
}
