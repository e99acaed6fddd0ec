/**
 * Reads the whole catalogue at start, one pass for each kind of record. A record that cannot be read is left out and
 * counted: the rest is worth having.
 */
import { DamagedRecord } from '../core/errors.js';
import type { Message } from '../core/message.js';
import {
  chunkNumbersOf,
  NOTES,
  QUEUE_CHUNKS,
  QUEUES,
  queueNumberOf,
  RETAINED,
  rangeOf,
  SESSIONS,
  STATES,
  SUBSCRIPTIONS,
  sessionNumberOf,
  WILLS,
} from './catalogue-keys.js';
import type { StoredSession, StoredSubscription, StoredWill } from './catalogue-records.js';
import type { CommittedLevel } from './committed-level.js';
import { toMessage } from './message-packet.js';
import { MsgpackReader } from './msgpack-reader.js';
import { decodeOwner } from './owner-codec.js';
import type { QueueCatalogue } from './queue-catalogue.js';
import { RecordFields } from './record-fields.js';
import { decodeSession } from './session-codec.js';
import { toSubscription } from './subscription-packet.js';

/** Told of each record: all sessions first, then all states, subscriptions, wills, retained messages, queues, chunks, notes. */
export interface CatalogueReceiver {
  onSession(session: StoredSession): void;
  /** @param bytes safe to keep */
  onState(sessionNumber: number, bytes: Buffer): void;
  onSubscription(clientId: string, subscription: StoredSubscription): void;
  onWill(clientId: string, will: StoredWill): void;
  onRetained(message: Message): void;
  /** @param bytes safe to keep, as those of a chunk */
  onQueue?(number: number, bytes: Buffer): void;
  onQueueChunk?(queue: number, chunk: number, bytes: Buffer): void;
  onNote?(name: string, bytes: Buffer): void;
}

export interface CatalogueLoad {
  /** Records that could not be read. */
  readonly damaged: number;
  /** The largest numbers that stand in the records; 0 for none. */
  readonly largest: UsedNumbers;
}

export interface UsedNumbers {
  readonly sequence: number;
  readonly sessionNumber: number;
  readonly streamId: number;
  readonly queueNumber: number;
}

const ENTRIES_PER_READ = 1000;
const BYTES_PER_READ = 1 << 20;

const reader = new MsgpackReader();

/** Gives `receiver` everything that is settled, and `queues` what they have. What either throws ends the load. */
export async function loadCatalogue(
  level: CommittedLevel,
  receiver: CatalogueReceiver,
  queues: QueueCatalogue,
): Promise<CatalogueLoad> {
  let damaged = 0;
  const largest = { sequence: 0, sessionNumber: 0, streamId: 0, queueNumber: 0 };
  damaged += await loadKind(level, SESSIONS, decodeSession, (session) => {
    largest.sessionNumber = Math.max(largest.sessionNumber, session.number);
    largest.streamId = Math.max(largest.streamId, session.ownStreamId ?? 0);
    receiver.onSession(session);
  });
  damaged += await loadKind(level, STATES, decodeState, ({ sessionNumber, bytes }) => {
    largest.sessionNumber = Math.max(largest.sessionNumber, sessionNumber);
    receiver.onState(sessionNumber, bytes);
  });
  damaged += await loadKind(level, SUBSCRIPTIONS, decodeSubscription, ({ clientId, subscription }) => {
    largest.streamId = Math.max(largest.streamId, subscription.streamId);
    // The first message that the subscription was to get had this number, or would have had it.
    largest.sequence = Math.max(largest.sequence, subscription.sinceSequence - 1);
    receiver.onSubscription(clientId, subscription);
  });
  damaged += await loadKind(level, WILLS, decodeWill, ({ clientId, will }) => receiver.onWill(clientId, will));
  damaged += await loadKind(level, RETAINED, decodeRetained, (message) => receiver.onRetained(message));
  damaged += await loadKind(level, QUEUES, decodeQueue, ({ queue, bytes }) => {
    largest.queueNumber = Math.max(largest.queueNumber, queue);
    receiver.onQueue?.(queue, bytes);
  });
  damaged += await loadKind(level, QUEUE_CHUNKS, decodeChunk, ({ queue, chunk, bytes }) => {
    largest.queueNumber = Math.max(largest.queueNumber, queue);
    queues.noteChunk(queue, chunk);
    receiver.onQueueChunk?.(queue, chunk, bytes);
  });
  damaged += await loadKind(level, NOTES, decodeNote, ({ name, bytes }) => receiver.onNote?.(name, bytes));
  return { damaged, largest };
}

/** @returns how many could not be read */
async function loadKind<T>(
  level: CommittedLevel,
  prefix: string,
  decode: (value: Buffer, key: string) => T,
  receive: (record: T) => void,
): Promise<number> {
  let damaged = 0;
  const iterator = level.iterator({ ...rangeOf(prefix), highWaterMarkBytes: BYTES_PER_READ });
  try {
    for (;;) {
      const entries = await iterator.nextv(ENTRIES_PER_READ);
      if (entries.length === 0) return damaged;
      for (const [key, value] of entries) {
        const record = decodeOrNull(() => decode(value, key));
        if (record === null) damaged++;
        else receive(record);
      }
    }
  } finally {
    await iterator.close();
  }
}

function decodeOrNull<T>(decode: () => T): T | null {
  try {
    return decode();
  } catch (error) {
    if (error instanceof DamagedRecord) return null;
    throw error;
  }
}

function decodeState(bytes: Buffer, key: string): { sessionNumber: number; bytes: Buffer } {
  const sessionNumber = sessionNumberOf(key);
  if (Number.isNaN(sessionNumber)) throw new DamagedRecord('A state has no session number');
  return { sessionNumber, bytes };
}

function decodeSubscription(bytes: Buffer): { clientId: string; subscription: StoredSubscription } {
  const fields = new RecordFields(reader.read(bytes));
  return { clientId: fields.string('clientId'), subscription: toSubscription(fields) };
}

function decodeWill(bytes: Buffer): { clientId: string; will: StoredWill } {
  const fields = new RecordFields(reader.read(bytes));
  const owner = fields.any('owner');
  const will = {
    message: toMessage(fields),
    delaySeconds: fields.integer('delaySeconds', 0, 0),
    owner: owner === undefined ? undefined : decodeOwner(parseOwner(fields.string('owner'))),
  };
  return { clientId: fields.string('clientId'), will };
}

function parseOwner(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DamagedRecord('The owner of a will is no JSON', { cause });
  }
}

function decodeRetained(bytes: Buffer): Message {
  return toMessage(new RecordFields(reader.read(bytes)));
}

function decodeQueue(bytes: Buffer, key: string): { queue: number; bytes: Buffer } {
  const queue = queueNumberOf(key);
  if (Number.isNaN(queue)) throw new DamagedRecord('A queue has no number');
  return { queue, bytes };
}

function decodeNote(bytes: Buffer, key: string): { name: string; bytes: Buffer } {
  return { name: key.slice(NOTES.length), bytes };
}

function decodeChunk(bytes: Buffer, key: string): { queue: number; chunk: number; bytes: Buffer } {
  const [queue, chunk] = chunkNumbersOf(key);
  if (Number.isNaN(queue + chunk)) throw new DamagedRecord('A chunk has no numbers');
  return { queue, chunk, bytes };
}
