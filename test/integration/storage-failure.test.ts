import { setImmediate as nextTurn, setTimeout as realTime } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { StoreHealth } from '../../src/store/store-health.js';
import { DurableBroker, type DurableBrokerOptions } from '../support/durable-broker.js';
import { publishPacket } from '../support/publish-packet.js';
import type { RawClient } from '../support/raw-client.js';
import { persistent, TestBroker } from '../support/test-broker.js';

const QUOTA_EXCEEDED = 0x97;
const TIMEOUT_MS = 30_000;
const VERSIONS = [4, 5] as const;

/** A broker with a session `s` that is subscribed to `t/#` at QoS 2 and away: what is published there is durable. */
async function withDurableReceiver(options: DurableBrokerOptions = {}): Promise<DurableBroker> {
  const durable = await DurableBroker.start({
    ...options,
    limits: { storageFailureTimeoutMs: TIMEOUT_MS, ...options.limits },
  });
  const client = await durable.test.connect('s', persistent(5));
  await client.subscribe('t/#', 2);
  await client.disconnect();
  await durable.test.gone('s');
  await durable.settle();
  return durable;
}

/** Turns the clock, no faster than the disk can follow, until the store is in this state. */
async function untilHealth(durable: DurableBroker, state: StoreHealth['state']): Promise<void> {
  while (durable.store.health.state !== state) {
    durable.clock.advance(100);
    await realTime(5);
  }
}

/** Every write fails from now on; returns when the store has noticed. */
async function failWrites(durable: DurableBroker): Promise<void> {
  durable.level.failures = Number.POSITIVE_INFINITY;
  // A broker that cannot store what it has been given says so when it is stopped.
  onTestFinished(() => {
    durable.level.failures = 0;
  });
  durable.level.putNow('test:fails', Buffer.from('x'));
  await untilHealth(durable, 'failing');
}

async function mendWrites(durable: DurableBroker): Promise<void> {
  durable.level.failures = 0;
  await untilHealth(durable, 'ok');
}

/** What waits for `s`, in order within each QoS; and that no message is missing in the accounts. */
async function receivedBy(durable: DurableBroker, count: number): Promise<string[]> {
  const client = await durable.test.open(5);
  client.acknowledgesByItself = true;
  await client.connect({ clientId: 's', ...persistent(5) });
  const payloads: string[] = [];
  while (payloads.length < count) {
    const packet = await client.expectAny();
    if (packet.cmd === 'publish') payloads.push(packet.payload.toString());
  }
  await client.barrier();
  await durable.settle();
  await client.barrier();
  expect(client.takeAll().filter(({ cmd }) => cmd === 'publish')).toEqual([]);
  expect(durable.broker.accounting.missing).toBe(0);
  return payloads;
}

function acknowledged(client: RawClient): string[] {
  return client.takeAll().map(({ cmd }) => cmd);
}

describe('while writes fail', () => {
  it('an MQTT 5 publisher is told 0x97 at QoS 1 and 2, and no identifier stays in use', async () => {
    const durable = await withDurableReceiver({ limits: { receiveMaximum: 2 } });
    const publisher = await durable.test.connect('p');
    await failWrites(durable);
    for (let i = 1; i <= 5; i++) {
      publisher.send(publishPacket('t/1', 'refused', { qos: 1, messageId: i }));
      expect((await publisher.expectPacket('puback')).reasonCode).toBe(QUOTA_EXCEEDED);
      publisher.send(publishPacket('t/2', 'refused', { qos: 2, messageId: i }));
      expect((await publisher.expectPacket('pubrec')).reasonCode).toBe(QUOTA_EXCEEDED);
    }
    publisher.send({ cmd: 'pubrel', messageId: 5 });
    expect((await publisher.expectPacket('pubcomp')).reasonCode).toBe(0x92);
    expect(durable.broker.drops.of('storage-unavailable')).toBe(10);
    await mendWrites(durable);
    publisher.send(publishPacket('t/2', 'taken', { qos: 2, messageId: 5 }));
    expect((await publisher.expectPacket('pubrec')).reasonCode ?? 0).toBe(0);
    expect(await receivedBy(durable, 1)).toEqual(['taken']);
  });

  it('an MQTT 3 publisher is held, and its packets are taken once after recovery, in order', async () => {
    const durable = await withDurableReceiver();
    const publisher = await durable.test.connect('p', { version: 4 });
    const kept = await durable.test.connect('kept', persistent(4));
    await failWrites(durable);
    publisher.sendTogether([1, 2, 3].map((i) => publishPacket('t/1', String(i), { qos: 1, messageId: i })));
    kept.sendTogether([4, 5].map((i) => publishPacket('t/2', String(i), { qos: 2, messageId: i })));
    await untilHeld(durable, 2);
    expect([acknowledged(publisher), acknowledged(kept)]).toEqual([[], []]);
    await mendWrites(durable);
    const ids = [...(await publisher.expectPackets('puback', 3)), ...(await kept.expectPackets('pubrec', 2))];
    expect(ids.map(({ messageId }) => messageId)).toEqual([1, 2, 3, 4, 5]);
    expect(durable.broker.drops.total).toBe(0);
    expect((await receivedBy(durable, 5)).sort()).toEqual(['1', '2', '3', '4', '5']);
  });

  it('an MQTT 3 publisher that waits in vain is disconnected, and nothing of it is delivered', async () => {
    const durable = await withDurableReceiver();
    const publisher = await durable.test.connect('p', { version: 4 });
    await failWrites(durable);
    publisher.send(publishPacket('t/1', 'x', { qos: 1, messageId: 1 }));
    await untilHeld(durable, 1);
    durable.clock.advance(TIMEOUT_MS - 1000);
    await nextTurn();
    expect(durable.broker.connectionCount).toBe(1);
    durable.clock.advance(2100);
    await publisher.expectClosed();
    expect(durable.broker.metrics.closesOf('storage-unavailable')).toBe(1);
    await mendWrites(durable);
    expect(await receivedBy(durable, 0)).toEqual([]);
  });

  it.each(VERSIONS)(
    'who waits for an answer since before is disconnected after the bound, MQTT %i',
    async (version) => {
      const durable = await withDurableReceiver();
      const publisher = await durable.test.connect('p', { version });
      const subscriber = await durable.test.connect('c', persistent(version));
      const idle = await durable.test.connect('idle', persistent(version));
      await durable.settle();
      durable.level.hold();
      publisher.send(publishPacket('t/1', 'unanswered', { qos: 1, messageId: 1 }));
      await publisher.barrier();
      subscriber.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'u', qos: 1 }] });
      await subscriber.barrier();
      durable.level.failures = Number.POSITIVE_INFINITY;
      durable.level.release();
      await untilHealth(durable, 'failing');
      expect([acknowledged(publisher), acknowledged(subscriber)]).toEqual([[], []]);
      durable.clock.advance(TIMEOUT_MS - 2000);
      await publisher.barrier();
      expect([acknowledged(publisher), acknowledged(subscriber)]).toEqual([[], []]);
      durable.clock.advance(3100);
      await publisher.expectDisconnect(QUOTA_EXCEEDED);
      await subscriber.expectDisconnect(QUOTA_EXCEEDED);
      await idle.expectNothing();
      await mendWrites(durable);
      // It was taken, only not acknowledged: at QoS 1 that may be.
      expect(await receivedBy(durable, 1)).toEqual(['unanswered']);
    },
  );

  it('a disk that recovers in time gives everybody the answer', async () => {
    const durable = await withDurableReceiver();
    const publisher = await durable.test.connect('p');
    durable.level.failures = 3;
    publisher.send(publishPacket('t/1', '1', { qos: 1, messageId: 1 }));
    publisher.send(publishPacket('t/1', '2', { qos: 2, messageId: 2 }));
    await untilHealth(durable, 'failing');
    await publisher.expectNothing();
    await untilHealth(durable, 'ok');
    await publisher.expectPacket('puback');
    await publisher.expectPacket('pubrec');
    expect((await receivedBy(durable, 2)).sort()).toEqual(['1', '2']);
  });

  it('what needs no storage goes on, from a session that is kept too', async () => {
    const durable = await withDurableReceiver();
    const receiver = await durable.test.connect('clean');
    await receiver.subscribe('n', 2);
    const publisher = await durable.test.connect('p');
    const kept = await durable.test.connect('kept', persistent(5));
    await failWrites(durable);
    kept.send(publishPacket('n', 'kept', { qos: 1, messageId: 1 }));
    expect((await receiver.expectPacket('publish')).payload.toString()).toBe('kept');
    expect((await kept.expectPacket('puback')).reasonCode ?? 0).toBe(0);
    for (const qos of [0, 1, 2] as const) {
      publisher.send(publishPacket('n', String(qos), { qos, ...(qos === 0 ? {} : { messageId: qos }) }));
      expect((await receiver.expectPacket('publish')).payload.toString()).toBe(String(qos));
    }
    expect((await publisher.expectPacket('puback')).reasonCode ?? 0).toBe(0);
    expect((await publisher.expectPacket('pubrec')).reasonCode ?? 0).toBe(0);
    await durable.test.connect('newcomer');
    expect(durable.broker.drops.total).toBe(0);
  });

  it.each(VERSIONS)('topics at level memory go on, retained messages too, MQTT %i', async (version) => {
    // They were refused, or held, as if they had to be stored.
    const durable = await withDurableReceiver({
      durabilityOf: (topic) => (topic.startsWith('t/memory/') ? 'memory' : 'fsync'),
    });
    const publisher = await durable.test.connect('p', { version });
    await failWrites(durable);
    publisher.send(publishPacket('t/memory/1', 'plain', { qos: 1, messageId: 1 }));
    publisher.send(publishPacket('t/memory/2', 'retained', { qos: 1, messageId: 2, retain: true }));
    publisher.send(publishPacket('t/memory/2', '', { qos: 1, messageId: 3, retain: true }));
    publisher.send(publishPacket('t/memory/3', 'retained', { qos: 1, messageId: 4, retain: true }));
    const answers = await publisher.expectPackets('puback', 4);
    expect(answers.map(({ reasonCode }) => reasonCode ?? 0)).toEqual([0, 0, 0, 0]);
    expect(durable.broker.retainedCount).toBe(1);
    expect(durable.broker.drops.total).toBe(0);
    await mendWrites(durable);
    expect(await receivedBy(durable, 4)).toEqual(['plain', 'retained', '', 'retained']);
  });

  it('a retained message of QoS 0 is delivered, not retained, and counted', async () => {
    const durable = await withDurableReceiver();
    const publisher = await durable.test.connect('p');
    await publisher.subscribe('r', 0);
    await failWrites(durable);
    publisher.send(publishPacket('r', 'x', { retain: true }));
    await publisher.expectPacket('publish');
    expect(durable.broker.retainedCount).toBe(0);
    expect(durable.broker.drops.of('storage-unavailable')).toBe(1);
  });

  it("the broker's own topics go on, and are not counted as refused", async () => {
    // Each round of them was counted: they are retained, but never stored.
    const durable = await withDurableReceiver({ limits: { sysIntervalSeconds: 1 } });
    await failWrites(durable);
    durable.clock.advance(5000);
    expect(durable.broker.drops.of('storage-unavailable')).toBe(0);
  });

  it('everything that was acknowledged before, meanwhile and afterwards is there after a crash', async () => {
    const durable = await withDurableReceiver();
    const publisher = await durable.test.connect('p');
    const kept: string[] = [];
    const attempt = async (payload: string) => {
      publisher.send(publishPacket('t/1', payload, { qos: 1, messageId: 1 }));
      const { reasonCode = 0 } = await publisher.expectPacket('puback');
      if (reasonCode === 0) kept.push(payload);
    };
    await attempt('before');
    await failWrites(durable);
    await attempt('meanwhile');
    await mendWrites(durable);
    await attempt('afterwards');
    expect(kept).toEqual(['before', 'afterwards']);
    expect(await receivedBy(await durable.crash(), 2)).toEqual(kept);
  });
});

describe('on a disk with too little space', () => {
  it('publishers are refused until there is room again, and what was stored stays', async () => {
    const durable = await withDurableReceiver({ minimumFreeBytes: 1_000_000 });
    const publisher = await durable.test.connect('p');
    const attempt = async (payload: string) => {
      publisher.send(publishPacket('t/1', payload, { qos: 1, messageId: 1 }));
      return (await publisher.expectPacket('puback')).reasonCode ?? 0;
    };
    expect(await attempt('before')).toBe(0);
    durable.level.freeBytes = 999_999;
    await untilHealth(durable, 'full');
    expect(await attempt('meanwhile')).toBe(QUOTA_EXCEEDED);
    durable.level.freeBytes = 2_000_000;
    await untilHealth(durable, 'ok');
    expect(await attempt('afterwards')).toBe(0);
    expect(await receivedBy(durable, 2)).toEqual(['before', 'afterwards']);
  });
});

describe('on a slow disk', () => {
  it.each(VERSIONS)(
    'publishers are held while too much is on its way, and memory stays bounded, MQTT %i',
    async (version) => {
      const limit = 256 * 1024;
      const durable = await withDurableReceiver({ maximumPendingBytes: limit, limits: { receiveMaximum: 65_535 } });
      const publishers = await Promise.all([1, 2, 3].map((i) => durable.test.connect(`p${i}`, { version })));
      durable.level.hold();
      const payload = 'x'.repeat(10_000);
      const count = 200;
      for (const publisher of publishers) {
        const packets = Array.from({ length: count }, (_, i) =>
          publishPacket('t/1', payload, { qos: 1, messageId: i + 1 }),
        );
        publisher.sendTogether(packets);
      }
      await untilHeld(durable, publishers.length);
      expect(durable.store.isCongested).toBe(true);
      const pending = durable.level.pendingBytes + durable.store.log.unwrittenBytes;
      // Each is stopped by the first of its packets that finds too much on the way; a group in flight counts with it.
      expect(pending).toBeLessThan(limit + (publishers.length + 1) * (payload.length + 200) + 64 * 1024);
      expect(durable.broker.accounting.accepted).toBeLessThan(publishers.length * count);
      for (const publisher of publishers) expect(acknowledged(publisher)).toEqual([]);
      durable.level.release();
      for (const publisher of publishers) await publisher.expectPackets('puback', count);
      expect(durable.broker.accounting).toMatchObject({ accepted: 600, waiting: 600, dropped: 0, missing: 0 });
    },
  );
});

/** Waits until so many publishers have been held. */
async function untilHeld(durable: DurableBroker, count: number): Promise<void> {
  while (durable.broker.metrics.publishersHeld < count) await nextTurn();
}

describe('retained messages above their limits', () => {
  it('are refused to an MQTT 5 publisher with 0x97 at QoS 1 and 2, and nobody gets them', async () => {
    const test = await TestBroker.start({ limits: { retainedMaximumMessages: 1, retainedOverflow: 'refuse' } });
    const publisher = await test.connect('p');
    const subscriber = await test.connect('s');
    await subscriber.subscribe('#', 0);
    publisher.send(publishPacket('a', 'x', { qos: 1, messageId: 1, retain: true }));
    expect((await publisher.expectPacket('puback')).reasonCode ?? 0).toBe(0);
    publisher.send(publishPacket('b', 'x', { qos: 1, messageId: 2, retain: true }));
    expect((await publisher.expectPacket('puback')).reasonCode).toBe(QUOTA_EXCEEDED);
    publisher.send(publishPacket('c', 'x', { qos: 2, messageId: 3, retain: true }));
    expect((await publisher.expectPacket('pubrec')).reasonCode).toBe(QUOTA_EXCEEDED);
    publisher.send({ cmd: 'pubrel', messageId: 3 });
    expect((await publisher.expectPacket('pubcomp')).reasonCode).toBe(0x92);
    // Told that it had failed, the publisher sent it again, and its subscribers had it twice.
    publisher.send(publishPacket('c', 'x', { qos: 2, messageId: 3, retain: true }));
    expect((await publisher.expectPacket('pubrec')).reasonCode).toBe(QUOTA_EXCEEDED);
    publisher.send(publishPacket('a', '', { qos: 2, messageId: 4, retain: true }));
    expect((await publisher.expectPacket('pubrec')).reasonCode ?? 0).toBe(0);
    publisher.send(publishPacket('c', 'x', { qos: 2, messageId: 3, retain: true }));
    expect((await publisher.expectPacket('pubrec')).reasonCode ?? 0).toBe(0);
    expect((await subscriber.expectPackets('publish', 3)).map(({ topic }) => topic)).toEqual(['a', 'a', 'c']);
    await subscriber.expectNothing();
    expect(test.broker.retainedCount).toBe(1);
    expect(test.broker.drops.of('retained-limit')).toBe(3);
  });

  it.each([
    [4, 1],
    [4, 2],
    [5, 0],
  ] as const)('are delivered and not retained if MQTT %i cannot be told at QoS %i', async (version, qos) => {
    const test = await TestBroker.start({ limits: { retainedMaximumMessages: 0 } });
    const subscriber = await test.connect('s');
    await subscriber.subscribe('#', 0);
    const publisher = await test.connect('p', { version });
    publisher.send(publishPacket('a', 'x', { qos, messageId: 1, retain: true }));
    expect((await subscriber.expectPacket('publish')).topic).toBe('a');
    expect(test.broker.retainedCount).toBe(0);
    expect(test.broker.drops.of('retained-limit')).toBe(1);
  });

  it.each(['a will', 'in-process'] as const)('are delivered and not retained: %s', async (source) => {
    const test = await TestBroker.start({ limits: { retainedMaximumMessages: 0 } });
    const subscriber = await test.connect('s');
    await subscriber.subscribe('#', 0);
    if (source === 'in-process') test.broker.publish({ topic: 'a', payload: 'x', qos: 1, retain: true });
    else {
      const will = { topic: 'a', payload: Buffer.from('x'), qos: 1, retain: true } as const;
      await test.drop(await test.connect('p', { will }), 'p');
    }
    expect((await subscriber.expectPacket('publish')).topic).toBe('a');
    expect(test.broker.drops.of('retained-limit')).toBe(1);
  });

  it('that are too large for them push out nothing', async () => {
    // One that could never have room made all others go.
    const limits = { retainedMaximumBytes: 1000, retainedOverflow: 'drop-oldest' } as const;
    const test = await TestBroker.start({ limits });
    const publisher = await test.connect('p');
    test.broker.publish({ topic: 'a', payload: 'x', retain: true });
    publisher.send(publishPacket('b', 'x'.repeat(2000), { qos: 1, messageId: 1, retain: true }));
    expect((await publisher.expectPacket('puback')).reasonCode).toBe(QUOTA_EXCEEDED);
    test.broker.publish({ topic: 'b', payload: 'x'.repeat(2000), retain: true });
    expect(test.broker.retainedCount).toBe(1);
    expect(test.broker.drops.of('retained-limit')).toBe(2);
  });

  it('push out the one that was set longest ago, if so configured, and after a restart too', async () => {
    const limits = { retainedMaximumMessages: 3, retainedOverflow: 'drop-oldest' } as const;
    const first = await DurableBroker.start({ limits });
    const publisher = await first.test.connect('p');
    const set = async (topic: string) => {
      publisher.send(publishPacket(topic, 'x', { qos: 1, messageId: 1, retain: true }));
      expect((await publisher.expectPacket('puback')).reasonCode ?? 0).not.toBe(QUOTA_EXCEEDED);
    };
    for (const topic of ['a', 'b', 'c', 'a', 'd']) await set(topic);
    expect(first.broker.drops.of('retained-limit')).toBe(1);
    const second = await first.crash();
    const client = await second.test.connect('c');
    await client.subscribe('#');
    const topics = (await client.expectPackets('publish', 3)).map(({ topic }) => topic);
    expect(topics.sort()).toEqual(['a', 'c', 'd']);
    await client.expectNothing();
  });

  it('went by the names of their topics after a restart, and not by their age', async () => {
    const limits = { retainedMaximumMessages: 3, retainedOverflow: 'drop-oldest' } as const;
    const first = await DurableBroker.start({ limits });
    for (const topic of ['c', 'b', 'a']) {
      first.broker.publish({ topic, payload: 'x', retain: true });
      first.clock.advance(1);
    }
    await first.settle();
    const second = await first.crash();
    for (const topic of ['d', 'e']) second.broker.publish({ topic, payload: 'x', retain: true });
    const client = await second.test.connect('c');
    await client.subscribe('#');
    const topics = (await client.expectPackets('publish', 3)).map(({ topic }) => topic);
    expect(topics.sort()).toEqual(['a', 'd', 'e']);
    await client.expectNothing();
  });

  it.each(['refuse', 'drop-oldest'] as const)('were kept out by others that had expired (%s)', async (overflow) => {
    const limits = { retainedMaximumMessages: 4, retainedOverflow: overflow } as const;
    const first = await DurableBroker.start({ limits });
    const set = async (client: RawClient, topic: string, messageExpiryInterval?: number) => {
      const properties = messageExpiryInterval === undefined ? {} : { messageExpiryInterval };
      client.send(publishPacket(topic, 'x', { qos: 1, messageId: 1, retain: true, properties }));
      return (await client.expectPacket('puback')).reasonCode ?? 0;
    };
    const publisher = await first.test.connect('p');
    await set(publisher, 'lives');
    for (const [topic, seconds] of Object.entries({ a: 20, b: 10, c: 10 })) await set(publisher, topic, seconds);
    first.clock.advance(10_000);
    for (const topic of ['d', 'e']) expect(await set(publisher, topic)).toBeLessThan(0x80);
    expect(first.broker.drops.of('expired')).toBe(2);
    expect(first.broker.drops.of('retained-limit')).toBe(0);
    await first.settle();
    // The expiry of what is restored is known too, and what made room does not come back.
    const second = await first.crash(10_000);
    expect(second.broker.retainedCount).toBe(4);
    expect(await set(await second.test.connect('p'), 'f')).toBeLessThan(0x80);
    expect(second.broker.drops.of('expired')).toBe(1);
    expect(second.broker.drops.of('retained-limit')).toBe(0);
    const client = await second.test.connect('c');
    await client.subscribe('#');
    const topics = (await client.expectPackets('publish', 4)).map(({ topic }) => topic);
    expect(topics.sort()).toEqual(['d', 'e', 'f', 'lives']);
    await client.expectNothing();
  });

  it('replace one on their own topic that has expired and makes room itself', async () => {
    const limits = { retainedMaximumBytes: 3000 };
    const durable = await DurableBroker.start({ limits });
    const fields = { topic: 't', qos: 1, retain: true } as const;
    durable.broker.publish({ ...fields, payload: 'x', messageExpiryInterval: 1 });
    durable.clock.advance(1000);
    durable.broker.publish({ ...fields, payload: Buffer.alloc(4000) });
    expect(durable.broker.retainedCount).toBe(0);
    expect(durable.broker.drops.of('retained-limit')).toBe(1);
    durable.broker.publish({ ...fields, payload: 'y' });
    await durable.settle();
    expect((await durable.crash()).broker.retainedCount).toBe(1);
  });
});
