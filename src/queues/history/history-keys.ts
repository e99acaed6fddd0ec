/**
 * Under which keys the history of messages stands. Numbers are hexadecimal and of fixed width, so that keys sort as they do:
 *
 *   history:<queue>:<sequence>             a message that came into the queue with this number
 *   history:<queue>:<sequence>:<event>     what happened to it
 *   history-end:<queue>:<time>:<unique>    messages that left the queue together, for the sweep
 *   history-term:<hash>:<sequence>:<queue> finds a message by its id, key or topic
 *
 * An event's number is made of the receive that it belongs to, so that nobody has to look for those of a message: 2n for
 * the n-th receive, 2n+1 for what became of it, {@link LEFT} for how the message left the queue.
 */
import { hexOfByte } from '../hex-digits.js';

/** Of a message that is received more often, the last of so many receives is the latest. */
export const KEPT_RECEIVES = 120;
export const LEFT = 0xff;

const MESSAGES = 'history:';
const ENDS = 'history-end:';
const TERMS = 'history-term:';
const QUEUE_DIGITS = 8;
const SEQUENCE_DIGITS = 12;
const TIME_DIGITS = 12;
/** The byte after ':': behind everything that begins with the same text and a ':'. */
const BEHIND = ';';

const FIRST_SEQUENCE = 0;
export const ALL_SEQUENCES = 2 ** 48;

export function messageKey(queue: number, sequence: number): string {
  return `${MESSAGES}${queueDigits(queue)}:${sequenceDigits(sequence)}`;
}

export function eventKey(queue: number, sequence: number, event: number): string {
  return `${messageKey(queue, sequence)}:${hexOfByte(event)}`;
}

/** The event of a receive, by its number from 1 on. */
export function deliveredEvent(generation: number): number {
  return 2 * Math.min(generation, KEPT_RECEIVES);
}

export function returnedEvent(generation: number): number {
  return deliveredEvent(generation) + 1;
}

/** Messages and events of a queue from `from` on, up to and without `to`. */
export function messageRange(queue: number, from = FIRST_SEQUENCE, to = ALL_SEQUENCES): { from: string; to: string } {
  const prefix = `${MESSAGES}${queueDigits(queue)}`;
  return { from: messageKey(queue, from), to: to >= ALL_SEQUENCES ? prefix + BEHIND : messageKey(queue, to) };
}

/** @returns the event's number, or -1 if it is the message itself */
export function parseRowKey(key: string): { readonly sequence: number; readonly event: number } {
  const start = MESSAGES.length + QUEUE_DIGITS + 1;
  const end = start + SEQUENCE_DIGITS;
  const sequence = Number.parseInt(key.slice(start, end), 16);
  return { sequence, event: key.length > end ? Number.parseInt(key.slice(end + 1), 16) : -1 };
}

/** @param unique tells it from others of that time, also those of other processes; without ':' */
export function endKey(queue: number, leftAtMs: number, unique: string): string {
  return `${ENDS}${queueDigits(queue)}:${digits(leftAtMs, TIME_DIGITS)}:${unique}`;
}

export function endRange(queue: number): { from: string; to: string } {
  const prefix = `${ENDS}${queueDigits(queue)}`;
  return { from: `${prefix}:`, to: prefix + BEHIND };
}

/** When the messages of an {@link endKey} left. */
export function leftAtMsOf(key: string): number {
  const start = ENDS.length + QUEUE_DIGITS + 1;
  return Number.parseInt(key.slice(start, start + TIME_DIGITS), 16);
}

export function uniqueOf(key: string): string {
  return key.slice(ENDS.length + QUEUE_DIGITS + TIME_DIGITS + 2);
}

export function termKey(hash: string, queue: number, sequence: number): string {
  return `${TERMS}${hash}:${sequenceDigits(sequence)}:${queueDigits(queue)}`;
}

/** Messages with the term from `from` on, up to and without `to`, of all queues. */
export function termRange(hash: string, from = FIRST_SEQUENCE, to = ALL_SEQUENCES): { from: string; to: string } {
  const prefix = `${TERMS}${hash}:`;
  return {
    from: prefix + sequenceDigits(from),
    to: to >= ALL_SEQUENCES ? `${TERMS}${hash}${BEHIND}` : prefix + sequenceDigits(to),
  };
}

export function parseTermKey(key: string): { readonly queue: number; readonly sequence: number } {
  const end = key.length - QUEUE_DIGITS - 1;
  return {
    queue: Number.parseInt(key.slice(end + 1), 16),
    sequence: Number.parseInt(key.slice(end - SEQUENCE_DIGITS, end), 16),
  };
}

/** Of the last sequence number but for its lowest 16 bits, and of the last queue: the next ones are mostly the same. */
let lastHigh = 0;
let lastHighDigits = digits(lastHigh, SEQUENCE_DIGITS - 4);
let lastQueue = 0;
let lastQueueDigits = digits(lastQueue, QUEUE_DIGITS);

function sequenceDigits(sequence: number): string {
  const high = Math.floor(sequence / 2 ** 16);
  if (high !== lastHigh) {
    lastHigh = high;
    lastHighDigits = digits(high, SEQUENCE_DIGITS - 4);
  }
  return lastHighDigits + hexOfByte((sequence >> 8) & 0xff) + hexOfByte(sequence & 0xff);
}

function queueDigits(queue: number): string {
  if (queue !== lastQueue) {
    lastQueue = queue;
    lastQueueDigits = digits(queue, QUEUE_DIGITS);
  }
  return lastQueueDigits;
}

function digits(number: number, count: number): string {
  return number.toString(16).padStart(count, '0');
}
