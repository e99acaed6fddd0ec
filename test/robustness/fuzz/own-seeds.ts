/** Sequences of every packet type, in every version, all of them in order: the first seeds. */
import {
  acknowledgement,
  connect,
  DISCONNECT,
  frame,
  lengthOf,
  PINGREQ,
  publish,
  section,
  subscribe,
  text,
  u16,
  u32,
  unsubscribe,
  type Version,
} from '../support/packets.js';
import type { Seed, SeedSource } from './seed-source.js';

const WILL = { topic: 'a/will', payload: 'gone', qos: 1, retain: true };

export class OwnSeeds implements SeedSource {
  seeds(): readonly Seed[] {
    return [...([3, 4, 5] as const).flatMap(ofEveryVersion), ...ofVersion5()];
  }
}

function seed(name: string, ...packets: Buffer[]): Seed {
  return { name, packets, isValid: true };
}

function ofEveryVersion(version: Version): Seed[] {
  const begin = connect({ version, clientId: 'c' });
  const message = { version, topic: 'a/b', payload: 'x' } as const;
  return [
    seed(`${version} ping`, begin, PINGREQ, PINGREQ),
    seed(`${version} leave`, begin, DISCONNECT),
    seed(`${version} subscribe`, begin, subscribe(1, ['a/#', '+/b', '$SYS/#'], 2, version), PINGREQ),
    seed(`${version} unsubscribe`, begin, subscribe(1, ['a/b'], 1, version), unsubscribe(2, ['a/b', 'c'], version)),
    seed(
      `${version} QoS 0`,
      begin,
      subscribe(1, ['#'], 0, version),
      publish(message),
      publish({ ...message, retain: true }),
    ),
    seed(
      `${version} QoS 1`,
      begin,
      subscribe(1, ['a/+'], 1, version),
      publish({ ...message, qos: 1, packetId: 7 }),
      publish({ ...message, qos: 1, packetId: 8, retain: true }),
    ),
    seed(
      `${version} QoS 2`,
      begin,
      subscribe(1, ['a/b'], 2, version),
      publish({ ...message, qos: 2, packetId: 7 }),
      publish({ ...message, qos: 2, packetId: 7, duplicate: true }),
      acknowledgement(6, 7),
      publish({ ...message, qos: 2, packetId: 7 }),
    ),
    seed(
      `${version} kept`,
      connect({ version, clientId: 'k', cleanStart: false, sessionExpirySeconds: 100 }),
      subscribe(1, ['a/#', 'c'], 2, version),
      publish({ ...message, qos: 2, packetId: 3 }),
    ),
    seed(`${version} come back`, connect({ version, clientId: 'k', cleanStart: false, sessionExpirySeconds: 100 })),
    seed(`${version} no identifier`, connect({ version }), PINGREQ),
    seed(
      `${version} will`,
      connect({ version, clientId: 'w', will: WILL, username: 'u', password: 'p', keepAliveSeconds: 60 }),
      subscribe(9, ['a/will'], 1, version),
    ),
    seed(
      `${version} stray acknowledgements`,
      begin,
      acknowledgement(4, 1),
      acknowledgement(5, 2),
      acknowledgement(6, 3),
      acknowledgement(7, 4),
    ),
    seed(
      `${version} payloads`,
      begin,
      subscribe(1, ['big'], 1, version),
      ...[0, 127, 128, 16_384, 100_000].map((length) =>
        publish({ ...message, topic: 'big', payload: Buffer.alloc(length, 0x61), qos: 1, packetId: 20 }),
      ),
    ),
    seed(
      `${version} many filters`,
      begin,
      subscribe(
        1,
        Array.from({ length: 60 }, (_, i) => `f/${i}`),
        1,
        version,
      ),
    ),
    seed(`${version} shared`, begin, subscribe(1, ['$share/g/a/#'], 1, version), publish({ ...message, qos: 1 })),
    ...(version === 3
      ? [seed('3 repeated PUBREL', begin, publish({ ...message, qos: 2, packetId: 4 }), frame(0x6a, u16(4)))]
      : []),
  ];
}

const B = (...values: number[]): Buffer => Buffer.from(values);

const PUBLISH_PROPERTIES = Buffer.concat([
  B(0x01, 1),
  B(0x02),
  u32(60),
  B(0x03),
  text('text/plain'),
  B(0x08),
  text('answer/here'),
  B(0x09),
  text('correlation'),
  B(0x26),
  text('name'),
  text('value'),
  B(0x26),
  text('name'),
  text('again'),
]);

function ofVersion5(): Seed[] {
  const begin = connect({ clientId: 'c' });
  const alias = (value: number) => Buffer.concat([B(0x23), u16(value)]);
  const reason = section(Buffer.concat([B(0x1f), text('because'), B(0x26), text('n'), text('v')]));
  return [
    seed(
      '5 properties of CONNECT',
      connectWith(
        Buffer.concat([
          B(0x11),
          u32(30),
          B(0x21),
          u16(1),
          B(0x27),
          u32(4000),
          B(0x22),
          u16(3),
          B(0x19, 1),
          B(0x17, 0),
          B(0x26),
          text('n'),
          text('v'),
        ]),
      ),
      subscribe(1, ['a/#'], 2, 5, 5),
      ...[1, 2, 3, 4].map((id) => publish({ topic: `a/${id}`, qos: 2, packetId: id, properties: PUBLISH_PROPERTIES })),
    ),
    seed('5 properties of the will', connectWithWill(), PINGREQ),
    seed(
      '5 properties of PUBLISH',
      begin,
      subscribe(1, ['#'], 1, 5, 268_435_455),
      publish({ topic: 'a/b', qos: 1, properties: PUBLISH_PROPERTIES, retain: true }),
    ),
    seed(
      '5 aliases',
      connect({ clientId: 'c', topicAliasMaximum: 2 }),
      subscribe(1, ['a/#'], 0, 5),
      publish({ topic: 'a/1', properties: alias(1) }),
      publish({ topic: '', properties: alias(1) }),
      publish({ topic: 'a/2', properties: alias(1), qos: 1 }),
      publish({ topic: '', properties: Buffer.concat([PUBLISH_PROPERTIES, alias(1)]), qos: 2, packetId: 2 }),
      publish({ topic: 'a/3', properties: alias(64) }),
    ),
    seed(
      '5 small packets only',
      connect({ clientId: 's', maximumPacketSize: 60, receiveMaximum: 1 }),
      subscribe(1, ['a/#', '$SYS/#'], 1),
      publish({ topic: 'a/b', payload: 'x'.repeat(100), qos: 1 }),
      publish({ topic: 'a/b', payload: 'x', qos: 1, packetId: 2 }),
    ),
    seed(
      '5 subscription options',
      begin,
      publish({ topic: 'a/b', payload: 'kept', retain: true, qos: 1 }),
      frame(
        0x82,
        u16(2),
        section(B(0x0b), lengthOf(200)),
        text('a/b'),
        B(0x2e),
        text('a/#'),
        B(0x19),
        text('+'),
        B(0x04),
      ),
      publish({ topic: 'a/b', payload: '', retain: true }),
    ),
    seed(
      '5 overlapping',
      begin,
      subscribe(1, ['a/#'], 1, 5, 1),
      subscribe(2, ['+/b'], 2, 5, 2),
      publish({ topic: 'a/b', qos: 2 }),
    ),
    seed(
      '5 explained acknowledgements',
      begin,
      frame(0x40, u16(1), B(0x10), reason),
      frame(0x50, u16(1), B(0x80), reason),
      frame(0x62, u16(1), B(0x92), reason),
      frame(0x70, u16(1), B(0x92), section()),
    ),
    seed(
      '5 explained DISCONNECT',
      connect({ clientId: 'k', sessionExpirySeconds: 9 }),
      frame(0xe0, B(0x04), section(Buffer.concat([B(0x11), u32(0), B(0x1f), text('bye')]))),
    ),
    seed('5 authentication method', connectWith(Buffer.concat([B(0x15), text('m'), B(0x16), text('data')]))),
    {
      name: '5 AUTH',
      packets: [begin, frame(0xf0, B(0x18), section(Buffer.concat([B(0x15), text('m'), B(0x16), text('d')])))],
      isValid: false,
    },
    seed(
      '5 to $SYS',
      begin,
      publish({ topic: '$SYS/broker/x', qos: 1 }),
      publish({ topic: '$SYS/x', qos: 2, packetId: 2 }),
    ),
  ];
}

function connectWith(properties: Buffer): Buffer {
  return frame(0x10, text('MQTT'), B(5, 2, 0, 60), section(properties), text('c'));
}

function connectWithWill(): Buffer {
  const properties = Buffer.concat([B(0x18), u32(1), PUBLISH_PROPERTIES]);
  return frame(
    0x10,
    text('MQTT'),
    B(5, 0x2e, 0, 60),
    section(),
    text('c'),
    section(properties),
    text('a/will'),
    text('x'),
  );
}
