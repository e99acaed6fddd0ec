/** What one client may send and be sent in a second. */
import { setTimeout as realTime } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { BrokerLimits } from '../../src/broker/broker-options.js';
import { publishPacket } from '../support/publish-packet.js';
import type { RawClient } from '../support/raw-client.js';
import { TestBroker } from '../support/test-broker.js';

const QUOTA_EXCEEDED = 0x97;
const RATE_TOO_HIGH = 0x96;

/** A broker and a witness that is subscribed to everything in process, so that it has no rate of its own. */
async function world(limits: Partial<BrokerLimits>) {
  const test = await TestBroker.start({ limits });
  const received: string[] = [];
  test.broker.subscribe('t/#', ({ payload }) => void received.push(payload.toString()));
  return { test, received };
}

function sendNumbered(client: RawClient, qos: 0 | 1, count: number, payload = ''): void {
  client.sendTogether(
    Array.from({ length: count }, (_, i) => publishPacket('t/1', `${i}${payload}`, { qos, messageId: i + 1 })),
  );
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await realTime(2);
}

describe('a client that publishes too fast', () => {
  it.each([0, 1] as const)('is read later, and nothing is lost at QoS %i', async (qos) => {
    const { test, received } = await world({ inboundMessageRate: 10 });
    const client = await test.connect('c');
    sendNumbered(client, qos, 35);
    await until(() => received.length === 10);
    await realTime(20);
    expect(received).toHaveLength(10);
    for (let tenths = 1; received.length < 35; tenths++) {
      test.clock.advance(100);
      await realTime(5);
      expect(received.length).toBeLessThanOrEqual(10 + tenths);
    }
    expect(received).toEqual(Array.from({ length: 35 }, (_, i) => String(i)));
    expect(test.broker.drops.total).toBe(0);
  });

  it('is read later by its bytes, also if one message is larger than the burst', async () => {
    const { test, received } = await world({ inboundByteRate: 1000 });
    const client = await test.connect('c');
    sendNumbered(client, 0, 2, 'x'.repeat(3000));
    await until(() => received.length === 1);
    test.clock.advance(1900);
    await realTime(20);
    expect(received).toHaveLength(1);
    test.clock.advance(500);
    await until(() => received.length === 2);
  });

  it('does not slow down others', async () => {
    const { test, received } = await world({ inboundMessageRate: 10 });
    sendNumbered(await test.connect('fast'), 0, 50);
    await until(() => received.length === 10);
    const other = await test.connect('other');
    sendNumbered(other, 0, 5);
    await until(() => received.length === 15);
  });

  it('is told so, where that is configured, and what is refused goes nowhere', async () => {
    const { test, received } = await world({ inboundMessageRate: 3, inboundRatePolicy: 'refuse' });
    const client = await test.connect('c');
    sendNumbered(client, 1, 5);
    const answers = await client.expectPackets('puback', 5);
    expect(answers.map(({ reasonCode }) => reasonCode)).toEqual([0, 0, 0, QUOTA_EXCEEDED, QUOTA_EXCEEDED]);
    sendNumbered(client, 0, 4);
    await client.barrier();
    expect(received).toHaveLength(3);
    expect(test.broker.drops.of('message-rate')).toBe(6);
    test.clock.advance(1000);
    client.send(publishPacket('t/1', 'later', { qos: 1, messageId: 9 }));
    expect((await client.expectPacket('puback')).reasonCode).toBe(0);
  });

  it('of MQTT 3 is read later there, since it cannot be told', async () => {
    const { test, received } = await world({ inboundMessageRate: 3, inboundRatePolicy: 'refuse' });
    const client = await test.connect('c', { version: 4 });
    sendNumbered(client, 1, 4);
    await client.expectPackets('puback', 3);
    test.clock.advance(1000);
    await client.expectPacket('puback');
    expect(received).toHaveLength(4);
  });

  it('is disconnected, where that is configured', async () => {
    const { test, received } = await world({ inboundMessageRate: 3, inboundRatePolicy: 'disconnect' });
    const client = await test.connect('c');
    sendNumbered(client, 0, 3);
    await client.barrier();
    sendNumbered(client, 0, 1);
    await client.expectDisconnect(RATE_TOO_HIGH);
    expect(received).toHaveLength(4);
    expect(test.broker.metrics.closesOf('message-rate')).toBe(1);
  });

  it('is not taken for silent while it is not read', async () => {
    const { test } = await world({ inboundByteRate: 100 });
    const client = await test.connect('c', { keepalive: 10 });
    sendNumbered(client, 1, 2, 'x'.repeat(5000));
    await client.expectPacket('puback');
    test.clock.advance(40_000);
    await realTime(20);
    test.clock.advance(20_000);
    await client.expectPacket('puback');
  });
});

describe('a client that is sent too much', () => {
  it('gets QoS 1 later, in order, and nothing is lost', async () => {
    const { test } = await world({ outboundMessageRate: 10 });
    const client = await test.connect('c');
    client.acknowledgesByItself = true;
    await client.subscribe('t/#', 1);
    for (let i = 0; i < 25; i++) test.broker.publish({ topic: 't/1', payload: String(i), qos: 1 });
    const payloads = (await client.expectPackets('publish', 10)).map(({ payload }) => String(payload));
    await realTime(20);
    expect(client.takeAll()).toEqual([]);
    test.clock.advance(1000);
    payloads.push(...(await client.expectPackets('publish', 10)).map(({ payload }) => String(payload)));
    test.clock.advance(1000);
    payloads.push(...(await client.expectPackets('publish', 5)).map(({ payload }) => String(payload)));
    expect(payloads).toEqual(Array.from({ length: 25 }, (_, i) => String(i)));
    await client.barrier();
    expect(test.broker.accounting.missing).toBe(0);
  });

  it('gets as much as it may of QoS 0, and what is dropped is counted', async () => {
    const { test } = await world({ outboundMessageRate: 10 });
    const client = await test.connect('c');
    await client.subscribe('t/#', 0);
    for (let i = 0; i < 25; i++) test.broker.publish({ topic: 't/1', payload: String(i) });
    await client.barrier();
    expect(client.takeAll()).toHaveLength(10);
    expect(test.broker.drops.of('message-rate')).toBe(15);
  });

  it('gets the retained messages later, all of them', async () => {
    const { test } = await world({ outboundMessageRate: 10 });
    for (let i = 0; i < 25; i++) test.broker.publish({ topic: `t/${i}`, payload: 'x', retain: true });
    const client = await test.connect('c');
    client.acknowledgesByItself = true;
    await client.subscribe('t/#', 1);
    let count = 0;
    for (let step = 0; step < 100 && count < 25; step++) {
      test.clock.advance(100);
      await realTime(5);
      count += client.takeAll().length;
    }
    expect(count).toBe(25);
  });
});
