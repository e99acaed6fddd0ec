/** What a run of the benchmark has been told to do. */
import type { Qos } from './generator/frames.js';
import type { Variant } from './variant.js';

/** The fields of Variant are those of the present run; before there is one, of the first variant. */
export interface BenchOptions extends Variant {
  readonly variants: readonly Variant[];
  readonly scenarios: readonly string[];
  readonly qos: readonly Qos[];
  /** Undefined: all that can run. */
  readonly peers: readonly string[] | undefined;
  readonly runs: number;
  readonly measuredMs: number;
  readonly warmUpMs: number;
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
  /** Of `paced`. */
  readonly devices: number;
  readonly retained: number;
  readonly subscriptions: number;
  /** Points of an axis beyond it are left out. */
  readonly largest: number;
  readonly ceilingFile: string | undefined;
  readonly externalAddress: string | undefined;
  readonly millraceCommand: string | undefined;
  readonly pin: boolean;
  readonly jsonFile: string | undefined;
  readonly htmlFile: string | undefined;
}
