/** Small cases that were found by reading or fuzzing: each one was, or could have been, a defect. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Broker } from '../../src/broker/broker.js';
import { DelayedStore } from '../support/delayed-store.js';
import {
  acknowledgement,
  connect,
  DISCONNECT,
  PINGREQ,
  publish,
  readPublish,
  subscribe,
  unsubscribe,
} from './support/packets.js';
import { listen, quietBroker } from './support/quiet-broker.js';
import { eventually, RawClient, sleep } from './support/raw-client.js';

let broker: Broker;
let errors: string[];
let port: number;

beforeEach(async () => {
  ({ broker, errors } = quietBroker());
  port = await listen(broker);
});

afterEach(async () => {
  await broker.stop(1000);
  expect(errors).toEqual([]);
});

it('a will cannot be published to $SYS', async () => {
  const reader = await RawClient.connect(port);
  reader.send(subscribe(1, ['$SYS/broker/version']));
  await reader.waitFor(3);
  const client = await RawClient.open(port);
  client.send(connect({ will: { topic: '$SYS/broker/version', payload: 'forged', retain: true } }));
  await client.until(() => client.packets.length > 0);
  client.destroy();
  await sleep(100);
  expect(reader.publishes().map((message) => message.payload)).not.toContain('forged');
});

describe('a session that is resumed with smaller limits', () => {
  async function leaveUnacknowledged(count: number, payload = 'x'): Promise<void> {
    const first = await RawClient.connect(port, { clientId: 'c', sessionExpirySeconds: 100 });
    first.send(subscribe(1, ['t'], 1));
    await first.waitFor(9);
    for (let i = 0; i < count; i++) broker.publish({ topic: 't', payload, qos: 1 });
    await first.until(() => first.publishes().length === count);
    first.destroy();
    await eventually(() => broker.connectionCount === 0);
  }

  it('is resent no more than its new Receive Maximum [MQTT-3.3.4-9]', async () => {
    await leaveUnacknowledged(20);
    const options = { clientId: 'c', cleanStart: false, sessionExpirySeconds: 100, receiveMaximum: 5 };
    const second = await RawClient.connect(port, options);
    await sleep(100);
    expect(second.publishes().length).toBe(5);
    const seen = new Set<number>();
    for (let i = 0; i < 20; i++) {
      await second.until(() => second.publishes().length > i);
      const { packetId } = second.publishes()[i] as { packetId: number };
      seen.add(packetId);
      second.send(acknowledgement(4, packetId));
    }
    expect(seen.size).toBe(20);
  });

  it('is resent nothing above its new Maximum Packet Size [MQTT-3.1.2-24]', async () => {
    await leaveUnacknowledged(3, 'x'.repeat(1000));
    const options = { clientId: 'c', cleanStart: false, sessionExpirySeconds: 100, maximumPacketSize: 200 };
    const second = await RawClient.connect(port, options);
    broker.publish({ topic: 't', payload: 'small', qos: 1 });
    await second.waitFor(3, (packet) => readPublish(packet).payload === 'small');
    expect(second.publishes().length).toBe(1);
    expect(broker.drops.of('packet-too-large')).toBe(3);
  });
});

it.each([
  // Five bytes are those of a CONNACK that says only why: 0x95, Packet too large.
  [8, [{ type: 2, reasonCode: 0x95 }]],
  [4, []],
])(
  'a client that takes packets of %i bytes, and no CONNACK, gets no DISCONNECT before it [MQTT-3.14.0-1]',
  async (maximumPacketSize, expected) => {
    const client = await RawClient.open(port);
    client.send(connect({ maximumPacketSize }));
    await client.closed;
    expect(client.packets.map(({ type, body }) => ({ type, reasonCode: body[1] }))).toEqual(expected);
    expect(broker.sessionCount).toBe(0);
  },
);

it('UNSUBSCRIBE ends what a SUBSCRIBE still has to bring [MQTT-3.10.4-2]', async () => {
  for (let i = 0; i < 20_000; i++) broker.publish({ topic: `r/${i}`, payload: 'x'.repeat(500), retain: true });
  const client = await RawClient.connect(port);
  client.send(subscribe(1, ['r/#']), unsubscribe(2, ['r/#']));
  await client.waitFor(11);
  const sofar = client.packets.length;
  client.send(PINGREQ);
  await client.waitFor(13);
  await sleep(50);
  expect(client.packets.length - sofar).toBeLessThan(2000);
});

describe('a handler within the process', () => {
  it('that publishes what it receives, for ever, leaves clients their turns', async () => {
    let calls = 0;
    const stop = broker.subscribe('loop', () => {
      calls++;
      if (calls < 1_000_000) broker.publish({ topic: 'loop', payload: 'x' });
    });
    const client = await RawClient.connect(port);
    const startedAt = performance.now();
    broker.publish({ topic: 'loop', payload: 'x' });
    client.send(PINGREQ);
    await client.waitFor(13);
    const waitedMs = performance.now() - startedAt;
    stop();
    expect(waitedMs).toBeLessThan(2000);
  });

  it('that is called in a fan of thousands of wills keeps its time', async () => {
    let calls = 0;
    broker.subscribe('fan/#', (message) => {
      calls++;
      if (message.topic === 'fan/start') {
        for (let i = 0; i < 100_000; i++) broker.publish({ topic: `fan/${i % 100}`, payload: 'x' });
      }
    });
    const startedAt = performance.now();
    broker.publish({ topic: 'fan/start', payload: '' });
    await eventually(() => calls === 100_001, 10_000);
    expect(performance.now() - startedAt).toBeLessThan(6000);
  });

  it('of events that throws does not stop the routing for good', async () => {
    const slow = await RawClient.connect(port, { clientId: 'slow' });
    slow.send(subscribe(1, ['t']));
    await slow.waitFor(9);
    slow.stopReading();
    broker.events.on('clientDisconnected', () => {
      throw new Error('a mistake of the embedding program');
    });
    const raised = vi.fn();
    process.on('uncaughtException', raised);
    const payload = Buffer.alloc(500_000);
    const publisher = await RawClient.connect(port, { clientId: 'publisher' });
    for (let i = 0; i < 60; i++) publisher.send(publish({ topic: 't', payload }));
    await eventually(() => broker.metrics.closesOf('slow-consumer') === 1);
    await sleep(50);
    broker.events.removeAllListeners();
    process.off('uncaughtException', raised);
    const received: string[] = [];
    broker.subscribe('after', (message) => received.push(message.topic));
    broker.publish({ topic: 'after', payload: '' });
    expect(received).toEqual(['after']);
    errors.length = 0;
  });
});

describe('Receive Maximum of the broker, with a journal that takes its time', () => {
  it('counts a QoS 2 message whose PUBREC waits once [MQTT-3.3.4-7]', async () => {
    const store = new DelayedStore();
    const other = quietBroker({ receiveMaximum: 10 }, { store });
    const otherPort = await listen(other.broker);
    const client = await RawClient.connect(otherPort, { clientId: 'p', sessionExpirySeconds: 100 });
    for (let i = 1; i <= 10; i++) client.send(publish({ topic: 't', qos: 2, packetId: i }));
    await sleep(50);
    store.journal.settle();
    await client.until(() => client.packets.filter((packet) => packet.type === 5).length === 10);
    client.destroy();
    await other.broker.stop(100);
  });

  it('does not count what waits besides publishes', async () => {
    const store = new DelayedStore();
    const other = quietBroker({ receiveMaximum: 4 }, { store });
    const otherPort = await listen(other.broker);
    const client = await RawClient.connect(otherPort, { clientId: 'p', sessionExpirySeconds: 100 });
    client.send(publish({ topic: 't', qos: 2, packetId: 1 }));
    for (let i = 0; i < 10; i++) client.send(PINGREQ);
    client.send(publish({ topic: 't', qos: 1, packetId: 2 }));
    await sleep(50);
    store.journal.settle();
    await client.waitFor(4);
    client.destroy();
    await other.broker.stop(100);
  });
});

it('QoS 2 identifiers of an earlier connection do not count against Receive Maximum [section 4.9]', async () => {
  const options = { clientId: 'p', cleanStart: false, sessionExpirySeconds: 100 };
  const first = await RawClient.connect(port, options);
  for (let i = 1; i <= 1024; i++) first.send(publish({ topic: 't', qos: 2, packetId: i }));
  await first.until(() => first.packets.filter((packet) => packet.type === 5).length === 1024);
  first.destroy();
  const second = await RawClient.connect(port, options);
  second.send(publish({ topic: 't', qos: 1, packetId: 2000 }));
  await second.waitFor(4);
});

it('a flood of QoS 2 without PUBREL is refused with 0x93', async () => {
  const client = await RawClient.connect(port);
  for (let i = 1; i <= 1100; i++) client.send(publish({ topic: 't', qos: 2, packetId: i }));
  await client.closed;
  expect(client.disconnectReason).toBe(0x93);
});

it('a flood of QoS 2 without PUBREL from MQTT 3.1.1 is bounded by its identifiers', async () => {
  const client = await RawClient.connect(port, { version: 4, clientId: 'old' });
  let received = 0;
  broker.subscribe('t', () => received++);
  client.onPacket = () => {};
  for (let round = 0; round < 3; round++) {
    for (let i = 1; i <= 65_535; i++) {
      await client.sendSlowly(publish({ topic: 't', qos: 2, packetId: i, version: 4, duplicate: round > 0 }));
    }
  }
  await eventually(() => (broker.metrics.packetsReceived[3] ?? 0) === 3 * 65_535, 10_000);
  expect(received).toBe(65_535);
});

it('messages sent before DISCONNECT, FIN or both have been handled', async () => {
  const topics: string[] = [];
  broker.subscribe('last/#', (message) => topics.push(message.topic));
  for (const [name, tail] of [
    ['disconnect', DISCONNECT],
    ['fin', Buffer.alloc(0)],
  ] as const) {
    const client = await RawClient.open(port);
    const many = Array.from({ length: 100 }, (_, n) => publish({ topic: `last/${name}/${n}` }));
    client.socket.end(Buffer.concat([connect(), ...many, tail]));
    await client.closed;
  }
  await eventually(() => topics.length === 200);
});

it('1-byte segments make a whole session', async () => {
  const client = await RawClient.open(port);
  const session = Buffer.concat([
    connect({ clientId: 'bytewise', will: { topic: 'w', payload: 'w' } }),
    subscribe(1, ['a/+'], 2),
    publish({ topic: 'a/b', qos: 1, payload: 'one' }),
    publish({ topic: 'a/b', qos: 2, packetId: 2, payload: 'two' }),
    acknowledgement(6, 2),
    PINGREQ,
  ]);
  for (const byte of session) {
    client.send(Buffer.from([byte]));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await client.waitFor(13);
  expect(client.packets.map((packet) => packet.type)).toEqual(expect.arrayContaining([2, 9, 4, 3, 5, 7, 13]));
});
