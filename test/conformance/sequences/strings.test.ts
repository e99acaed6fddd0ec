import { frame, section, text, u16 } from '../../robustness/support/packets.js';
import type { TestBroker } from '../../support/test-broker.js';
import { sequence } from '../sequence.js';

type Version = 4 | 5;

/** What a string may not contain (section 1.5.4; RFC 3629 and the Unicode standard, table 3-7). */
const FORBIDDEN = [
  '00', // U+0000
  '80', // a continuation byte by itself
  'bf',
  'c080', // U+0000 in two bytes
  'c1bf', // U+007F in two
  'e08080',
  'e09fbf', // U+07FF in three
  'f0808080',
  'f08fbfbf', // U+FFFF in four
  'eda080', // surrogates, from the first to the last
  'edafbf',
  'edb080',
  'edbfbf',
  'eda080edb080',
  'f4908080', // U+110000
  'f5808080',
  'f888808080',
  'fc8480808080',
  'fe',
  'ff',
  'c3', // cut
  'e282',
  'f09f98',
  'c328', // something else where the character goes on
  'e28228',
];

const ALLOWED = [
  '01',
  '1f',
  '7f',
  'c280',
  'c29f',
  'ed9fbf',
  'ee8080',
  'efb790',
  'efbbbf',
  'efbfbe',
  'efbfbf',
  'f48fbfbf',
];

/** A packet with `value` in a string; which of them is CONNECT says where it stands. */
interface Field {
  readonly name: string;
  readonly packet: (value: Buffer, version: Version) => Buffer;
}

const IN_CONNECT: readonly Field[] = [
  { name: 'client identifier', packet: (value, version) => connect(version, 0x02, bytes(value)) },
  {
    name: 'Will Topic',
    packet: (value, version) => connect(version, 0x06, text('c'), none(version), bytes(value), text('')),
  },
  { name: 'user name', packet: (value, version) => connect(version, 0x82, text('c'), bytes(value)) },
];

const LATER: readonly Field[] = [
  { name: 'Topic Name', packet: (value, version) => frame(0x30, bytes(value), none(version)) },
  { name: 'filter', packet: (value, version) => frame(0x82, u16(1), none(version), bytes(value), Buffer.from([0])) },
  { name: 'filter of UNSUBSCRIBE', packet: (value, version) => frame(0xa2, u16(1), none(version), bytes(value)) },
];

const PROPERTIES: readonly Field[] = [
  { name: 'Content Type', packet: (value) => publish(0x03, bytes(value)) },
  { name: 'Response Topic', packet: (value) => publish(0x08, bytes(value)) },
  { name: 'User Property, name', packet: (value) => publish(0x26, bytes(value), text('')) },
  { name: 'User Property, value', packet: (value) => publish(0x26, text(''), bytes(value)) },
  {
    name: 'Reason String of PUBREL',
    packet: (value) => frame(0x62, u16(9), Buffer.from([0]), property(0x1f, bytes(value))),
  },
  {
    name: 'User Property of SUBSCRIBE',
    packet: (value) => frame(0x82, u16(1), property(0x26, bytes(value), text('')), text('t'), Buffer.from([0])),
  },
  {
    name: 'Reason String of DISCONNECT',
    packet: (value) => frame(0xe0, Buffer.from([0]), property(0x1f, bytes(value))),
  },
];

const CONNECT_PROPERTIES: readonly Field[] = [
  { name: 'User Property', packet: (value) => connectWith(property(0x26, text('n'), bytes(value))) },
  { name: 'Authentication Method', packet: (value) => connectWith(property(0x15, bytes(value))) },
  { name: 'Content Type of the will', packet: (value) => willWith(property(0x03, bytes(value))) },
  { name: 'Response Topic of the will', packet: (value) => willWith(property(0x08, bytes(value))) },
  { name: 'User Property of the will', packet: (value) => willWith(property(0x26, bytes(value), text(''))) },
];

const ILL_FORMED = {
  4: ['MQTT-1.5.3-1-', 'MQTT-1.5.3-2-', 'MQTT-4.8.0-1-'],
  5: ['MQTT-1.5.4-1-', 'MQTT-1.5.4-2-', 'MQTT-4.13.1-1-'],
};
const IN_CONNECT_ILL_FORMED = {
  4: ['MQTT-1.5.3-1-', 'MQTT-1.5.3-2-', 'MQTT-3.1.3-4-', 'MQTT-3.1.3-10-', 'MQTT-3.1.3-11-'],
  5: ['MQTT-1.5.4-1-', 'MQTT-1.5.4-2-', 'MQTT-3.1.3-4-', 'MQTT-3.1.3-11-', 'MQTT-3.1.3-12-'],
};

sequence(
  { versions: [4, 5], shows: IN_CONNECT_ILL_FORMED, title: 'no string of CONNECT may be ill-formed or contain U+0000' },
  async ({ test, version }) => refusesInConnect(test, version, IN_CONNECT),
);

sequence(
  { versions: [4, 5], shows: ILL_FORMED, title: 'no topic or filter may be ill-formed or contain U+0000' },
  async ({ test, version }) => refusesLater(test, version, LATER),
);

sequence(
  {
    versions: [5],
    shows: [...ILL_FORMED[5], 'MQTT-1.5.7-1-'],
    title: 'no property may be ill-formed or contain U+0000',
  },
  async ({ test, version }) => {
    await refusesLater(test, version, PROPERTIES);
    await refusesInConnect(test, version, CONNECT_PROPERTIES);
  },
);

sequence(
  {
    versions: [4, 5],
    shows: {
      4: ['MQTT-1.5.3-1+', 'MQTT-1.5.3-3+', 'MQTT-3.1.3-4+', 'MQTT-3.1.3-10+', 'MQTT-3.1.3-11+'],
      5: ['MQTT-1.5.4-1+', 'MQTT-1.5.4-3+', 'MQTT-3.1.3-4+', 'MQTT-3.1.3-11+', 'MQTT-3.1.3-12+'],
    },
    title: 'control characters, non-characters and the byte order mark may stand in every string',
  },
  async ({ test, version }) => {
    for (const field of IN_CONNECT) {
      for (const hex of ALLOWED) {
        const client = await test.open(version);
        client.sendBytes(field.packet(Buffer.from(hex, 'hex'), version));
        const connack = await client.expectPacket('connack');
        if ((connack.reasonCode ?? connack.returnCode) !== 0) throw new Error(`${field.name} ${hex} was refused`);
        await client.disconnect();
      }
    }
    const client = await test.connect('other', { version });
    for (const hex of ALLOWED) {
      client.sendBytes((LATER[0] as Field).packet(Buffer.from(hex, 'hex'), version));
      await client.expectNothing();
    }
  },
);

async function refusesInConnect(test: TestBroker, version: Version, fields: readonly Field[]): Promise<void> {
  await forEachValue(fields, async (field, value) => {
    const client = await test.open(version);
    client.sendBytes(field.packet(value, version));
    if (version === 5) {
      const { reasonCode } = await client.expectPacket('connack');
      if (reasonCode !== 0x81) throw new Error(`answered with ${reasonCode}`);
    }
    await client.expectClosed();
  });
}

async function refusesLater(test: TestBroker, version: Version, fields: readonly Field[]): Promise<void> {
  await forEachValue(fields, async (field, value) => {
    const client = await test.connect('c', { version });
    client.sendBytes(field.packet(value, version));
    await client.expectDisconnect(0x81);
  });
}

/** By itself, behind a letter, and behind so many that another check is used. */
async function forEachValue(
  fields: readonly Field[],
  check: (field: Field, value: Buffer) => Promise<void>,
): Promise<void> {
  for (const field of fields) {
    for (const hex of FORBIDDEN) {
      for (const before of ['', 'a', 'a'.repeat(100)]) {
        const value = Buffer.concat([Buffer.from(before), Buffer.from(hex, 'hex')]);
        await check(field, value).catch((error) => {
          throw new Error(`${field.name}, ${hex} behind ${before.length} letters`, { cause: error });
        });
      }
    }
  }
}

function bytes(value: Buffer): Buffer {
  return Buffer.concat([u16(value.length), value]);
}

function none(version: Version): Buffer {
  return version === 5 ? section() : Buffer.alloc(0);
}

function property(id: number, ...value: Buffer[]): Buffer {
  return section(Buffer.from([id]), ...value);
}

function publish(id: number, ...value: Buffer[]): Buffer {
  return frame(0x30, text('t'), property(id, ...value));
}

function connect(version: Version, flags: number, ...payload: Buffer[]): Buffer {
  return frame(0x10, text('MQTT'), Buffer.from([version, flags]), u16(0), none(version), ...payload);
}

function connectWith(properties: Buffer): Buffer {
  return frame(0x10, text('MQTT'), Buffer.from([5, 0x02]), u16(0), properties, text('c'));
}

function willWith(properties: Buffer): Buffer {
  return connect(5, 0x06, text('c'), properties, text('w'), text(''));
}
