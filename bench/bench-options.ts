/** What a run of the benchmark has been told to do. */
import type { Protocol, Qos } from './generator/frames.js';

export interface BenchOptions {
  readonly scenarios: readonly string[];
  readonly qos: readonly Qos[];
  /** Undefined: all that can run. */
  readonly peers: readonly string[] | undefined;
  readonly protocol: Protocol;
  readonly runs: number;
  readonly measuredMs: number;
  readonly warmUpMs: number;
  readonly payloadBytes: number;
  readonly windowMessages: number | undefined;
  readonly batchMessages: number | undefined;
  readonly connections: number;
  readonly settleMs: number;
  readonly dataDirectory: string;
  readonly offlineSessions: number;
  readonly published: number;
  readonly drained: number;
  readonly messagesPerSecond: number;
  readonly queued: number;
  readonly backlog: number;
  readonly storedSessions: number;
  readonly ceilingFile: string | undefined;
  readonly externalAddress: string | undefined;
  readonly millraceCommand: string | undefined;
  readonly pin: boolean;
  readonly jsonFile: string | undefined;
}
