/**
 * Valid sequences of packets, damaged and cut at random, into connections without sockets: whatever comes, the broker
 * answers, refuses or closes. A failure names its seed; MILLRACE_FUZZ_SEED runs that one alone.
 */
import { expect, it } from 'vitest';
import { FakeChannel, ManualClock } from './support/fake-channel.js';
import {
  acknowledgement,
  connect,
  DISCONNECT,
  frame,
  lengthOf,
  PacketReader,
  PINGREQ,
  publish,
  section,
  subscribe,
  text,
  u16,
  u32,
  unsubscribe,
  type Version,
} from './support/packets.js';
import { quietBroker, randomSource } from './support/quiet-broker.js';
import { FUZZ_SEED, IS_LONG } from './support/settings.js';

const CASES = IS_LONG ? 600_000 : 20_000;
const ONLY = FUZZ_SEED;
/** Sessions are kept across that many cases, so that they meet what others left. */
const CASES_PER_BROKER = 500;

const TOPICS = ['a', 'a/b', 'a/b/c', '$SYS/x', '/', 'ü/€', 'a//b', 'x'.repeat(300)];
const FROM_SERVER = new Set([2, 3, 4, 5, 6, 7, 9, 11, 13, 14]);
const FILTERS = ['#', '+', 'a/#', '+/b', 'a/b/c', '$share/g/a/#', '$SYS/#', '/+', 'a//b', '+/+/+/+'];

type Random = () => number;

const pick = <T>(random: Random, values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
const below = (random: Random, limit: number): number => Math.floor(random() * limit);

function anyConnect(random: Random, version: Version, maximumPacketSize = 0xffffffff): Buffer {
  const will = { topic: pick(random, TOPICS), payload: 'gone', qos: below(random, 3), retain: random() < 0.3 };
  return connect({
    version,
    clientId: pick(random, ['', 'one', 'two', 'three', 'four']),
    cleanStart: random() < 0.5,
    keepAliveSeconds: pick(random, [0, 1, 60, 65_535]),
    sessionExpirySeconds: pick(random, [0, 1, 100, 0xffffffff]),
    receiveMaximum: pick(random, [1, 2, 10, 65_535]),
    maximumPacketSize,
    topicAliasMaximum: pick(random, [0, 1, 5, 65_535]),
    ...(random() < 0.4 ? { will } : {}),
    ...(random() < 0.2 ? { username: 'u', password: 'p' } : {}),
  });
}

function anyProperties(random: Random): Buffer {
  const parts: Buffer[] = [];
  if (random() < 0.3) parts.push(Buffer.from([0x01, below(random, 2)]));
  if (random() < 0.3) parts.push(Buffer.from([0x02]), u32(pick(random, [0, 1, 100, 0xffffffff])));
  if (random() < 0.4) parts.push(Buffer.from([0x23]), u16(pick(random, [0, 1, 2, 64, 65, 65_535])));
  if (random() < 0.2) parts.push(Buffer.from([0x08]), text(pick(random, ['answer', 'a/+', ''])));
  if (random() < 0.2) parts.push(Buffer.from([0x09]), text('data'));
  if (random() < 0.3) parts.push(Buffer.from([0x26]), text('name'), text('value'));
  if (random() < 0.05) parts.push(Buffer.from([0x0b, 5]));
  return Buffer.concat(parts);
}

function anyPacket(random: Random, version: Version): Buffer {
  const packetId = pick(random, [1, 2, 3, 4, 5, 100, 65_535]);
  switch (below(random, 12)) {
    case 0:
      return subscribe(
        packetId,
        [pick(random, FILTERS), pick(random, FILTERS)],
        below(random, 3),
        version,
        below(random, 4),
      );
    case 1:
      return unsubscribe(packetId, [pick(random, FILTERS)], version);
    case 2:
      return PINGREQ;
    case 3:
      return random() < 0.3 ? DISCONNECT : frame(0xe0, Buffer.from([4]), section());
    case 4:
      return acknowledgement(pick(random, [4, 5, 6, 7] as const), packetId);
    case 5:
      return acknowledgement(pick(random, [4, 5, 6, 7] as const), packetId, pick(random, [0, 0x10, 0x80, 0x92]));
    case 6:
      return frame(0xf0, Buffer.from([0x18]), section(Buffer.concat([Buffer.from([0x15]), text('m')])));
    case 7:
      return random() < 0.1 ? anyConnect(random, version) : PINGREQ;
    default:
      return publish({
        version,
        topic: random() < 0.2 ? '' : pick(random, TOPICS),
        payload: Buffer.alloc(pick(random, [0, 1, 10, 100, 3000]), 0x61),
        qos: below(random, 3),
        packetId,
        retain: random() < 0.3,
        duplicate: random() < 0.1,
        properties: anyProperties(random),
      });
  }
}

function damage(random: Random, bytes: Buffer): Buffer {
  let result = Buffer.from(bytes);
  const times = pick(random, [0, 0, 1, 1, 2, 5]);
  for (let i = 0; i < times && result.length > 0; i++) {
    const at = below(random, result.length);
    switch (below(random, 5)) {
      case 0:
        result[at] = below(random, 256);
        break;
      case 1:
        result[at] = (result[at] as number) ^ (1 << below(random, 8));
        break;
      case 2:
        result = Buffer.concat([result.subarray(0, at), result.subarray(at + 1 + below(random, 4))]);
        break;
      case 3:
        result = Buffer.concat([result.subarray(0, at), Buffer.from([below(random, 256)]), result.subarray(at)]);
        break;
      default:
        result[at] = pick(random, [0, 0x7f, 0x80, 0xff]);
    }
  }
  return result;
}

/** A channel, and the largest packet that its client takes. */
interface Peer {
  readonly channel: FakeChannel;
  maximumPacketSize: number;
}

/** What the broker has written must be whole packets of a server, none larger than the client takes. */
function checkWritten({ channel, maximumPacketSize }: Peer, seed: number): void {
  const written = Buffer.concat(channel.written);
  const packets = new PacketReader().push(written);
  let total = 0;
  for (const { type, body } of packets) {
    const size = 1 + lengthOf(body.length).length + body.length;
    total += size;
    if (!FROM_SERVER.has(type)) throw new Error(`before seed ${seed}: the broker sent a packet of type ${type}`);
    if (size > maximumPacketSize)
      throw new Error(`before seed ${seed}: type ${type} of ${size} > ${maximumPacketSize}`);
  }
  if (total !== written.length) throw new Error(`before seed ${seed}: the broker sent a part of a packet`);
}

function runCase(random: Random, peers: Peer[]): void {
  const version = pick(random, [3, 4, 5, 5, 5] as const);
  const maximumPacketSize = pick(random, [1, 20, 60, 200, 5_000, 0xffffffff]);
  const packets = [anyConnect(random, version, maximumPacketSize)];
  for (let i = below(random, 15); i > 0; i--) packets.push(anyPacket(random, version));
  const isConnectSafe = random() < 0.8;
  const bytes = isConnectSafe
    ? Buffer.concat([packets[0] as Buffer, damage(random, Buffer.concat(packets.slice(1)))])
    : damage(random, Buffer.concat(packets));
  const peer = peers[peers.length - 1] as Peer;
  const { channel } = peer;
  if (isConnectSafe && version === 5) peer.maximumPacketSize = maximumPacketSize;
  const isBusy = random() < 0.2;
  for (let offset = 0; offset < bytes.length; ) {
    const length = pick(random, [1, 2, 3, 10, 100, 10_000]);
    channel.receive(Buffer.from(bytes.subarray(offset, offset + length)));
    offset += length;
    if (isBusy) channel.mustWait = random() < 0.5;
  }
  channel.drain();
}

async function runBroker(seed: number, cases: number): Promise<void> {
  const clock = new ManualClock();
  const { broker, errors } = quietBroker(
    { queueMaximumMessages: 50, maximumInflight: 20, receiveMaximum: 4, outboundHardLimitBytes: 200_000 },
    { clock },
  );
  const peers: Peer[] = [];
  for (let number = seed; number < seed + cases; number++) {
    const random = randomSource(number);
    const channel = new FakeChannel();
    channel.keeps = true;
    peers.push({ channel, maximumPacketSize: Number.POSITIVE_INFINITY });
    broker.attach(channel);
    try {
      runCase(random, peers);
    } catch (error) {
      throw new Error(`seed ${number}: an exception came out of the broker`, { cause: error });
    }
    if (errors.length > 0 || broker.metrics.closesOf('internal-error') > 0) {
      throw new Error(`seed ${number}: ${errors.join('\n')}`);
    }
    if (random() < 0.3) await new Promise((resolve) => setImmediate(resolve));
    if (random() < 0.3) clock.advance(below(random, 5000));
    if (peers.length > 8) pick(random, peers).channel.lose(pick(random, ['ended', 'error'] as const));
    while (peers.length > 12) {
      const peer = peers.shift() as Peer;
      peer.channel.lose();
      checkWritten(peer, number);
    }
  }
  for (const { channel } of peers) channel.lose();
  await new Promise((resolve) => setImmediate(resolve));
  clock.advance(10 * 60_000);
  expect(broker.connectionCount, `seed ${seed}`).toBe(0);
  await broker.stop(0);
}

it('damaged sequences of packets end in answers and orderly closes', { timeout: 1_200_000 }, async () => {
  if (ONLY !== undefined) {
    const first = Number(ONLY);
    await runBroker(first, 1);
    return;
  }
  const before = process.memoryUsage().rss;
  for (let seed = 1; seed <= CASES; seed += CASES_PER_BROKER) await runBroker(seed, CASES_PER_BROKER);
  expect((process.memoryUsage().rss - before) / 1024 / 1024).toBeLessThan(400);
});
