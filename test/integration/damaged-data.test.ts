import { describe, expect, it } from 'vitest';
import type { CommittedLevel } from '../../src/store/committed-level.js';
import { DurableBroker } from '../support/durable-broker.js';
import { publishPacket } from '../support/publish-packet.js';
import { persistent } from '../support/test-broker.js';

/** pino's number for warnings. */
const WARN = 40;

/** The keys that begin so, in order. */
function keysOf(level: CommittedLevel, prefix: string): Promise<string[]> {
  return level.keys({ gte: prefix, lt: `${prefix}~` }).all();
}

/** Changes one bit of a value. @param at which byte; from the end if negative */
async function flipBit(level: CommittedLevel, key: string | undefined, at: number): Promise<void> {
  const value = await level.get(key as string);
  if (value === undefined) throw new RangeError(`there is no ${key}`);
  const index = at < 0 ? value.length + at : at;
  value[index] = (value[index] as number) ^ 0x10;
  await level.put(key as string, value);
}

async function away(durable: DurableBroker, clientId: string, filter = 't'): Promise<void> {
  const client = await durable.test.connect(clientId, persistent(5));
  await client.subscribe(filter, 1);
  await client.disconnect();
  await durable.test.gone(clientId);
}

/** Publishes, in so many blocks of so many messages each; numbered. */
async function publishBlocks(durable: DurableBroker, blocks: number, perBlock: number): Promise<void> {
  const publisher = await durable.test.connect('p');
  let number = 0;
  for (let block = 0; block < blocks; block++) {
    const packets = Array.from({ length: perBlock }, (_, i) => {
      return publishPacket('t', `${number++}`.padEnd(5000, '.'), { qos: 1, messageId: i + 1 });
    });
    publisher.sendTogether(packets);
    await publisher.expectPackets('puback', perBlock);
  }
}

/** Numbers of the messages that the session gets; there must be so many. */
async function numbersFor(durable: DurableBroker, clientId: string, count: number): Promise<number[]> {
  const client = await durable.test.open(5);
  client.acknowledgesByItself = true;
  await client.connect({ clientId, ...persistent(5) });
  const packets = await client.expectPackets('publish', count);
  await client.expectNothing();
  return packets.map(({ payload }) => Number.parseInt(payload.toString(), 10));
}

describe('a bit that has changed in a block of messages', () => {
  it('loses its messages, which are counted and told once, and none of the others', async () => {
    const first = await DurableBroker.start();
    for (const clientId of ['s1', 's2']) await away(first, clientId);
    await publishBlocks(first, 4, 1);
    expect(await keysOf(first.level, 'log:')).toHaveLength(4);
    const second = await first.crash(0, async (level) => flipBit(level, (await keysOf(level, 'log:'))[1], -100));
    expect(second.damages).toEqual([1]);
    expect(second.broker.drops.of('storage-damaged')).toBe(1);
    expect(second.logged.filter(({ level }) => level === WARN)).toMatchObject([{ damaged: 0, lostMessages: 1 }]);
    for (const clientId of ['s1', 's2']) expect(await numbersFor(second, clientId, 3)).toEqual([0, 2, 3]);
    expect(second.broker.accounting).toMatchObject({ restored: 6, delivered: 6, waiting: 0, missing: 0 });
    await second.settle();
    const third = await second.crash();
    expect(third.damages).toEqual([]);
    expect(third.logged.filter(({ level }) => level >= WARN)).toEqual([]);
  });

  it.each([
    ['its payload', -1, 10],
    ['its checksum', 2, 10],
    ['its format', 0, 10],
    ['its number of messages, which cannot be told then', 11, 1],
  ])('in %s', async (_where, at, counted) => {
    const first = await DurableBroker.start();
    await away(first, 's');
    await publishBlocks(first, 1, 10);
    const [block, ...others] = await keysOf(first.level, 'log:');
    expect(others).toEqual([]);
    const second = await first.crash(0, (level) => flipBit(level, block, at));
    expect(second.broker.drops.of('storage-damaged')).toBe(counted);
    expect(await numbersFor(second, 's', 0)).toEqual([]);
    expect(second.broker.accounting).toMatchObject({ waiting: 0, missing: 0 });
    await publishBlocks(second, 1, 1);
    expect(second.broker.accounting).toMatchObject({ accepted: 1, dropped: 0, missing: 0 });
  });

  it('while the broker runs loses what was to be read back, counted for each session', async () => {
    const first = await DurableBroker.start();
    for (const clientId of ['s1', 's2']) await away(first, clientId);
    await publishBlocks(first, 3, 1);
    const second = await first.restart();
    await flipBit(second.level, (await keysOf(second.level, 'log:'))[0], -1);
    for (const clientId of ['s1', 's2']) expect(await numbersFor(second, clientId, 2)).toEqual([1, 2]);
    expect(second.damages).toEqual([1]);
    expect(second.broker.drops.of('storage-damaged')).toBe(2);
    expect(second.broker.accounting).toMatchObject({ restored: 6, delivered: 4, dropped: 2, waiting: 0, missing: 0 });
  });
});

describe('a damaged record', () => {
  /** Two sessions with two messages each, a will and two retained messages. */
  async function filled(): Promise<DurableBroker> {
    const durable = await DurableBroker.start();
    for (const clientId of ['bad', 'good']) await away(durable, clientId);
    await publishBlocks(durable, 1, 2);
    for (const topic of ['bad', 'good']) durable.broker.publish({ topic, payload: 'x', retain: true });
    await durable.test.connect('c', { will: { topic: 't', payload: '7', qos: 1, retain: false } });
    await durable.settle();
    return durable;
  }

  async function cut(level: CommittedLevel, key: string | undefined): Promise<void> {
    const value = await level.get(key as string);
    if (value === undefined) throw new RangeError(`there is no ${key}`);
    await level.put(key as string, value.subarray(0, value.length >> 1));
  }

  function warnings({ logged }: DurableBroker): unknown[] {
    return logged.filter(({ level }) => level >= WARN).map(({ damaged, lostMessages }) => [damaged, lostMessages]);
  }

  it('of nothing is told if there is none', async () => {
    const durable = await (await filled()).crash();
    expect(warnings(durable)).toEqual([]);
    expect(durable.logged).toMatchObject([{ sessions: 2, subscriptions: 2, retained: 2, messages: 4, damaged: 0 }]);
  });

  it('of a state has the session begin again where its subscriptions did', async () => {
    const durable = await (await filled()).crash(0, async (level) => cut(level, (await keysOf(level, 'state:'))[0]));
    expect(warnings(durable)).toEqual([[1, 0]]);
    for (const clientId of ['bad', 'good']) expect(await numbersFor(durable, clientId, 3)).toEqual([0, 1, 7]);
    expect(durable.broker.accounting.missing).toBe(0);
  });

  it('of a session loses that session, and what it had does not come back with the next one', async () => {
    const second = await (await filled()).crash(0, (level) => cut(level, 'session:bad'));
    // The session, and the subscription that is nobody's.
    expect(warnings(second)).toEqual([[2, 0]]);
    expect(second.broker.sessionCount).toBe(1);
    expect(await numbersFor(second, 'good', 3)).toEqual([0, 1, 7]);
    const { connack } = await second.test.connectFully('bad', persistent(5));
    expect(connack.sessionPresent).toBe(false);
    await second.settle();
    const third = await second.crash();
    expect(warnings(third)).toEqual([]);
    expect(third.broker.subscriptionCount).toBe(1);
  });

  it('of a subscription loses that subscription', async () => {
    const durable = await (await filled()).crash(0, (level) => cut(level, 'subscriptions:bad:t'));
    expect(warnings(durable)).toEqual([[1, 0]]);
    expect(await numbersFor(durable, 'bad', 0)).toEqual([]);
    expect(await numbersFor(durable, 'good', 3)).toEqual([0, 1, 7]);
    expect(durable.broker.accounting.missing).toBe(0);
  });

  it('of a will or a retained message loses only that', async () => {
    const durable = await (await filled()).crash(0, async (level) => {
      await cut(level, 'will:c');
      await cut(level, 'retained:bad');
    });
    expect(warnings(durable)).toEqual([[2, 0]]);
    expect(durable.broker.retainedCount).toBe(1);
    for (const clientId of ['bad', 'good']) expect(await numbersFor(durable, clientId, 2)).toEqual([0, 1]);
  });
});
