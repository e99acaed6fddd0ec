/** The properties of MQTT 5 (table 2-4): their types, their values, and the packets in which each may stand. */
import { type StrictReader, Violation } from './strict-reader.js';

export type PropertyKind = 'byte' | 'two' | 'four' | 'variable' | 'text' | 'binary' | 'pair';

export const PROPERTY_KINDS: ReadonlyMap<number, PropertyKind> = new Map([
  [0x01, 'byte'],
  [0x02, 'four'],
  [0x03, 'text'],
  [0x08, 'text'],
  [0x09, 'binary'],
  [0x0b, 'variable'],
  [0x11, 'four'],
  [0x12, 'text'],
  [0x13, 'two'],
  [0x15, 'text'],
  [0x16, 'binary'],
  [0x17, 'byte'],
  [0x18, 'four'],
  [0x19, 'byte'],
  [0x1a, 'text'],
  [0x1c, 'text'],
  [0x1f, 'text'],
  [0x21, 'two'],
  [0x22, 'two'],
  [0x23, 'two'],
  [0x24, 'byte'],
  [0x25, 'byte'],
  [0x26, 'pair'],
  [0x27, 'four'],
  [0x28, 'byte'],
  [0x29, 'byte'],
  [0x2a, 'byte'],
]);

export const SUBSCRIPTION_IDENTIFIER = 0x0b;
export const USER_PROPERTY = 0x26;

/** By packet type; the two senders of CONNECT's will and of DISCONNECT may say different things. */
export const PROPERTIES_OF = {
  connect: new Set([0x11, 0x15, 0x16, 0x17, 0x19, 0x21, 0x22, 0x26, 0x27]),
  will: new Set([0x01, 0x02, 0x03, 0x08, 0x09, 0x18, 0x26]),
  connack: new Set([
    0x11, 0x12, 0x13, 0x15, 0x16, 0x1a, 0x1c, 0x1f, 0x21, 0x22, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a,
  ]),
  publishFromClient: new Set([0x01, 0x02, 0x03, 0x08, 0x09, 0x23, 0x26]),
  publishFromServer: new Set([0x01, 0x02, 0x03, 0x08, 0x09, 0x0b, 0x23, 0x26]),
  acknowledgement: new Set([0x1f, 0x26]),
  subscribe: new Set([0x0b, 0x26]),
  unsubscribe: new Set([0x26]),
  disconnectFromClient: new Set([0x11, 0x1f, 0x26]),
  disconnectFromServer: new Set([0x1c, 0x1f, 0x26]),
} as const;

const NEVER_ZERO = new Set([0x0b, 0x21, 0x23, 0x27]);

/** The first value of each property. */
export type Properties = ReadonlyMap<number, number | string | Buffer>;

/** Reads a property section with its length. @throws Violation */
export function readProperties(reader: StrictReader, allowed: ReadonlySet<number>): Properties {
  const section = reader.section(reader.variableByteInteger('the property length'), 'the properties');
  const properties = new Map<number, number | string | Buffer>();
  while (!section.isAtEnd) {
    const id = section.byte('a property');
    const kind = PROPERTY_KINDS.get(id);
    if (kind === undefined || !allowed.has(id)) throw new Violation(`property ${id} does not belong here`);
    const value = readValue(section, kind);
    if (kind === 'byte' && (value as number) > 1) throw new Violation(`property ${id} is ${value}`);
    if (NEVER_ZERO.has(id) && value === 0) throw new Violation(`property ${id} is 0`);
    const mayRepeat =
      id === USER_PROPERTY || (id === SUBSCRIPTION_IDENTIFIER && allowed === PROPERTIES_OF.publishFromServer);
    if (properties.has(id) && !mayRepeat) throw new Violation(`property ${id} stands twice`);
    if (!properties.has(id)) properties.set(id, value);
  }
  return properties;
}

function readValue(reader: StrictReader, kind: PropertyKind): number | string | Buffer {
  switch (kind) {
    case 'byte':
      return reader.byte('a property');
    case 'two':
      return reader.twoBytes('a property');
    case 'four':
      return reader.fourBytes('a property');
    case 'variable':
      return reader.variableByteInteger('a property');
    case 'text':
      return reader.text('a property');
    case 'binary':
      return reader.binary('a property');
    case 'pair':
      return `${reader.text('a name')}=${reader.text('a value')}`;
  }
}
