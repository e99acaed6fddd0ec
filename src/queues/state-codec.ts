/**
 * The state of a message that is not simply waiting, as it stands in the log's marks:
 *
 *   version 1, superseded, rejected, kind | attempts | generation | due ms (0: never) | first received ms | first failed ms | last failed ms
 */
import { DamagedQueueRecord } from './queue-errors.js';
import { RecordReader } from './record-reader.js';
import { RecordWriter } from './record-writer.js';
import {
  DELAYED,
  IN_FLIGHT,
  NEVER,
  READY,
  type StoredHistory,
  type TrackedMessage,
  type TrackedState,
} from './tracked-message.js';

export interface MessageState extends StoredHistory {
  readonly state: TrackedState;
  readonly dueAtMs: number;
}

/** Above the two bits of the kind, and that of `isRejected`. */
const IS_REJECTED = 1 << 2;
const VERSION = 1 << 3;
const IS_SUPERSEDED = 1 << 4;

const writer = new RecordWriter();

export function encodeState(message: TrackedMessage): Buffer {
  writer.reset();
  const flags = (message.isRejected ? IS_REJECTED : 0) | (message.isSuperseded ? IS_SUPERSEDED : 0);
  writer.byte(VERSION | flags | message.state);
  writer.number(message.attempts);
  writer.number(message.generation);
  writer.number(message.dueAtMs === NEVER ? 0 : message.dueAtMs);
  writer.number(message.firstReceivedAtMs);
  writer.number(message.firstFailedAtMs);
  writer.number(message.lastFailedAtMs);
  return writer.finish();
}

/** @throws DamagedQueueRecord */
export function decodeState(bytes: Buffer): MessageState {
  const reader = new RecordReader(bytes);
  const first = reader.byte();
  const isRejected = (first & IS_REJECTED) !== 0;
  const isSuperseded = (first & IS_SUPERSEDED) !== 0;
  const state = (first & ~(IS_REJECTED | IS_SUPERSEDED)) - VERSION;
  if (state !== READY && state !== IN_FLIGHT && state !== DELAYED) {
    throw new DamagedQueueRecord('A state of a message is of an unknown kind');
  }
  const attempts = reader.number();
  const generation = reader.number();
  const dueAtMs = reader.number();
  return {
    state,
    attempts,
    generation,
    dueAtMs: dueAtMs === 0 && state === IN_FLIGHT ? NEVER : dueAtMs,
    firstReceivedAtMs: reader.number(),
    firstFailedAtMs: reader.number(),
    lastFailedAtMs: reader.number(),
    isRejected,
    isSuperseded,
  };
}
