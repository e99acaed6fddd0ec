/**
 * Encodes a record as aedes-persistence-level does: MessagePack (https://github.com/msgpack/msgpack, spec.md), one map with
 * names for keys. Only what records need: text, booleans, and whole numbers that are not negative.
 */
import { InvalidArgument } from '../core/errors.js';

export type WritableValue = string | boolean | number;

const LARGEST_FIX_MAP = 15;

/** @param fields at most 15 */
export function encodeMap(fields: Readonly<Record<string, WritableValue>>): Buffer {
  const entries = Object.entries(fields);
  if (entries.length > LARGEST_FIX_MAP) throw new InvalidArgument(`a record has ${entries.length} fields`);
  const parts: Buffer[] = [Buffer.from([0x80 | entries.length])];
  for (const [name, value] of entries) parts.push(...encodeText(name), ...encodeValue(value));
  return Buffer.concat(parts);
}

function encodeValue(value: WritableValue): Buffer[] {
  if (typeof value === 'string') return encodeText(value);
  if (typeof value === 'boolean') return [Buffer.from([value ? 0xc3 : 0xc2])];
  return [encodeNumber(value)];
}

function encodeText(text: string): Buffer[] {
  const content = Buffer.from(text);
  const { length } = content;
  if (length < 32) return [Buffer.from([0xa0 | length]), content];
  if (length < 0x100) return [Buffer.from([0xd9, length]), content];
  if (length < 0x10000) return [Buffer.from([0xda, length >> 8, length & 0xff]), content];
  const header = Buffer.from([0xdb, 0, 0, 0, 0]);
  header.writeUInt32BE(length, 1);
  return [header, content];
}

function encodeNumber(value: number): Buffer {
  if (value < 0x80) return Buffer.from([value]);
  if (value < 0x100) return Buffer.from([0xcc, value]);
  if (value < 0x10000) return Buffer.from([0xcd, value >> 8, value & 0xff]);
  if (value < 0x100000000) {
    const bytes = Buffer.from([0xce, 0, 0, 0, 0]);
    bytes.writeUInt32BE(value, 1);
    return bytes;
  }
  const bytes = Buffer.alloc(9);
  bytes[0] = 0xcf;
  bytes.writeBigUInt64BE(BigInt(value), 1);
  return bytes;
}
