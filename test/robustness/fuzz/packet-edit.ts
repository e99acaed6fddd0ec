/** Changes of one packet that leave the rest of it in order: lengths are set anew around what has changed. */
import { lengthOf } from '../support/packets.js';
import { readHeader } from './frames.js';
import type { Field } from './packet-layout.js';

/** @returns the packet with `bytes` in place of `[start, end)`, and the remaining length that fits */
export function splice(packet: Buffer, start: number, end: number, bytes: Buffer): Buffer {
  const header = readHeader(packet);
  const changed = Buffer.concat([packet.subarray(0, start), bytes, packet.subarray(end)]);
  if (typeof header !== 'object' || start < header.bodyStart) return changed;
  const body = changed.subarray(header.bodyStart);
  return Buffer.concat([packet.subarray(0, 1), lengthOf(body.length), body]);
}

/** As {@link splice}, within a property section: its length too fits afterwards. */
export function spliceProperty(packet: Buffer, fields: readonly Field[], field: Field, bytes: Buffer): Buffer {
  const section = fields.findLast(({ kind, start }) => kind === 'property-length' && start < field.start);
  if (section === undefined) return splice(packet, field.start, field.end, bytes);
  const sectionEnd = section.end + variableByteIntegerAt(packet, section.start);
  const content = Buffer.concat([
    packet.subarray(section.end, field.start),
    bytes,
    packet.subarray(field.end, sectionEnd),
  ]);
  return splice(packet, section.start, sectionEnd, Buffer.concat([lengthOf(content.length), content]));
}

function variableByteIntegerAt(bytes: Buffer, start: number): number {
  let value = 0;
  for (let i = 0; i < 4; i++) {
    const byte = bytes[start + i] ?? 0;
    value += (byte & 0x7f) * 128 ** i;
    if (byte < 0x80) break;
  }
  return value;
}
