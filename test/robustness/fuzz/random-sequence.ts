/** Sequences made at random: every packet in order by itself, their order and their values as they come. */
import {
  acknowledgement,
  connect,
  DISCONNECT,
  frame,
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
import type { Random } from '../support/random-source.js';

const TOPICS = ['a', 'a/b', 'a/b/c', '$SYS/x', '/', 'ü/€', 'a//b', 'x'.repeat(300)];
const FILTERS = ['#', '+', 'a/#', '+/b', 'a/b/c', '$share/g/a/#', '$SYS/#', '/+', 'a//b', '+/+/+/+'];

export function anySequence(random: Random): Buffer[] {
  const version = random.pick([3, 4, 5, 5, 5] as const);
  const packets = [anyConnect(random, version)];
  for (let i = random.below(15); i > 0; i--) packets.push(anyPacket(random, version));
  return packets;
}

function anyConnect(random: Random, version: Version): Buffer {
  const will = { topic: random.pick(TOPICS), payload: 'gone', qos: random.below(3), retain: random.chance(0.3) };
  return connect({
    version,
    clientId: random.pick(['', 'one', 'two', 'three', 'four']),
    cleanStart: random.chance(0.5),
    keepAliveSeconds: random.pick([0, 60, 65_535]),
    sessionExpirySeconds: random.pick([0, 1, 100, 0xffffffff]),
    receiveMaximum: random.pick([1, 2, 10, 65_535]),
    maximumPacketSize: random.chance(0.7) ? 0xffffffff : random.pick([1, 20, 60, 200, 5_000]),
    topicAliasMaximum: random.pick([0, 1, 5, 65_535]),
    ...(random.chance(0.4) ? { will } : {}),
    ...(random.chance(0.2) ? { username: 'u', password: 'p' } : {}),
  });
}

function anyProperties(random: Random): Buffer {
  const parts: Buffer[] = [];
  if (random.chance(0.3)) parts.push(Buffer.from([0x01, random.below(2)]));
  if (random.chance(0.3)) parts.push(Buffer.from([0x02]), u32(random.pick([0, 1, 100, 0xffffffff])));
  if (random.chance(0.4)) parts.push(Buffer.from([0x23]), u16(random.pick([0, 1, 2, 64, 65, 65_535])));
  if (random.chance(0.2)) parts.push(Buffer.from([0x08]), text(random.pick(['answer', 'a/+', ''])));
  if (random.chance(0.2)) parts.push(Buffer.from([0x09]), text('data'));
  if (random.chance(0.3)) parts.push(Buffer.from([0x26]), text('name'), text('value'));
  if (random.chance(0.05)) parts.push(Buffer.from([0x0b, 5]));
  return Buffer.concat(parts);
}

function anyPacket(random: Random, version: Version): Buffer {
  const packetId = random.pick([1, 2, 3, 4, 5, 100, 65_535]);
  switch (random.below(12)) {
    case 0:
      return subscribe(
        packetId,
        [random.pick(FILTERS), random.pick(FILTERS)],
        random.below(3),
        version,
        random.below(4),
      );
    case 1:
      return unsubscribe(packetId, [random.pick(FILTERS)], version);
    case 2:
      return PINGREQ;
    case 3:
      return random.chance(0.3) ? DISCONNECT : frame(0xe0, Buffer.from([4]), section());
    case 4:
      return acknowledgement(random.pick([4, 5, 6, 7] as const), packetId);
    case 5:
      return acknowledgement(random.pick([4, 5, 6, 7] as const), packetId, random.pick([0, 0x10, 0x80, 0x92]));
    case 6:
      return frame(0xf0, Buffer.from([0x18]), section(Buffer.concat([Buffer.from([0x15]), text('m')])));
    case 7:
      return random.chance(0.1) ? anyConnect(random, version) : PINGREQ;
    default:
      return publish({
        version,
        topic: random.chance(0.2) ? '' : random.pick(TOPICS),
        payload: Buffer.alloc(random.pick([0, 1, 10, 100, 3000]), 0x61),
        qos: random.below(3),
        packetId,
        retain: random.chance(0.3),
        duplicate: random.chance(0.1),
        properties: anyProperties(random),
      });
  }
}
