/** Every packet type in every version, cut off at every byte: followed by a close, or by silence. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Broker } from '../../src/broker/broker.js';
import { FakeChannel, ManualClock } from './support/fake-channel.js';
import {
  acknowledgement,
  connect,
  frame,
  PINGREQ,
  publish,
  section,
  subscribe,
  text,
  u32,
  unsubscribe,
  type Version,
} from './support/packets.js';
import { quietBroker } from './support/quiet-broker.js';

let broker: Broker;
let errors: string[];
let clock: ManualClock;

beforeEach(() => {
  clock = new ManualClock();
  ({ broker, errors } = quietBroker({ connectTimeoutMs: 5_000, sysIntervalSeconds: 0 }, { clock }));
});

afterEach(async () => {
  expect(errors).toEqual([]);
  expect(broker.metrics.closesOf('internal-error')).toBe(0);
  expect(broker.connectionCount).toBe(0);
  await broker.stop(0);
});

const will = { topic: 'will/topic', payload: 'gone', qos: 1, retain: true, delaySeconds: 1 };

function connectOf(version: Version): Buffer {
  const options = { clientId: 'cut', keepAliveSeconds: 10, username: 'name', password: 'word', will };
  return connect({ version, ...options, sessionExpirySeconds: 10, receiveMaximum: 5, maximumPacketSize: 1000 });
}

function packetsOf(version: Version): Buffer[] {
  const properties = Buffer.concat([
    Buffer.from([1, 1, 2]),
    u32(60),
    Buffer.from([0x23, 0, 1, 8]),
    text('answer'),
    Buffer.from([0x26]),
    text('k'),
    text('v'),
  ]);
  const packets = [
    connectOf(version),
    publish({ version, topic: 'a/b', payload: 'x'.repeat(200), qos: 0, properties }),
    publish({ version, topic: 'a/b', payload: 'x', qos: 1, properties }),
    publish({ version, topic: 'a/b', payload: 'x', qos: 2, retain: true, properties }),
    ...([4, 5, 6, 7] as const).map((type) => acknowledgement(type, 9, version === 5 ? 0 : undefined)),
    subscribe(5, ['a/+', 'b/#'], 2, version, version === 5 ? 300 : 0),
    unsubscribe(6, ['a/+', 'b/#'], version),
    PINGREQ,
    Buffer.from([0xe0, 0]),
  ];
  if (version === 5) {
    packets.push(frame(0xe0, Buffer.from([4]), section(Buffer.concat([Buffer.from([0x1f]), text('why')]))));
    packets.push(frame(0xf0, Buffer.from([0x18]), section(Buffer.concat([Buffer.from([0x15]), text('m')]))));
  }
  return packets;
}

function* truncations(): Generator<{ version: Version; packet: Buffer; isFirst: boolean }> {
  for (const version of [3, 4, 5] as const) {
    for (const packet of packetsOf(version)) {
      for (let length = 0; length < packet.length; length++) {
        const cut = packet.subarray(0, length);
        yield { version, packet: cut, isFirst: true };
        yield { version, packet: cut, isFirst: false };
      }
    }
  }
}

function send({ version, packet, isFirst }: { version: Version; packet: Buffer; isFirst: boolean }): FakeChannel {
  const channel = new FakeChannel();
  broker.attach(channel);
  if (!isFirst) channel.receive(connectOf(version));
  if (packet.length > 0) channel.receive(Buffer.from(packet));
  return channel;
}

it('followed by a close ends in a close', () => {
  let count = 0;
  for (const cut of truncations()) {
    send(cut).lose(count++ % 2 === 0 ? 'ended' : 'error');
    expect(broker.connectionCount).toBe(0);
  }
  expect(count).toBeGreaterThan(1000);
});

it('followed by silence ends with the connect timeout or the keep alive', async () => {
  for (const cut of truncations()) {
    // The clock was turned: what remains of this turn of the event loop is not for new clients.
    await nextTurn();
    const channel = send(cut);
    clock.advance(cut.isFirst ? 4_900 : 14_900);
    const limitMs = 300;
    clock.advance(limitMs);
    expect(channel.isEnded, `${cut.isFirst} ${cut.version} ${cut.packet.toString('hex')}`).toBe(true);
  }
  // Cut packets of other types end a new connection at once.
  expect(broker.metrics.closesOf('connect-timeout')).toBeGreaterThan(150);
  expect(broker.metrics.closesOf('keep-alive-timeout')).toBeGreaterThan(500);
});

it('followed by a slow rest is a whole packet', async () => {
  for (const version of [3, 4, 5] as const) {
    for (const packet of packetsOf(version).slice(1, 4)) {
      await nextTurn();
      const channel = send({ version, packet: packet.subarray(0, 1), isFirst: false });
      for (let i = 1; i < packet.length; i++) {
        clock.advance(100);
        channel.receive(Buffer.from(packet.subarray(i, i + 1)));
      }
      expect(channel.isEnded).toBe(false);
      channel.lose();
    }
  }
  expect(broker.metrics.packetsReceived[3]).toBe(9);
});
