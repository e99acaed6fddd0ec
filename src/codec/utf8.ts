/**
 * The string rules of MQTT (section 1.5.4): well-formed UTF-8, no encoded surrogates, no U+0000. A byte order mark is
 * kept [MQTT-1.5.4-3]; other control characters are the application's matter.
 */
import { isUtf8 } from 'node:buffer';
import { MalformedPacket } from '../core/errors.js';

declare global {
  // Node's own direct slices: what `toString(encoding, start, end)` ends in, without the dispatch on the way.
  interface Buffer {
    latin1Slice(start?: number, end?: number): string;
    utf8Slice(start?: number, end?: number): string;
  }
}

/** Bytes from which a native check is quicker than a loop. */
const NATIVE_FROM = 48;

/**
 * Reads `bytes[start, end)` as an MQTT string.
 * @throws MalformedPacket if it is not one [MQTT-1.5.4-1] [MQTT-1.5.4-2]
 */
export function readUtf8(bytes: Buffer, start: number, end: number): string {
  return isPlainAscii(bytes, start, end) ? bytes.latin1Slice(start, end) : readUnicode(bytes, start, end);
}

/** Checks `bytes[start, end)` without decoding it. @throws MalformedPacket if it is not an MQTT string */
export function checkUtf8(bytes: Buffer, start: number, end: number): void {
  if (!isPlainAscii(bytes, start, end)) checkUnicode(bytes, start, end);
}

function isPlainAscii(bytes: Buffer, start: number, end: number): boolean {
  if (end - start > NATIVE_FROM) return false;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number;
    if (byte === 0 || byte > 0x7f) return false;
  }
  return true;
}

function readUnicode(bytes: Buffer, start: number, end: number): string {
  checkUnicode(bytes, start, end);
  return bytes.utf8Slice(start, end);
}

function checkUnicode(bytes: Buffer, start: number, end: number): void {
  const view = bytes.subarray(start, end);
  if (!isUtf8(view)) throw new MalformedPacket('a string is not valid UTF-8 [MQTT-1.5.4-1]');
  if (view.includes(0)) throw new MalformedPacket('a string contains U+0000 [MQTT-1.5.4-2]');
}
