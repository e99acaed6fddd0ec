import type { Logger } from 'pino';
import type { DamagedQueue } from '../http/queue-answers.js';
import type { Settings } from './config-schema.js';

/** A listener that is open. `port` is the real one, also where 0 was configured. */
export interface OpenListener {
  readonly name: string;
  readonly kind: 'tcp' | 'ws' | 'sqs';
  readonly host: string;
  readonly port: number;
  readonly isEncrypted: boolean;
  readonly path?: string;
}

export interface RunningBroker {
  readonly listeners: readonly OpenListener[];
  /** Where programs of this machine reach it by HTTP; null if that is switched off. */
  readonly httpUrl: string | null;
  /** Queues that are stored, and that the configuration does not name. */
  readonly unconfiguredQueues: readonly string[];
  /** Queues that are stored, and whose definition cannot be read. */
  readonly damagedQueues: readonly DamagedQueue[];
  /** Reads again what may change while it runs, without waiting for it to: credentials, certificates, rules of access. */
  reload(): void;
  /** Resolves when everything is closed and flushed; never takes longer than `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

/**
 * Opens everything that the settings ask for, or rejects and leaves nothing open.
 * @param onOpening called when the store has been recovered and clients are about to be let in; until then the process may end
 *   at any moment
 */
export type StartBroker = (settings: Settings, logger: Logger, onOpening: () => void) => Promise<RunningBroker>;
