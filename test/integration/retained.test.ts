import { describe, expect, it } from 'vitest';
import { DurableBroker } from '../support/durable-broker.js';
import { publishPacket } from '../support/publish-packet.js';
import { persistent, TestBroker } from '../support/test-broker.js';

const VERSIONS = [4, 5] as const;

it('what the broker says of itself takes no room from the retained messages of clients', async () => {
  const test = await TestBroker.start({
    limits: { sysIntervalSeconds: 1, retainedMaximumMessages: 2, retainedOverflow: 'drop-oldest' },
  });
  test.clock.advance(1000);
  const own = test.broker.retainedCount;
  expect(own).toBeGreaterThan(2);
  const publisher = await test.connect('p');
  for (const topic of ['a', 'b', 'c']) {
    publisher.send(publishPacket(topic, 'x', { qos: 1, messageId: 1, retain: true }));
    await publisher.expectPacket('puback');
  }
  test.clock.advance(1000);
  expect(test.broker.drops.of('retained-limit')).toBe(1);
  const subscriber = await test.connect('s');
  await subscriber.subscribe('+', 0);
  const topics = [await subscriber.expectPacket('publish'), await subscriber.expectPacket('publish')];
  expect(topics.map(({ topic }) => topic).toSorted()).toEqual(['b', 'c']);
  expect(test.broker.retainedCount).toBeGreaterThanOrEqual(own + 2);
});

describe.each(VERSIONS)('retained messages, MQTT %i', (version) => {
  it('are set, replaced and deleted [MQTT-3.3.1-5] [MQTT-3.3.1-6]', async () => {
    const test = await TestBroker.start();
    const publisher = await test.connect('p', { version });
    const subscriber = await test.connect('s', { version });
    for (const payload of ['one', 'two']) {
      publisher.send(publishPacket('t', payload, { qos: 1, messageId: 1, retain: true }));
      await publisher.expectPacket('puback');
      await subscriber.subscribe('t', 1);
      const publish = await subscriber.expectPacket('publish');
      expect(publish).toMatchObject({ retain: true, qos: 1, dup: false });
      expect(publish.payload.toString()).toBe(payload);
      subscriber.send({ cmd: 'puback', messageId: publish.messageId ?? 0 });
      subscriber.send({ cmd: 'unsubscribe', messageId: 99, unsubscriptions: ['t'] });
      await subscriber.expectPacket('unsuback');
    }
    expect(test.broker.retainedCount).toBe(1);
    publisher.send(publishPacket('t', '', { qos: 1, messageId: 1, retain: true }));
    await publisher.expectPacket('puback');
    expect(test.broker.retainedCount).toBe(0);
    await subscriber.subscribe('t', 1);
    await subscriber.expectNothing();
  });

  it('reach present subscribers with RETAIN 0, the deleting one too [MQTT-3.3.1-12]', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('s', { version });
    await client.subscribe('t');
    client.send(publishPacket('t', 'x', { retain: true }));
    client.send(publishPacket('t', '', { retain: true }));
    const [set, removed] = await client.expectPackets('publish', 2);
    expect([set?.retain, removed?.retain]).toEqual([false, false]);
    expect(removed?.payload.length).toBe(0);
  });

  it('come again with a repeated SUBSCRIBE', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('s', { version });
    client.send(publishPacket('t', 'x', { retain: true }));
    await client.subscribe('t');
    await client.expectPacket('publish');
    await client.subscribe('t');
    expect((await client.expectPacket('publish')).retain).toBe(true);
  });

  it('come for every matching topic, and after SUBACK', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('s', { version });
    for (let i = 0; i < 3000; i++) client.send(publishPacket(`a/${i}/x`, String(i), { retain: true }));
    client.send(publishPacket('b', 'no', { retain: true }));
    client.send(publishPacket('$a/1/x', 'no', { retain: true }));
    await client.subscribe('+/+/x', 1);
    const seen = new Set((await client.expectPackets('publish', 3000)).map((packet) => packet.topic));
    expect(seen.size).toBe(3000);
    await client.expectNothing();
  });

  it('are paced to a client that reads slowly, and all come', async () => {
    const limits = { outboundSoftLimitBytes: 256 * 1024, outboundHardLimitBytes: 1024 * 1024 };
    const test = await TestBroker.start({ limits });
    const publisher = await test.connect('p', { version });
    const payload = Buffer.alloc(10_000, 1);
    for (let i = 0; i < 3000; i++) publisher.send(publishPacket(`a/${i}`, payload, { retain: true }));
    await publisher.barrier();
    const slow = await test.connect('slow', { version });
    await slow.subscribe('other');
    slow.pauseReading();
    slow.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'a/#', qos: 0 }] });
    // Others are served meanwhile; 30 MB would be far above the hard limit.
    for (let i = 0; i < 20; i++) await publisher.barrier();
    expect(test.broker.connectionCount).toBe(2);
    slow.resumeReading();
    await slow.expectPacket('suback');
    const topics = new Set((await slow.expectPackets('publish', 3000)).map((packet) => packet.topic));
    expect(topics.size).toBe(3000);
    await slow.expectNothing();
  });

  it('of QoS 1 wait for room in the window', async () => {
    const test = await TestBroker.start({ limits: { maximumInflight: 5 } });
    const client = await test.connect('s', { version });
    for (let i = 0; i < 20; i++)
      client.send(publishPacket(`a/${i}`, '', { qos: 0, retain: true, payload: 'x' } as never));
    for (let i = 0; i < 20; i++) {
      client.send(publishPacket(`b/${i}`, 'x', { qos: 1, retain: true, messageId: i + 1 }));
      await client.expectPacket('puback');
    }
    await client.subscribe('b/#', 1);
    for (let round = 0; round < 4; round++) {
      const packets = await client.expectPackets('publish', 5);
      await client.expectNothing();
      for (const packet of packets) client.send({ cmd: 'puback', messageId: packet.messageId ?? 0 });
    }
    await client.expectNothing();
  });

  it('come even with small buffers', async () => {
    const limits = { outboundSoftLimitBytes: 16 * 1024 };
    const test = await TestBroker.start({ limits });
    const client = await test.connect('s', { version });
    for (let i = 0; i < 100; i++) client.send(publishPacket(`a/${i}`, Buffer.alloc(1000), { retain: true }));
    client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'a/#', qos: 0 }] });
    await client.expectPacket('suback');
    await client.expectPackets('publish', 100);
  });

  it('are not brought by shared subscriptions (section 4.8.2)', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('s', { version });
    client.send(publishPacket('t', 'x', { retain: true }));
    await client.subscribe('$share/g/t');
    await client.expectNothing();
  });

  it('are kept when their publisher is gone', async () => {
    const test = await TestBroker.start();
    const publisher = await test.connect('p', { version });
    publisher.send(publishPacket('t', 'x', { retain: true, qos: 1, messageId: 1 }));
    await publisher.expectPacket('puback');
    await publisher.disconnect();
    const client = await test.connect('s', { version });
    await client.subscribe('#');
    await client.expectPacket('publish');
  });

  it('above the limit are delivered and not retained', async () => {
    const test = await TestBroker.start({ limits: { retainedMaximumMessages: 2 } });
    const client = await test.connect('s', { version });
    await client.subscribe('a/#');
    for (let i = 0; i < 3; i++) client.send(publishPacket(`a/${i}`, 'x', { retain: true }));
    await client.expectPackets('publish', 3);
    expect(test.broker.retainedCount).toBe(2);
    expect(test.broker.drops.of('retained-limit')).toBe(1);
    client.send(publishPacket('a/0', 'replaced', { retain: true }));
    await client.expectPacket('publish');
    expect(test.broker.drops.of('retained-limit')).toBe(1);
  });

  it('reach a session that is away as ordinary messages', async () => {
    const test = await TestBroker.start();
    const subscriber = await test.connect('s', persistent(version));
    await subscriber.subscribe('t', 1);
    await test.drop(subscriber, 's');
    const publisher = await test.connect('p', { version });
    publisher.send(publishPacket('t', 'x', { retain: true, qos: 1, messageId: 1 }));
    await publisher.expectPacket('puback');
    const back = await test.connect('s', persistent(version));
    expect((await back.expectPacket('publish')).retain).toBe(false);
    await back.expectNothing();
  });
});

describe.each(VERSIONS)('retained messages that a disconnect cut off, MQTT %i', (version) => {
  const COUNT = 12;

  /** A kept session that has got five of the retained messages, and has lost its connection then. */
  async function cutOff(qos: 1 | 2, store?: 'disk') {
    const limits = { maximumInflight: 5 };
    const durable = store === 'disk' ? await DurableBroker.start({ limits }) : null;
    const test = durable?.test ?? (await TestBroker.start({ limits }));
    for (let i = 0; i < COUNT; i++) test.broker.publish({ topic: `a/${i}`, payload: 'x', qos: 2, retain: true });
    const client = await test.connect('s', persistent(version));
    client.send({ cmd: 'subscribe', messageId: 99, subscriptions: [{ topic: 'a/#', qos }] });
    // In either order, while SUBACK waits for the disk.
    for (let i = 0; i < 6; i++) await client.expectAny();
    await client.expectNothing();
    await test.drop(client, 's');
    return { test, settle: async () => await durable?.settle() };
  }

  async function reconnect(test: TestBroker) {
    const client = await test.open(version);
    client.acknowledgesByItself = true;
    const connack = await client.connect({ clientId: 's', ...persistent(version) });
    expect(connack.sessionPresent).toBe(true);
    return client;
  }

  it.each([
    [1, 'memory'],
    [2, 'memory'],
    [1, 'disk'],
    [2, 'disk'],
  ] as const)('never came to the client that came back (QoS %i, %s)', async (qos, store) => {
    const { test, settle } = await cutOff(qos, store === 'disk' ? store : undefined);
    const client = await reconnect(test);
    const found: string[] = [];
    while (found.length < 5 + COUNT) {
      const packet = await client.expectAny();
      if (packet.cmd !== 'publish') continue;
      expect(packet.retain).toBe(true);
      found.push(packet.topic);
    }
    expect(new Set(found.slice(5)).size).toBe(COUNT);
    await client.barrier();
    await test.drop(client, 's');
    // Now they have come, and do not come with each connection.
    const again = await reconnect(test);
    await settle();
    await again.barrier();
    expect(again.takeAll().filter(({ cmd }) => cmd === 'publish')).toEqual([]);
    expect(test.broker.accounting.missing).toBe(0);
  });

  it('do not come for a subscription that was ended on the next connection', async () => {
    const { test } = await cutOff(1);
    const client = await test.connect('s', persistent(version));
    client.send({ cmd: 'unsubscribe', messageId: 99, unsubscriptions: ['a/#'] });
    const repeated = await client.expectPackets('publish', 5);
    await client.expectPacket('unsuback');
    for (const { messageId = 0 } of repeated) client.send({ cmd: 'puback', messageId });
    await client.expectNothing();
    await test.drop(client, 's');
    await (await reconnect(test)).expectNothing();
  });

  it('do not come to a session that began anew', async () => {
    const { test } = await cutOff(1);
    const client = await test.connect('s', { ...persistent(version), clean: true });
    await client.expectNothing();
  });
});

describe('retained messages of MQTT 5', () => {
  async function withRetained() {
    const test = await TestBroker.start();
    const client = await test.connect('s');
    client.send(publishPacket('t', 'x', { retain: true, qos: 1, messageId: 1 }));
    await client.expectPacket('puback');
    const subscribe = async (rh: 0 | 1 | 2) => {
      client.send({ cmd: 'subscribe', messageId: 2, subscriptions: [{ topic: 't', qos: 0, rh }] });
      await client.expectPacket('suback');
    };
    return { test, client, subscribe };
  }

  it('always come with Retain Handling 0 [MQTT-3.3.1-9]', async () => {
    const { client, subscribe } = await withRetained();
    await subscribe(0);
    await client.expectPacket('publish');
    await subscribe(0);
    await client.expectPacket('publish');
  });

  it('come with Retain Handling 1 for a new subscription only [MQTT-3.3.1-10]', async () => {
    const { client, subscribe } = await withRetained();
    await subscribe(1);
    await client.expectPacket('publish');
    await subscribe(1);
    await client.expectNothing();
    client.send({ cmd: 'unsubscribe', messageId: 3, unsubscriptions: ['t'] });
    await client.expectPacket('unsuback');
    await subscribe(1);
    await client.expectPacket('publish');
  });

  it('never come with Retain Handling 2 [MQTT-3.3.1-11]', async () => {
    const { client, subscribe } = await withRetained();
    await subscribe(2);
    await client.expectNothing();
  });

  it('keep RETAIN for who asked for it [MQTT-3.3.1-13]', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('s');
    client.send({
      cmd: 'subscribe',
      messageId: 2,
      subscriptions: [{ topic: 'kept', qos: 1, rap: true }],
    });
    await client.expectPacket('suback');
    for (const [qos, retain] of [
      [0, true],
      [0, false],
      [1, true],
      [1, false],
    ] as const) {
      client.send(publishPacket('kept', 'x', { qos, retain, messageId: 9 }));
      expect(await client.expectPacket('publish')).toMatchObject({ qos, retain });
      if (qos === 1) await client.expectPacket('puback');
    }
  });

  it('keep RETAIN while they wait in a session', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('s', persistent(5));
    client.send({ cmd: 'subscribe', messageId: 2, subscriptions: [{ topic: 't', qos: 1, rap: true }] });
    await client.expectPacket('suback');
    await test.drop(client, 's');
    test.broker.publish({ topic: 't', payload: 'x', qos: 1, retain: true });
    const back = await test.connect('s', persistent(5));
    expect((await back.expectPacket('publish')).retain).toBe(true);
    await test.drop(back, 's');
    const again = await test.connect('s', persistent(5));
    expect(await again.expectPacket('publish')).toMatchObject({ retain: true, dup: true });
  });

  it('count their expiry down and end with it [MQTT-3.3.2-6]', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('s');
    client.send(publishPacket('t', 'x', { retain: true, properties: { messageExpiryInterval: 60 } }));
    await client.barrier();
    test.clock.advance(20_000);
    await client.subscribe('t');
    expect((await client.expectPacket('publish')).properties?.messageExpiryInterval).toBe(40);
    test.clock.advance(40_000);
    await client.subscribe('t');
    await client.expectNothing();
    expect(test.broker.retainedCount).toBe(0);
  });

  it('are left out for their own publisher with No Local', async () => {
    const { client } = await withRetained();
    client.send({ cmd: 'subscribe', messageId: 2, subscriptions: [{ topic: 't', qos: 0, nl: true }] });
    await client.expectPacket('suback');
    await client.expectNothing();
  });

  it('carry the Subscription Identifier of the SUBSCRIBE that brought them', async () => {
    const { client } = await withRetained();
    client.send({
      cmd: 'subscribe',
      messageId: 2,
      properties: { subscriptionIdentifier: 7 },
      subscriptions: [{ topic: '+', qos: 0 }],
    });
    await client.expectPacket('suback');
    expect((await client.expectPacket('publish')).properties?.subscriptionIdentifier).toBe(7);
  });
});
