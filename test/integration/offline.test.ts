import { describe, expect, it } from 'vitest';
import { publishPacket } from '../support/publish-packet.js';
import type { RawClient } from '../support/raw-client.js';
import { persistent, TestBroker } from '../support/test-broker.js';

const VERSIONS = [4, 5] as const;

/** A session that is subscribed and away, and a publisher. */
async function away(test: TestBroker, version: 4 | 5, filter = 't', qos: 0 | 1 | 2 = 1): Promise<RawClient> {
  const subscriber = await test.connect('s', persistent(version));
  await subscriber.subscribe(filter, qos);
  await subscriber.disconnect();
  await test.gone('s');
  return test.connect('p', { version });
}

async function publish(publisher: RawClient, payloads: readonly (string | Buffer)[], qos: 1 | 2 = 1): Promise<void> {
  for (const payload of payloads) {
    publisher.send(publishPacket('t', payload, { qos, messageId: publisher.nextPacketId() }));
    await publisher.expectPacket(qos === 1 ? 'puback' : 'pubrec');
  }
}

function numbers(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, i) => String(from + i));
}

describe.each(VERSIONS)('while a client is away, MQTT %i', (version) => {
  it.each([1, 2] as const)('QoS %i waits for it, in order', async (qos) => {
    const test = await TestBroker.start();
    const publisher = await away(test, version, 't', qos);
    await publish(publisher, numbers(1, 50), qos);
    const back = await test.connect('s', persistent(version));
    const packets = await back.expectPackets('publish', 50);
    expect(packets.map((packet) => packet.payload.toString())).toEqual(numbers(1, 50));
    expect(packets.every((packet) => packet.qos === qos && !packet.dup && !packet.retain)).toBe(true);
  });

  it('QoS 0 does not wait, and is counted', async () => {
    const test = await TestBroker.start();
    const publisher = await away(test, version);
    publisher.send(publishPacket('t', 'x'));
    await publisher.barrier();
    expect(test.broker.drops.of('offline-qos0')).toBe(1);
    const back = await test.connect('s', persistent(version));
    await back.expectNothing();
  });

  it('more waits than there are packet identifiers', async () => {
    const test = await TestBroker.start();
    const publisher = await away(test, version);
    const total = 70_000;
    for (let sent = 0; sent < total; sent += 1000) {
      publisher.sendTogether(
        Array.from({ length: 1000 }, (_, i) => publishPacket('t', String(sent + i), { qos: 1, messageId: i + 1 })),
      );
      await publisher.expectPackets('puback', 1000);
    }
    const back = await test.open(version);
    back.acknowledgesByItself = true;
    await back.connect({ clientId: 's', ...persistent(version) });
    for (let i = 0; i < total; i++) {
      const packet = await back.expectPacket('publish');
      if (packet.payload.toString() !== String(i)) expect(packet.payload.toString()).toBe(String(i));
    }
    expect(test.broker.drops.total).toBe(0);
  });

  it('the newest is dropped when the queue is full', async () => {
    const test = await TestBroker.start({ limits: { queueMaximumMessages: 3 } });
    const publisher = await away(test, version);
    await publish(publisher, numbers(1, 5));
    const back = await test.connect('s', persistent(version));
    const packets = await back.expectPackets('publish', 3);
    expect(packets.map((packet) => packet.payload.toString())).toEqual(['1', '2', '3']);
    await back.expectNothing();
    expect(test.broker.drops.of('queue-full')).toBe(2);
  });

  it('the oldest is dropped instead, if so configured', async () => {
    const test = await TestBroker.start({ limits: { queueMaximumMessages: 3, queueOverflow: 'drop-oldest' } });
    const publisher = await away(test, version);
    await publish(publisher, numbers(1, 5));
    const back = await test.connect('s', persistent(version));
    const packets = await back.expectPackets('publish', 3);
    expect(packets.map((packet) => packet.payload.toString())).toEqual(['3', '4', '5']);
    await back.expectNothing();
    expect(test.broker.drops.of('queue-full')).toBe(2);
  });

  it('the queue is bounded in bytes too', async () => {
    const test = await TestBroker.start({ limits: { queueMaximumBytes: 1000 } });
    const publisher = await away(test, version);
    await publish(publisher, [Buffer.alloc(400), Buffer.alloc(400), Buffer.alloc(400), Buffer.alloc(100)]);
    const back = await test.connect('s', persistent(version));
    const packets = await back.expectPackets('publish', 3);
    expect(packets.map((packet) => packet.payload.length)).toEqual([400, 400, 100]);
    expect(test.broker.drops.of('queue-full')).toBe(1);
  });

  it('a message that can never fit does not push others out', async () => {
    const test = await TestBroker.start({ limits: { queueMaximumBytes: 1000, queueOverflow: 'drop-oldest' } });
    const publisher = await away(test, version);
    await publish(publisher, ['1', '2', Buffer.alloc(2000), '3']);
    const back = await test.connect('s', persistent(version));
    const packets = await back.expectPackets('publish', 3);
    expect(packets.map((packet) => packet.payload.toString())).toEqual(['1', '2', '3']);
    expect(test.broker.drops.of('queue-full')).toBe(1);
  });

  it('what waits for a session that ends is counted', async () => {
    const test = await TestBroker.start();
    const publisher = await away(test, version);
    await publish(publisher, numbers(1, 4));
    const back = await test.connectFully('s', { ...persistent(version), clean: true });
    expect(back.connack.sessionPresent).toBe(false);
    await back.client.expectNothing();
    expect(test.broker.drops.of('session-ended')).toBe(4);
  });

  it('subscriptions stay', async () => {
    const test = await TestBroker.start();
    const publisher = await away(test, version, 't', 2);
    const back = await test.connect('s', persistent(version));
    publisher.send(publishPacket('t', 'x', { qos: 2, messageId: 1 }));
    expect((await back.expectPacket('publish')).qos).toBe(2);
  });
});

describe('Message Expiry Interval', () => {
  const expiring = (seconds: number) => ({ properties: { messageExpiryInterval: seconds } });

  it('is passed on as it came if there was no wait [MQTT-3.3.2-6]', async () => {
    const test = await TestBroker.start();
    const subscriber = await test.connect('s');
    await subscriber.subscribe('t');
    subscriber.send(publishPacket('t', 'x', expiring(60)));
    expect((await subscriber.expectPacket('publish')).properties?.messageExpiryInterval).toBe(60);
  });

  it('counts down while the message waits', async () => {
    const test = await TestBroker.start();
    const publisher = await away(test, 5);
    publisher.send(publishPacket('t', 'x', { qos: 1, messageId: 1, ...expiring(60) }));
    await publisher.expectPacket('puback');
    test.clock.advance(20_500);
    const back = await test.connect('s', persistent(5));
    const left = (await back.expectPacket('publish')).properties?.messageExpiryInterval;
    expect([39, 40]).toContain(left);
  });

  it('counts down until a message is sent again', async () => {
    const test = await TestBroker.start();
    const subscriber = await test.connect('s', persistent(5));
    await subscriber.subscribe('t', 1);
    const publisher = await test.connect('p');
    publisher.send(publishPacket('t', 'x', { qos: 1, messageId: 1, ...expiring(60) }));
    await subscriber.expectPacket('publish');
    await test.drop(subscriber, 's');
    test.clock.advance(30_000);
    const back = await test.connect('s', persistent(5));
    expect((await back.expectPacket('publish')).properties?.messageExpiryInterval).toBe(30);
  });

  it('ends a message that waits for too long [MQTT-3.3.2-5]', async () => {
    const test = await TestBroker.start();
    const publisher = await away(test, 5);
    publisher.send(publishPacket('t', 'dies', { qos: 1, messageId: 1, ...expiring(10) }));
    publisher.send(publishPacket('t', 'lives', { qos: 1, messageId: 2, ...expiring(11) }));
    publisher.send(publishPacket('t', 'stays', { qos: 1, messageId: 3 }));
    await publisher.expectPackets('puback', 3);
    test.clock.advance(10_000);
    const back = await test.connect('s', persistent(5));
    const packets = await back.expectPackets('publish', 2);
    expect(packets.map((packet) => packet.payload.toString())).toEqual(['lives', 'stays']);
    await back.expectNothing();
    expect(test.broker.drops.of('expired')).toBe(1);
  });

  it('of 0 reaches who is there, and nobody later', async () => {
    const test = await TestBroker.start();
    const publisher = await away(test, 5);
    const present = await test.connect('q');
    await present.subscribe('t', 1);
    publisher.send(publishPacket('t', 'x', { qos: 1, messageId: 1, ...expiring(0) }));
    await present.expectPacket('publish');
    const back = await test.connect('s', persistent(5));
    await back.expectNothing();
  });

  it('holds for an MQTT 3 subscriber too', async () => {
    const test = await TestBroker.start();
    await away(test, 4);
    const publisher = await test.connect('p5');
    publisher.send(publishPacket('t', 'x', { qos: 1, messageId: 1, ...expiring(10) }));
    publisher.send(publishPacket('t', 'y', { qos: 1, messageId: 2, ...expiring(20) }));
    await publisher.expectPackets('puback', 2);
    test.clock.advance(15_000);
    const back = await test.connect('s', persistent(4));
    expect((await back.expectPacket('publish')).payload.toString()).toBe('y');
    await back.expectNothing();
  });
});
