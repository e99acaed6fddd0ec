/**
 * Where the catalogue's records stand. Subscriptions, wills and retained messages have the keys of
 * aedes-persistence-level, so that the package can read them; sessions, their states and queues are ours.
 *
 *   session:<client id>          subscriptions:<client id>:<filter>
 *   state:<session number>       will:<client id>            retained:<topic>
 *   queue:<queue number>         queue-chunk:<queue number>:<chunk number>
 *   note:<name>
 *
 * Client ids are percent-encoded, which leaves no ':' in them. Numbers have sixteen hexadecimal digits.
 */
import type { RangeOptions } from './native-level.js';

export const SESSIONS = 'session:';
export const STATES = 'state:';
export const SUBSCRIPTIONS = 'subscriptions:';
export const WILLS = 'will:';
export const RETAINED = 'retained:';
export const QUEUES = 'queue:';
export const QUEUE_CHUNKS = 'queue-chunk:';
export const NOTES = 'note:';

const DIGITS = 16;

export function sessionKey(clientId: string): string {
  return SESSIONS + encodeURIComponent(clientId);
}

export function stateKey(sessionNumber: number): string {
  return STATES + digitsOf(sessionNumber);
}

/** @returns NaN for a key that is none */
export function sessionNumberOf(key: string): number {
  return numberOf(key.slice(STATES.length));
}

export function queueKey(queue: number): string {
  return QUEUES + digitsOf(queue);
}

/** @returns NaN for a key that is none */
export function queueNumberOf(key: string): number {
  return numberOf(key.slice(QUEUES.length));
}

export function chunkKey(queue: number, chunk: number): string {
  return `${QUEUE_CHUNKS}${digitsOf(queue)}:${digitsOf(chunk)}`;
}

/** @returns the numbers of the queue and of the chunk; NaN where there is none */
export function chunkNumbersOf(key: string): readonly [queue: number, chunk: number] {
  const numbers = key.slice(QUEUE_CHUNKS.length);
  return [numberOf(numbers.slice(0, DIGITS)), numberOf(numbers.slice(DIGITS + 1))];
}

export function subscriptionKey(clientId: string, filter: string): string {
  return `${SUBSCRIPTIONS}${encodeURIComponent(clientId)}:${filter}`;
}

export function willKey(clientId: string): string {
  return WILLS + encodeURIComponent(clientId);
}

export function retainedKey(topic: string): string {
  return RETAINED + topic;
}

export function noteKey(name: string): string {
  return NOTES + name;
}

/** All keys of one kind: ';' is the byte after the ':' that its prefix ends with. */
export function rangeOf(prefix: string): RangeOptions {
  return { gte: prefix, lt: `${prefix.slice(0, -1)};` };
}

function digitsOf(number: number): string {
  return number.toString(16).padStart(DIGITS, '0');
}

function numberOf(digits: string): number {
  return /^[0-9a-f]{16}$/.test(digits) ? Number.parseInt(digits, 16) : Number.NaN;
}
