/**
 * Where the catalogue's records stand. Subscriptions, wills and retained messages have the keys of
 * aedes-persistence-level, so that the package can read them; sessions and their states are ours.
 *
 *   session:<client id>          subscriptions:<client id>:<filter>
 *   state:<session number>       will:<client id>            retained:<topic>
 *
 * Client ids are percent-encoded, which leaves no ':' in them.
 */
import type { RangeOptions } from './native-level.js';

export const SESSIONS = 'session:';
export const STATES = 'state:';
export const SUBSCRIPTIONS = 'subscriptions:';
export const WILLS = 'will:';
export const RETAINED = 'retained:';

export function sessionKey(clientId: string): string {
  return SESSIONS + encodeURIComponent(clientId);
}

export function stateKey(sessionNumber: number): string {
  return STATES + sessionNumber.toString(16).padStart(16, '0');
}

/** @returns NaN for a key that is none */
export function sessionNumberOf(key: string): number {
  const digits = key.slice(STATES.length);
  return /^[0-9a-f]{16}$/.test(digits) ? Number.parseInt(digits, 16) : Number.NaN;
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

/** All keys of one kind: ';' is the byte after the ':' that its prefix ends with. */
export function rangeOf(prefix: string): RangeOptions {
  return { gte: prefix, lt: `${prefix.slice(0, -1)};` };
}
