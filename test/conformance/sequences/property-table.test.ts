import { frame, section, text, u16, u32 } from '../../robustness/support/packets.js';
import type { TestBroker } from '../../support/test-broker.js';
import { sequence } from '../sequence.js';

/** Every property of section 2.2.2.2, with a value that is right for it. */
const PROPERTIES: ReadonlyMap<number, Buffer> = new Map([
  [0x01, Buffer.from([1])],
  [0x02, u32(60)],
  [0x03, text('text/plain')],
  [0x08, text('answer')],
  [0x09, text('data')],
  [0x0b, Buffer.from([1])],
  [0x11, u32(60)],
  [0x12, text('id')],
  [0x13, u16(60)],
  [0x15, text('method')],
  [0x16, text('data')],
  [0x17, Buffer.from([1])],
  [0x18, u32(60)],
  [0x19, Buffer.from([1])],
  [0x1a, text('info')],
  [0x1c, text('server')],
  [0x1f, text('reason')],
  [0x21, u16(10)],
  [0x22, u16(10)],
  [0x23, u16(1)],
  [0x24, Buffer.from([1])],
  [0x25, Buffer.from([1])],
  [0x26, Buffer.concat([text('n'), text('v')])],
  [0x27, u32(1000)],
  [0x28, Buffer.from([1])],
  [0x29, Buffer.from([1])],
  [0x2a, Buffer.from([1])],
]);
/** No properties at all; the last needs two bytes for its identifier. */
const UNKNOWN = [0x00, 0x04, 0x0a, 0x10, 0x14, 0x1b, 0x20, 0x2b, 0x7f, 0xff];

const USER_PROPERTY = 0x26;

/** Where properties may stand in what a client sends, and which. */
interface Place {
  readonly name: string;
  readonly allowed: readonly number[];
  /** Understood, but not a client's to send: 0x82. */
  readonly violations?: readonly number[];
  readonly isConnect?: boolean;
  readonly packet: (properties: Buffer) => Buffer;
}

const ACKNOWLEDGEMENT = [0x1f, USER_PROPERTY];

const PLACES: readonly Place[] = [
  {
    name: 'CONNECT',
    allowed: [0x11, 0x15, 0x16, 0x17, 0x19, 0x21, 0x22, USER_PROPERTY, 0x27],
    isConnect: true,
    packet: (properties) => frame(0x10, text('MQTT'), Buffer.from([5, 2]), u16(0), properties, text('c')),
  },
  {
    name: 'the will',
    allowed: [0x01, 0x02, 0x03, 0x08, 0x09, 0x18, USER_PROPERTY],
    isConnect: true,
    packet: (properties) =>
      frame(0x10, text('MQTT'), Buffer.from([5, 6]), u16(0), section(), text('c'), properties, text('w'), text('')),
  },
  {
    name: 'PUBLISH',
    allowed: [0x01, 0x02, 0x03, 0x08, 0x09, 0x23, USER_PROPERTY],
    violations: [0x0b],
    packet: (properties) => frame(0x30, text('t'), properties),
  },
  {
    name: 'SUBSCRIBE',
    allowed: [0x0b, USER_PROPERTY],
    packet: (properties) => frame(0x82, u16(1), properties, text('t'), Buffer.from([0])),
  },
  { name: 'UNSUBSCRIBE', allowed: [USER_PROPERTY], packet: (properties) => frame(0xa2, u16(1), properties, text('t')) },
  { name: 'PUBACK', allowed: ACKNOWLEDGEMENT, packet: (properties) => acknowledgement(0x40, properties) },
  { name: 'PUBREC', allowed: ACKNOWLEDGEMENT, packet: (properties) => acknowledgement(0x50, properties) },
  { name: 'PUBREL', allowed: ACKNOWLEDGEMENT, packet: (properties) => acknowledgement(0x62, properties) },
  { name: 'PUBCOMP', allowed: ACKNOWLEDGEMENT, packet: (properties) => acknowledgement(0x70, properties) },
  {
    name: 'DISCONNECT',
    allowed: [0x11, 0x1f, USER_PROPERTY],
    violations: [0x1c],
    packet: (properties) => frame(0xe0, Buffer.from([0]), properties),
  },
  // A client that names no method may send no AUTH at all: 0x82, when the packet is well-formed.
  {
    name: 'AUTH',
    allowed: [],
    violations: [0x15, 0x16, 0x1f, USER_PROPERTY],
    packet: (properties) => frame(0xf0, Buffer.from([0x18]), properties),
  },
];

for (const place of PLACES) {
  const closes = place.isConnect === true ? ['MQTT-3.1.4-1-', 'MQTT-4.13.1-1-'] : ['MQTT-4.13.1-1-'];

  sequence(
    { versions: [5], shows: closes, title: `no property that belongs elsewhere is taken in ${place.name} (2.2.2.2)` },
    async ({ test }) => {
      const known = [...place.allowed, ...(place.violations ?? [])];
      const foreign = [...PROPERTIES.keys()].filter((id) => !known.includes(id));
      for (const id of foreign) await expectRefusal(test, place, property(id), 0x81, id);
      for (const id of place.violations ?? []) await expectRefusal(test, place, property(id), 0x82, id);
      for (const id of UNKNOWN) await expectRefusal(test, place, Buffer.from([id, 0x01]), 0x81, id);
    },
  );

  sequence(
    { versions: [5], shows: closes, title: `no property but the User Property stands twice in ${place.name}` },
    async ({ test }) => {
      const single = [...place.allowed, ...(place.violations ?? [])].filter((id) => id !== USER_PROPERTY);
      for (const id of single) {
        const apart = Buffer.concat([property(id), property(USER_PROPERTY), property(id)]);
        await expectRefusal(test, place, apart, 0x82, id);
      }
    },
  );

  sequence(
    {
      versions: [5],
      shows: closes,
      title: `a property cut by the end of the properties of ${place.name} is malformed`,
    },
    async ({ test }) => {
      for (const id of [...place.allowed, ...(place.violations ?? [])]) {
        const whole = property(id);
        // A Subscription Identifier of one byte, or a byte, leaves its identifier alone.
        for (let length = 1; length < whole.length; length++) {
          await expectRefusal(test, place, whole.subarray(0, length), 0x81, id);
        }
      }
    },
  );
}

function property(id: number): Buffer {
  return Buffer.concat([Buffer.from([id]), PROPERTIES.get(id) ?? Buffer.alloc(0)]);
}

function acknowledgement(first: number, properties: Buffer): Buffer {
  return frame(first, u16(1), Buffer.from([0]), properties);
}

async function expectRefusal(
  test: TestBroker,
  place: Place,
  properties: Buffer,
  reasonCode: number,
  id: number,
): Promise<void> {
  const client = await (place.isConnect === true ? test.open(5) : test.connect('c'));
  client.sendBytes(place.packet(section(properties)));
  const packet = await client.expectPacket(place.isConnect === true ? 'connack' : 'disconnect');
  const told = `property 0x${id.toString(16)} (${properties.toString('hex')}) was answered with ${packet.reasonCode}`;
  if (packet.reasonCode !== reasonCode) throw new Error(told);
  await client.expectClosed();
}
