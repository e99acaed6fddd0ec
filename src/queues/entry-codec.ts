/**
 * The entry of a message in a queue: what the queue knows of it beside its content, written once with it.
 *
 *   version 1 | flags | id | enqueued ms | then what the flags say, in their order
 *
 * Numbers and texts are RecordWriter's. Times are ms since the epoch; that of `delayed` counts from `enqueued`.
 */
import { DamagedQueueRecord } from './queue-errors.js';
import { RecordReader } from './record-reader.js';
import { RecordWriter } from './record-writer.js';

/** Where a dead letter comes from. */
export interface MessageOrigin {
  readonly queue: string;
  readonly sequence: number;
  readonly reason: DeadLetterReason;
  /** Receives in the source queue. */
  readonly receives: number;
  /** 0 if it never failed. */
  readonly firstFailedAtMs: number;
  readonly lastFailedAtMs: number;
  readonly movedAtMs: number;
}

export const DEAD_LETTER_REASONS = ['max-receives', 'rejected', 'expired', 'retention', 'overflow'] as const;
export type DeadLetterReason = (typeof DEAD_LETTER_REASONS)[number];

export interface MessageEntry {
  readonly id: string;
  readonly enqueuedAtMs: number;
  /** Message group; empty for none. */
  readonly group: string;
  /** 0 to 9, higher first. */
  readonly priority: number;
  /** May not be received before; 0 for at once. */
  readonly delayedUntilMs: number;
  readonly deduplicationId: string;
  /** What the message is about, for its consumers; empty for none. */
  readonly key: string;
  readonly attributes: readonly (readonly [name: string, value: string])[];
  /** Whom to tell what became of it, as whoever enqueued it writes that down; empty for nobody. */
  readonly receiptTo: string;
  readonly origin: MessageOrigin | null;
}

const VERSION = 1;
const HAS_GROUP = 1;
const HAS_PRIORITY = 2;
const IS_DELAYED = 4;
const HAS_DEDUPLICATION_ID = 8;
const HAS_KEY = 16;
const HAS_ATTRIBUTES = 32;
const HAS_ORIGIN = 64;
const HAS_RECEIPT = 128;
const KNOWN_FLAGS = 255;
const HIGHEST_PRIORITY = 9;

const writer = new RecordWriter();

export function encodeEntry(entry: MessageEntry): Buffer {
  writer.reset();
  writer.byte(VERSION);
  writer.byte(flagsOf(entry));
  writer.text(entry.id);
  writer.number(entry.enqueuedAtMs);
  if (entry.group !== '') writer.text(entry.group);
  if (entry.priority !== 0) writer.byte(entry.priority);
  if (entry.delayedUntilMs !== 0) writer.number(Math.max(0, entry.delayedUntilMs - entry.enqueuedAtMs));
  if (entry.deduplicationId !== '') writer.text(entry.deduplicationId);
  if (entry.key !== '') writer.text(entry.key);
  if (entry.attributes.length > 0) {
    writer.number(entry.attributes.length);
    for (const [name, value] of entry.attributes) {
      writer.text(name);
      writer.text(value);
    }
  }
  if (entry.origin !== null) writeOrigin(entry.origin);
  if (entry.receiptTo !== '') writer.text(entry.receiptTo);
  return writer.finish();
}

/** @throws DamagedQueueRecord */
export function decodeEntry(bytes: Buffer): MessageEntry {
  const reader = new RecordReader(bytes);
  if (reader.byte() !== VERSION) throw new DamagedQueueRecord('An entry has an unknown version');
  const flags = reader.byte();
  if (flags > KNOWN_FLAGS) throw new DamagedQueueRecord('An entry has unknown parts');
  const id = reader.text();
  const enqueuedAtMs = reader.number();
  const group = flags & HAS_GROUP ? reader.text() : '';
  const priority = flags & HAS_PRIORITY ? reader.byte() : 0;
  if (priority > HIGHEST_PRIORITY) throw new DamagedQueueRecord('An entry has an unknown priority');
  const delayedUntilMs = flags & IS_DELAYED ? enqueuedAtMs + reader.number() : 0;
  const deduplicationId = flags & HAS_DEDUPLICATION_ID ? reader.text() : '';
  const key = flags & HAS_KEY ? reader.text() : '';
  const attributes: [string, string][] = [];
  if (flags & HAS_ATTRIBUTES) {
    for (let left = reader.number(); left > 0; left--) attributes.push([reader.text(), reader.text()]);
  }
  const origin = flags & HAS_ORIGIN ? readOrigin(reader) : null;
  const receiptTo = flags & HAS_RECEIPT ? reader.text() : '';
  return { id, enqueuedAtMs, group, priority, delayedUntilMs, deduplicationId, key, attributes, receiptTo, origin };
}

/** The id of the message, without looking at the rest. @throws DamagedQueueRecord */
export function idOf(bytes: Buffer): string {
  const reader = new RecordReader(bytes);
  reader.byte();
  reader.byte();
  return reader.text();
}

/** When the message was enqueued, without looking at the rest. @throws DamagedQueueRecord */
export function enqueuedAtMsOf(bytes: Buffer): number {
  const reader = new RecordReader(bytes);
  reader.byte();
  reader.byte();
  reader.skipText();
  return reader.number();
}

/** What it needs of its entry who tells what became of a message; null if nobody wants to know. @throws DamagedQueueRecord */
export function receiptOf(bytes: Buffer): { readonly id: string; readonly receiptTo: string } | null {
  const flags = bytes[1] ?? 0;
  if ((flags & HAS_RECEIPT) === 0) return null;
  const { id, receiptTo } = decodeEntry(bytes);
  return { id, receiptTo };
}

function flagsOf(entry: MessageEntry): number {
  return (
    (entry.group === '' ? 0 : HAS_GROUP) |
    (entry.priority === 0 ? 0 : HAS_PRIORITY) |
    (entry.delayedUntilMs === 0 ? 0 : IS_DELAYED) |
    (entry.deduplicationId === '' ? 0 : HAS_DEDUPLICATION_ID) |
    (entry.key === '' ? 0 : HAS_KEY) |
    (entry.attributes.length === 0 ? 0 : HAS_ATTRIBUTES) |
    (entry.origin === null ? 0 : HAS_ORIGIN) |
    (entry.receiptTo === '' ? 0 : HAS_RECEIPT)
  );
}

function writeOrigin(origin: MessageOrigin): void {
  writer.text(origin.queue);
  writer.number(origin.sequence);
  writer.byte(DEAD_LETTER_REASONS.indexOf(origin.reason));
  writer.number(origin.receives);
  writer.number(origin.firstFailedAtMs);
  writer.number(origin.lastFailedAtMs);
  writer.number(origin.movedAtMs);
}

function readOrigin(reader: RecordReader): MessageOrigin {
  const queue = reader.text();
  const sequence = reader.number();
  const reason = DEAD_LETTER_REASONS[reader.byte()];
  if (reason === undefined) throw new DamagedQueueRecord('A dead letter has an unknown reason');
  return {
    queue,
    sequence,
    reason,
    receives: reader.number(),
    firstFailedAtMs: reader.number(),
    lastFailedAtMs: reader.number(),
    movedAtMs: reader.number(),
  };
}
