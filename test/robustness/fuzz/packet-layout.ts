/**
 * Where the fields of a client's packet lie, so that mutations can aim at them. Made for packets in order; of a damaged
 * one it gives the fields up to the damage.
 */
import type { Version } from '../support/packets.js';
import { readHeader } from './frames.js';
import { PROPERTY_KINDS } from './property-table.js';
import { StrictReader, Violation } from './strict-reader.js';

export type FieldKind = 'length' | 'property-length' | 'property' | 'text' | 'binary' | 'client-id' | 'number' | 'byte';

/** `start` of strings and binary data is at their length prefix. */
export interface Field {
  readonly kind: FieldKind;
  readonly start: number;
  readonly end: number;
}

export function layoutOf(packet: Buffer, version: Version): Field[] {
  const header = readHeader(packet);
  if (typeof header !== 'object') return [];
  const reader = new LayoutReader(packet, header.bodyStart);
  try {
    readBody(reader, (packet[0] as number) >> 4, version, packet[0] as number);
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
  }
  return reader.fields;
}

/** The version that a packet speaks if it is a CONNECT, else `otherwise`. */
export function versionOf(packet: Buffer, otherwise: Version): Version {
  const header = readHeader(packet);
  if (packet[0] !== 0x10 || typeof header !== 'object') return otherwise;
  const level = packet[header.bodyStart + 2 + (packet[header.bodyStart + 1] ?? 0)];
  return level === 3 || level === 4 || level === 5 ? level : otherwise;
}

class LayoutReader extends StrictReader {
  readonly fields: Field[];

  constructor(packet: Buffer, bodyStart: number) {
    super(packet);
    this.offset = bodyStart;
    this.fields = [{ kind: 'length', start: 1, end: bodyStart }];
  }

  field(kind: FieldKind, read: () => unknown): void {
    const start = this.offset;
    read();
    this.fields.push({ kind, start, end: this.offset });
  }

  string(): void {
    this.field('text', () => this.binary('text'));
  }

  number(): void {
    this.field('number', () => this.twoBytes('a number'));
  }

  properties(version: Version): void {
    if (version !== 5 || this.isAtEnd) return;
    let length = 0;
    this.field('property-length', () => {
      length = this.variableByteInteger('the property length');
    });
    const end = this.offset + length;
    while (this.offset < end) this.field('property', () => this.#skipProperty());
  }

  #skipProperty(): void {
    switch (PROPERTY_KINDS.get(this.byte('a property'))) {
      case 'byte':
        this.byte('a value');
        break;
      case 'two':
        this.twoBytes('a value');
        break;
      case 'four':
        this.fourBytes('a value');
        break;
      case 'variable':
        this.variableByteInteger('a value');
        break;
      case 'pair':
        this.binary('a name');
        this.binary('a value');
        break;
      case undefined:
        throw new Violation('an unknown property');
      default:
        this.binary('a value');
    }
  }
}

function readBody(reader: LayoutReader, type: number, version: Version, first: number): void {
  switch (type) {
    case 1:
      readConnect(reader, version);
      break;
    case 3:
      reader.string();
      if ((first & 6) !== 0) reader.number();
      reader.properties(version);
      break;
    case 8:
    case 10:
      reader.number();
      reader.properties(version);
      while (!reader.isAtEnd) {
        reader.string();
        if (type === 8) reader.field('byte', () => reader.byte('the options'));
      }
      break;
    case 4:
    case 5:
    case 6:
    case 7:
      reader.number();
      readReason(reader, version);
      break;
    default:
      readReason(reader, version);
  }
}

function readReason(reader: LayoutReader, version: Version): void {
  if (reader.isAtEnd) return;
  reader.field('byte', () => reader.byte('the reason code'));
  reader.properties(version);
}

function readConnect(reader: LayoutReader, version: Version): void {
  reader.string();
  reader.field('byte', () => reader.byte('the level'));
  let flags = 0;
  reader.field('byte', () => {
    flags = reader.byte('the flags');
  });
  reader.number();
  reader.properties(version);
  reader.field('client-id', () => reader.binary('the client identifier'));
  if ((flags & 4) !== 0) {
    reader.properties(version);
    reader.string();
    reader.field('binary', () => reader.binary('the will'));
  }
  if ((flags & 0x80) !== 0) reader.string();
  if ((flags & 0x40) !== 0) reader.field('binary', () => reader.binary('the password'));
}
