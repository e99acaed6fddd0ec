/** What is kept of a queue, and of the registry, where the log keeps definitions: JSON, since it changes rarely. */
import { DamagedQueueRecord } from './queue-errors.js';
import { type QueueOptions, validateQueueOptions } from './queue-options.js';
import { REDRIVE_STATES, type RedriveProgress } from './redrive.js';

export interface QueueDefinition {
  readonly name: string;
  readonly options: QueueOptions;
  /** Its last redrive; null if there was none. */
  readonly redrive: RedriveProgress | null;
  /** Messages with lower numbers have no history; 0 if it was never off, or never on. */
  readonly historySince: number;
}

/** What belongs to all queues. */
export interface RegistryRecord {
  /** Numbers below it have been used. */
  readonly nextNumber: number;
  /** Of the receipt handles. */
  readonly secret: Buffer;
}

export function encodeDefinition({ name, options, redrive, historySince }: QueueDefinition): Buffer {
  return Buffer.from(JSON.stringify({ version: 1, name, options, redrive, historySince }));
}

/** @throws DamagedQueueRecord @throws InvalidQueueOption */
export function decodeDefinition(bytes: Buffer): QueueDefinition {
  const { name, options, redrive, historySince } = parse(bytes);
  if (typeof name !== 'string' || typeof options !== 'object') {
    throw new DamagedQueueRecord('A definition of a queue is incomplete');
  }
  return {
    name,
    options: validateQueueOptions(options as Partial<QueueOptions>),
    redrive: readRedrive(redrive),
    historySince: typeof historySince === 'number' ? historySince : 0,
  };
}

export function encodeRegistry({ nextNumber, secret }: RegistryRecord): Buffer {
  return Buffer.from(JSON.stringify({ version: 1, nextNumber, secret: secret.toString('hex') }));
}

/** @throws DamagedQueueRecord */
export function decodeRegistry(bytes: Buffer): RegistryRecord {
  const { nextNumber, secret } = parse(bytes);
  if (typeof nextNumber !== 'number' || typeof secret !== 'string' || !/^[0-9a-f]{16}$/.test(secret)) {
    throw new DamagedQueueRecord('The record of all queues is incomplete');
  }
  return { nextNumber, secret: Buffer.from(secret, 'hex') };
}

/** One that was running has been stopped by the end of the process. */
function readRedrive(record: unknown): RedriveProgress | null {
  if (typeof record !== 'object' || record === null) return null;
  const { state, target, startedAtMs, moved, total, failed = 0, left = 0 } = record as Record<string, unknown>;
  const known = REDRIVE_STATES.find((name) => name === state);
  if (known === undefined || (typeof target !== 'string' && target !== null)) return null;
  if (typeof startedAtMs !== 'number' || typeof moved !== 'number' || typeof total !== 'number') return null;
  if (typeof failed !== 'number' || typeof left !== 'number') return null;
  return { state: known === 'running' ? 'stopped' : known, target, startedAtMs, moved, failed, left, total };
}

function parse(bytes: Buffer): Record<string, unknown> {
  let record: unknown;
  try {
    record = JSON.parse(bytes.toString());
  } catch {
    throw new DamagedQueueRecord('A definition of a queue cannot be read');
  }
  if (typeof record !== 'object' || record === null) throw new DamagedQueueRecord('A definition of a queue is empty');
  return record as Record<string, unknown>;
}
