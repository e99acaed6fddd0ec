/** Mutations of one packet: some know where its fields lie, some know nothing. */
import { lengthOf, text, u16, u32, type Version } from '../support/packets.js';
import type { Random } from '../support/random-source.js';
import { splice, spliceProperty } from './packet-edit.js';
import { type Field, layoutOf } from './packet-layout.js';
import { PROPERTY_KINDS, type PropertyKind } from './property-table.js';

type Mutation = (random: Random, packet: Buffer, fields: readonly Field[]) => Buffer;

const INTERESTING_BYTES = [0, 1, 2, 3, 4, 0x10, 0x7f, 0x80, 0x81, 0x87, 0xc0, 0xfe, 0xff];
const INTERESTING_TWO = [0, 1, 2, 64, 65, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xfffe, 0xffff];
const INTERESTING_FOUR = [0, 1, 2, 0xff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];
const INTERESTING_VARIABLE = [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 268_435_455];
const BAD_TEXT = [
  Buffer.from([0]),
  Buffer.from([0x61, 0, 0x62]),
  Buffer.from([0xc0, 0x80]),
  Buffer.from([0xed, 0xa0, 0x80]),
  Buffer.from([0xf4, 0x90, 0x80, 0x80]),
  Buffer.from([0xe2, 0x82]),
  Buffer.from([0xff, 0xfe]),
];
const ODD_TEXT = [
  '',
  '#',
  '+',
  '/',
  '//',
  'a/#',
  '#/a',
  'a+',
  '$SYS',
  '$SYS/#',
  '$share',
  '$share/',
  '$share//a',
  '$share/g/',
  '$share/g/#',
  '$share/g+/a',
  '\u{feff}a',
  '\u{1}',
  '\u{10ffff}',
  'x'.repeat(65_535),
  'a/'.repeat(127),
  'a/'.repeat(128),
  '/'.repeat(60_000),
];

/** @returns the packet, changed once; the same if the mutation that was drawn finds nothing to aim at */
export function mutatePacket(random: Random, packet: Buffer, version: Version): Buffer {
  if (packet.length === 0) return packet;
  return random.pick(MUTATIONS)(random, packet, layoutOf(packet, version));
}

const flipBit: Mutation = (random, packet) => {
  const changed = Buffer.from(packet);
  const at = random.below(packet.length);
  changed[at] = (changed[at] as number) ^ (1 << random.below(8));
  return changed;
};

const setByte: Mutation = (random, packet) => {
  const changed = Buffer.from(packet);
  changed[random.below(packet.length)] = random.chance(0.5) ? random.pick(INTERESTING_BYTES) : random.below(256);
  return changed;
};

const deleteBytes: Mutation = (random, packet) => {
  const at = random.below(packet.length);
  return Buffer.concat([packet.subarray(0, at), packet.subarray(at + 1 + random.below(4))]);
};

const insertBytes: Mutation = (random, packet) => {
  const at = random.below(packet.length + 1);
  const more = Buffer.from(Array.from({ length: 1 + random.below(4) }, () => random.below(256)));
  return Buffer.concat([packet.subarray(0, at), more, packet.subarray(at)]);
};

/** Deletes or inserts within the body, and sets the remaining length so that the packet stays one. */
const resizeBody: Mutation = (random, packet, fields) => {
  const bodyStart = fields[0]?.end ?? 2;
  if (packet.length <= bodyStart) return packet;
  const at = bodyStart + random.below(packet.length - bodyStart);
  if (random.chance(0.5)) return splice(packet, at, Math.min(packet.length, at + 1 + random.below(4)), Buffer.alloc(0));
  return splice(packet, at, at, Buffer.from([random.pick(INTERESTING_BYTES), random.below(256)]));
};

const changeFlags: Mutation = (random, packet) => {
  const changed = Buffer.from(packet);
  changed[0] = random.chance(0.7) ? ((packet[0] as number) & 0xf0) | random.below(16) : random.below(256);
  return changed;
};

/** Too long, too short, not minimal, too many bytes, enormous. */
const changeLength: Mutation = (random, packet, fields) => {
  const bodyStart = fields[0]?.end ?? 2;
  const body = packet.subarray(bodyStart);
  const lengths = [
    lengthOf(body.length + 1),
    lengthOf(Math.max(0, body.length - 1)),
    lengthOf(body.length + 200),
    Buffer.from([(body.length & 0x7f) | 0x80, 0x80 | (body.length >> 7), 0]),
    Buffer.from([0xff, 0xff, 0xff, 0x7f]),
    Buffer.from([0xff, 0xff, 0xff, 0xff, 0x01]),
    Buffer.from([0x80, 0x80, 0x80, 0x80, 0]),
    lengthOf(random.below(70_000)),
  ];
  return Buffer.concat([packet.subarray(0, 1), random.pick(lengths), body]);
};

/** An interesting integer in place of a number, or of the length of a string or a section. */
const changeNumber: Mutation = (random, packet, fields) => {
  const field = pickField(random, fields, 'number', 'text', 'binary', 'client-id', 'property-length', 'byte');
  if (field === undefined) return packet;
  if (field.kind === 'property-length') {
    return splice(packet, field.start, field.end, lengthOf(random.pick(INTERESTING_VARIABLE)));
  }
  const changed = Buffer.from(packet);
  if (field.kind === 'byte') changed[field.start] = random.pick(INTERESTING_BYTES);
  else changed.writeUInt16BE(random.pick(INTERESTING_TWO), field.start);
  return changed;
};

const changeText: Mutation = (random, packet, fields) => {
  const field = pickField(random, fields, 'text', 'text', 'client-id', 'binary');
  if (field === undefined) return packet;
  const content = random.chance(0.5) ? random.pick(BAD_TEXT) : Buffer.from(random.pick(ODD_TEXT));
  return splice(packet, field.start, field.end, Buffer.concat([u16(content.length), content]));
};

const repeatProperty: Mutation = (random, packet, fields) => {
  const field = pickField(random, fields, 'property');
  if (field === undefined) return packet;
  const bytes = packet.subarray(field.start, field.end);
  return spliceProperty(packet, fields, field, Buffer.concat([bytes, bytes]));
};

const dropProperty: Mutation = (random, packet, fields) => {
  const field = pickField(random, fields, 'property');
  return field === undefined ? packet : spliceProperty(packet, fields, field, Buffer.alloc(0));
};

/** Moves the first property of a section behind the second. */
const reorderProperties: Mutation = (_random, packet, fields) => {
  const index = fields.findIndex(({ kind }, i) => kind === 'property' && fields[i + 1]?.kind === 'property');
  const [first, second] = [fields[index], fields[index + 1]];
  if (first === undefined || second === undefined) return packet;
  const swapped = [packet.subarray(second.start, second.end), packet.subarray(first.start, first.end)];
  return spliceProperty(packet, fields, { ...first, end: second.end }, Buffer.concat(swapped));
};

/** Any property with any value, whether it belongs there or not. */
const addProperty: Mutation = (random, packet, fields) => {
  const section = pickField(random, fields, 'property-length');
  if (section === undefined) return packet;
  const [id, kind] = random.chance(0.95)
    ? random.pick([...PROPERTY_KINDS])
    : ([random.below(256), 'byte'] as [number, PropertyKind]);
  const bytes = Buffer.concat([Buffer.from([id]), anyValue(random, kind)]);
  return spliceProperty(packet, fields, { kind: 'property', start: section.end, end: section.end }, bytes);
};

const changePropertyValue: Mutation = (random, packet, fields) => {
  const field = pickField(random, fields, 'property');
  const kind = field === undefined ? undefined : PROPERTY_KINDS.get(packet[field.start] as number);
  if (field === undefined || kind === undefined) return packet;
  const bytes = Buffer.concat([packet.subarray(field.start, field.start + 1), anyValue(random, kind)]);
  return spliceProperty(packet, fields, field, bytes);
};

const MUTATIONS: readonly Mutation[] = [
  flipBit,
  setByte,
  deleteBytes,
  insertBytes,
  resizeBody,
  changeFlags,
  changeLength,
  changeNumber,
  changeNumber,
  changeText,
  changeText,
  repeatProperty,
  dropProperty,
  reorderProperties,
  addProperty,
  addProperty,
  changePropertyValue,
  changePropertyValue,
];

function anyValue(random: Random, kind: PropertyKind): Buffer {
  switch (kind) {
    case 'byte':
      return Buffer.from([random.pick(INTERESTING_BYTES)]);
    case 'two':
      return u16(random.pick(INTERESTING_TWO));
    case 'four':
      return u32(random.pick(INTERESTING_FOUR));
    case 'variable':
      return lengthOf(random.pick(INTERESTING_VARIABLE));
    case 'pair':
      return Buffer.concat([anyText(random), anyText(random)]);
    default:
      return anyText(random);
  }
}

function anyText(random: Random): Buffer {
  if (random.chance(0.7)) return text(random.pick(['', 'a', 'a/b', 'ü/€', '+', 'long'.repeat(100)]));
  const bad = random.pick(BAD_TEXT);
  return Buffer.concat([u16(bad.length), bad]);
}

function pickField(random: Random, fields: readonly Field[], ...kinds: Field['kind'][]): Field | undefined {
  const candidates = fields.filter(({ kind }) => kinds.includes(kind));
  return candidates.length === 0 ? undefined : random.pick(candidates);
}
