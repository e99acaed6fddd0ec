/**
 * What happened to a message in a queue, one event a row:
 *
 *   kind u8 | at ms | then what the kind has
 *
 * Numbers and texts are RecordWriter's. Coming into the queue is no row of its own: the message's row says when.
 */
import { DEAD_LETTER_REASONS, type DeadLetterReason } from '../entry-codec.js';
import { QUEUE_DROP_REASONS, type QueueDropReason } from '../queue-counters.js';
import { DamagedQueueRecord } from '../queue-errors.js';
import { RecordReader } from '../record-reader.js';
import { RecordWriter } from '../record-writer.js';

/** Why a message that was received can be received again. */
export const RETURN_REASONS = [
  /** The consumer refused it. */
  'refused',
  'visibility-timeout',
  /** Its consumer went; also if the whole process did. */
  'consumer-gone',
  /** The consumer had taken its receive back before it was answered. */
  'cancelled',
  /** The consumer wants it in the dead-letter queue, where it goes when it has been read. */
  'rejected',
  /** One before it in its group came back: it was on its way to the same consumer behind that. */
  'recalled',
] as const;
export type ReturnReason = (typeof RETURN_REASONS)[number];

/** Names of consumers are empty for who received without being one. Times are ms since the epoch. */
export type TraceEvent =
  /** `from`: the dead-letter queue's source; empty if it was published, or brought back. */
  | { readonly kind: 'enqueued'; readonly atMs: number; readonly isMoved: boolean; readonly from: string }
  /** `attempt`: receives that count, this one included. */
  | { readonly kind: 'delivered'; readonly atMs: number; readonly to: string; readonly attempt: number }
  /** `attempts`: receives that count so far. */
  | {
      readonly kind: 'returned';
      readonly atMs: number;
      readonly by: string;
      readonly reason: ReturnReason;
      readonly delayMs: number;
      readonly attempts: number;
    }
  | { readonly kind: 'acknowledged'; readonly atMs: number; readonly by: string }
  /** `by`: who rejected it, if anybody did. */
  | {
      readonly kind: 'dead-lettered';
      readonly atMs: number;
      readonly by: string;
      readonly to: string;
      readonly reason: DeadLetterReason;
    }
  /** By a redrive, or by whoever moved it. */
  | { readonly kind: 'moved'; readonly atMs: number; readonly by: string; readonly to: string }
  | { readonly kind: 'dropped'; readonly atMs: number; readonly by: string; readonly reason: QueueDropReason };

/** How a message leaves a queue. */
export type Departure = Extract<TraceEvent, { kind: 'acknowledged' | 'dead-lettered' | 'moved' | 'dropped' }>;

const DELIVERED = 1;
const RETURNED = 2;
const ACKNOWLEDGED = 3;
const DEAD_LETTERED = 4;
const MOVED = 5;
const DROPPED = 6;

const writer = new RecordWriter();

export function encodeDelivered(atMs: number, to: string, attempt: number): Buffer {
  begin(DELIVERED, atMs);
  writer.text(to);
  writer.number(attempt);
  return writer.finish();
}

export function encodeReturned(
  atMs: number,
  by: string,
  reason: ReturnReason,
  delayMs: number,
  attempts: number,
): Buffer {
  begin(RETURNED, atMs);
  writer.text(by);
  writer.byte(RETURN_REASONS.indexOf(reason));
  writer.number(delayMs);
  writer.number(attempts);
  return writer.finish();
}

export function encodeAcknowledged(atMs: number, by: string): Buffer {
  begin(ACKNOWLEDGED, atMs);
  writer.text(by);
  return writer.finish();
}

export function encodeDeadLettered(atMs: number, by: string, to: string, reason: DeadLetterReason): Buffer {
  begin(DEAD_LETTERED, atMs);
  writer.text(by);
  writer.text(to);
  writer.byte(DEAD_LETTER_REASONS.indexOf(reason));
  return writer.finish();
}

export function encodeMoved(atMs: number, by: string, to: string): Buffer {
  begin(MOVED, atMs);
  writer.text(by);
  writer.text(to);
  return writer.finish();
}

export function encodeDropped(atMs: number, by: string, reason: QueueDropReason): Buffer {
  begin(DROPPED, atMs);
  writer.text(by);
  writer.byte(QUEUE_DROP_REASONS.indexOf(reason));
  return writer.finish();
}

/** @throws DamagedQueueRecord */
export function decodeTraceEvent(bytes: Buffer): TraceEvent {
  const reader = new RecordReader(bytes);
  const kind = reader.byte();
  const atMs = reader.number();
  switch (kind) {
    case DELIVERED:
      return { kind: 'delivered', atMs, to: reader.text(), attempt: reader.number() };
    case RETURNED:
      return {
        kind: 'returned',
        atMs,
        by: reader.text(),
        reason: oneOf(RETURN_REASONS, reader.byte()),
        delayMs: reader.number(),
        attempts: reader.number(),
      };
    case ACKNOWLEDGED:
      return { kind: 'acknowledged', atMs, by: reader.text() };
    case DEAD_LETTERED:
      return {
        kind: 'dead-lettered',
        atMs,
        by: reader.text(),
        to: reader.text(),
        reason: oneOf(DEAD_LETTER_REASONS, reader.byte()),
      };
    case MOVED:
      return { kind: 'moved', atMs, by: reader.text(), to: reader.text() };
    case DROPPED:
      return { kind: 'dropped', atMs, by: reader.text(), reason: oneOf(QUEUE_DROP_REASONS, reader.byte()) };
    default:
      throw new DamagedQueueRecord('An event of a message is of an unknown kind');
  }
}

function begin(kind: number, atMs: number): void {
  writer.reset();
  writer.byte(kind);
  writer.number(atMs);
}

function oneOf<T>(known: readonly T[], index: number): T {
  const value = known[index];
  if (value === undefined) throw new DamagedQueueRecord('An event of a message has an unknown reason');
  return value;
}
