/**
 * What may be handed to mqtt-packet's generator. It checks next to nothing: an identifier above 65,535 or a string of
 * more bytes than its two-byte length can tell comes out as a corrupt packet, without an error.
 */
import { InvalidArgument } from '../core/errors.js';
import type { ReasonCodeTable } from './reason-code-table.js';
import { FROM_SERVER } from './reason-code-table.js';

const TWO_BYTES = 0xffff;
const FOUR_BYTES = 0xffff_ffff;
/** Longest UTF-8 form of a UTF-16 unit. */
const UTF8_BYTES_PER_UNIT = 3;

export function packetIdentifier(value: number): number {
  return integer('packetId', value, 1, TWO_BYTES);
}

export function twoByteInteger(name: string, value: number | undefined, minimum = 0): number | undefined {
  return value === undefined ? undefined : integer(name, value, minimum, TWO_BYTES);
}

export function fourByteInteger(name: string, value: number | undefined, minimum = 0): number | undefined {
  return value === undefined ? undefined : integer(name, value, minimum, FOUR_BYTES);
}

/** @throws InvalidArgument if a server may not send `value` in the packet that `table` belongs to */
export function serverReasonCode(name: string, value: number, table: ReasonCodeTable): number {
  if (((table[value] ?? 0) & FROM_SERVER) === 0) {
    throw new InvalidArgument(`${name}: ${value} is no reason code that a server may send in this packet`);
  }
  return value;
}

export function utf8String(name: string, value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  if (value.length * UTF8_BYTES_PER_UNIT > TWO_BYTES && Buffer.byteLength(value) > TWO_BYTES) {
    throw new InvalidArgument(`${name} is longer than 65,535 bytes of UTF-8`);
  }
  if (value.includes('\0')) throw new InvalidArgument(`${name} contains U+0000 [MQTT-1.5.4-2]`);
  if (!isWellFormed(value)) throw new InvalidArgument(`${name} contains a lone surrogate [MQTT-1.5.4-1]`);
  return value;
}

export function binaryData(name: string, value: Buffer | undefined): Buffer | undefined {
  if (value !== undefined && value.length > TWO_BYTES) throw new InvalidArgument(`${name} is longer than 65,535 bytes`);
  return value;
}

/**
 * A Reason String is for people, and often quotes a client: it is mended rather than refused. What cannot stand in a
 * string becomes U+FFFD, and what is too long is cut at a character's boundary.
 */
export function reasonString(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  let text = value.includes('\0') ? value.replaceAll('\0', '\ufffd') : value;
  if (!isWellFormed(text)) text = text.replace(LONE_SURROGATE, '\ufffd');
  if (text.length * UTF8_BYTES_PER_UNIT <= TWO_BYTES) return text;
  const bytes = Buffer.from(text);
  let end = Math.min(bytes.length, TWO_BYTES);
  // A continuation byte at the cut would leave half a character before it.
  while (end < bytes.length && ((bytes[end] as number) & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}

const LONE_SURROGATE = /\p{Surrogate}/gu;

function isWellFormed(value: string): boolean {
  return value.search(LONE_SURROGATE) === -1;
}

function integer(name: string, value: number, minimum: number, maximum: number): number {
  if (!Number.isInteger(value) || value < minimum || value > maximum) {
    throw new InvalidArgument(`${name}: ${value} is not an integer from ${minimum} to ${maximum}`);
  }
  return value;
}
