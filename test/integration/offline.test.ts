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

describe('when what waits for all sessions together has reached its limit', () => {
  const PAYLOAD = Buffer.alloc(1000);

  /** Two sessions that are away, one that is connected, and a publisher. */
  async function crowd(test: TestBroker, version: 4 | 5): Promise<{ publisher: RawClient; reader: RawClient }> {
    const reader = await test.connect('r', persistent(5));
    await reader.subscribe('t', 1);
    reader.acknowledgesByItself = true;
    await (await away(test, 5, '#')).disconnect();
    await test.gone('p');
    const other = await test.connect('other', persistent(5));
    await other.subscribe('$share/g/t', 1);
    await other.disconnect();
    await test.gone('other');
    return { publisher: await test.connect('p', { version }), reader };
  }

  it.each(VERSIONS)('those who would wait do not get a message, and others do (MQTT %i)', async (version) => {
    const test = await TestBroker.start({ limits: { queueTotalMaximumBytes: 5500 } });
    const { publisher, reader } = await crowd(test, version);
    await publish(publisher, Array<Buffer>(8).fill(PAYLOAD));
    await reader.expectPackets('publish', 8);
    await reader.barrier();
    expect(test.broker.drops.of('session-queues-full')).toBe(2 * 3);
    expect(test.broker.drops.total).toBe(2 * 3);
    expect(test.broker.accounting).toMatchObject({ missing: 0, waiting: 2 * 5, delivered: 8 });
  });

  it('an MQTT 5 publisher is told, if so configured', async () => {
    const limits = { queueTotalMaximumBytes: 5500, queueTotalOverflow: 'refuse' } as const;
    const test = await TestBroker.start({ limits });
    const { publisher, reader } = await crowd(test, 5);
    await publish(publisher, Array<Buffer>(5).fill(PAYLOAD));
    await reader.expectPackets('publish', 5);
    for (const [qos, answer] of [
      [1, 'puback'],
      [2, 'pubrec'],
    ] as const) {
      publisher.send(publishPacket('t', PAYLOAD, { qos, messageId: 77 }));
      expect(await publisher.expectPacket(answer)).toMatchObject({ messageId: 77, reasonCode: 0x97 });
    }
    await reader.expectNothing();
    expect(test.broker.drops.of('session-queues-full')).toBe(2);
    // What nobody has to wait for goes on.
    await reader.subscribe('live', 1);
    const gone = await test.connect('s', persistent(5));
    gone.acknowledgesByItself = true;
    await gone.expectPackets('publish', 5);
    publisher.send(publishPacket('live', PAYLOAD, { qos: 1, messageId: 78 }));
    expect(await publisher.expectPacket('puback')).toMatchObject({ messageId: 78, reasonCode: 0 });
    await reader.expectPacket('publish');
  });

  it('who cannot be told publishes to those who need not wait, also then', async () => {
    const limits = { queueTotalMaximumBytes: 5500, queueTotalOverflow: 'refuse' } as const;
    const test = await TestBroker.start({ limits });
    const { publisher, reader } = await crowd(test, 4);
    await publish(publisher, Array<Buffer>(7).fill(PAYLOAD));
    test.broker.publish({ topic: 't', payload: PAYLOAD, qos: 1 });
    await reader.expectPackets('publish', 8);
    await reader.barrier();
    expect(test.broker.drops.of('session-queues-full')).toBe(2 * 3);
    expect(test.broker.accounting).toMatchObject({ missing: 0, waiting: 2 * 5 });
  });
});
