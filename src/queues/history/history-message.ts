/**
 * A message as its history keeps it: when it came into the queue, and its content with the queue's entry, in the format of
 * the message log's records (see the store).
 *
 *   version u8: 1 | flags u8: 1 moved here | came into the queue at u48 | record
 */
import type { Message } from '../../core/message.js';
import { largestRecord, readEntry, readMessage, recordEnd, writeRecord } from '../../store/message-record.js';
import { DamagedQueueRecord } from '../queue-errors.js';

export interface HistoryMessage {
  readonly enqueuedAtMs: number;
  /** It came from another queue. */
  readonly isMoved: boolean;
  /** A view of the row. */
  readonly message: Message;
  /** A view too. */
  readonly entryBytes: Buffer;
}

const VERSION = 1;
const IS_MOVED = 1;
const RECORD_START = 8;
const NO_STREAMS: readonly never[] = [];

let row = Buffer.allocUnsafeSlow(4096);

/** @returns a view, of use until the next call */
export function encodeHistoryMessage(
  enqueuedAtMs: number,
  isMoved: boolean,
  message: Message,
  queue: number,
  entry: Buffer,
): Buffer {
  const entries = [{ queue, bytes: entry }];
  const mostBytes = RECORD_START + largestRecord(message, 0, entries);
  if (mostBytes > row.length) row = Buffer.allocUnsafeSlow(2 * mostBytes);
  row[0] = VERSION;
  row[1] = isMoved ? IS_MOVED : 0;
  row.writeUIntBE(enqueuedAtMs, 2, 6);
  return row.subarray(0, writeRecord(row, RECORD_START, 0, message, NO_STREAMS, entries));
}

/** @throws DamagedQueueRecord */
export function decodeHistoryMessage(bytes: Buffer, queue: number): HistoryMessage {
  if (bytes[0] !== VERSION) throw new DamagedQueueRecord('A message of the history has an unknown version');
  if (bytes.length < RECORD_START + 4 || recordEnd(bytes, RECORD_START) !== bytes.length) {
    throw new DamagedQueueRecord('A message of the history is cut off');
  }
  const entryBytes = readEntry(bytes, RECORD_START, queue);
  if (entryBytes === null) throw new DamagedQueueRecord('A message of the history is of another queue');
  return {
    enqueuedAtMs: bytes.readUIntBE(2, 6),
    isMoved: ((bytes[1] ?? 0) & IS_MOVED) !== 0,
    message: readMessage(bytes, RECORD_START),
    entryBytes,
  };
}

/** When the message came into the queue, without looking at the rest. */
export function historyTimeOf(bytes: Buffer): number {
  return bytes.length < RECORD_START ? 0 : bytes.readUIntBE(2, 6);
}
