/** What is published comes into work queues, by rules: through the real broker, and across restarts. */
import { describe, expect, it, vi } from 'vitest';
import type { BridgeRule } from '../../src/bridge/bridge-rule.js';
import { WorkQueues } from '../../src/cli/work-queues.js';
import type { Delivery } from '../../src/queues/delivery.js';
import { DEFAULT_QUEUE_OPTIONS, type QueueOptions } from '../../src/queues/queue-options.js';
import { MemoryStore } from '../../src/store/memory-store.js';
import { DelayedStore } from '../support/delayed-store.js';
import { DurableBroker } from '../support/durable-broker.js';
import { ManualClock } from '../support/manual-clock.js';
import type { RawClient } from '../support/raw-client.js';
import { persistent, TestBroker } from '../support/test-broker.js';

type Rule = Partial<BridgeRule>;

function settingsOf(rules: readonly Rule[], queues: Readonly<Record<string, Partial<QueueOptions>>> = { q: {} }) {
  return {
    queues: new Map(Object.entries(queues).map(([name, options]) => [name, { ...DEFAULT_QUEUE_OPTIONS, ...options }])),
    rules: rules.map(
      (rule, place): BridgeRule => ({ name: `rule-${place}`, topics: ['t'], queues: ['q'], onFull: 'refuse', ...rule }),
    ),
  };
}

async function start(rules: readonly Rule[], queues?: Readonly<Record<string, Partial<QueueOptions>>>) {
  const clock = new ManualClock();
  const store = new MemoryStore();
  const workQueues = new WorkQueues(store, clock, settingsOf(rules, queues));
  const test = await TestBroker.start({ clock, store, workQueues, limits: { storageFailureTimeoutMs: 2000 } });
  return { test, store, workQueues, clock };
}

/** Receives what is there. */
async function take({ registry }: WorkQueues, name = 'q', max = 100): Promise<readonly Delivery[]> {
  return await new Promise((resolve) => {
    registry.find(name)?.receive({ max }, { onReceived: resolve });
  });
}

function publish(
  client: RawClient,
  fields: { topic: string; payload: string; qos: 0 | 1 | 2; messageId?: number; retain?: boolean },
): void {
  client.send({ cmd: 'publish', dup: false, retain: false, ...fields });
}

async function textsOf(workQueues: WorkQueues, name = 'q'): Promise<string[]> {
  return (await take(workQueues, name)).map(({ message }) => message.payload.toString());
}

describe('a rule', () => {
  it('takes messages of QoS 0, 1 and 2 of its topics, with RETAIN or without, into the queue in order', async () => {
    const { test, workQueues } = await start([{ topics: ['a/+', 't'] }]);
    const client = await test.connect('c');
    publish(client, { topic: 'a/b', payload: 'zero', qos: 0 });
    publish(client, { topic: 't', payload: 'one', qos: 1, messageId: 1 });
    expect(await client.expectPacket('puback')).toMatchObject({ reasonCode: 0 });
    publish(client, { topic: 't', payload: 'two', qos: 2, messageId: 2, retain: true });
    expect(await client.expectPacket('pubrec')).toMatchObject({ reasonCode: 0 });
    publish(client, { topic: 'other', payload: 'none', qos: 1, messageId: 3 });
    expect(await client.expectPacket('puback')).toMatchObject({ reasonCode: 0x10 });
    const deliveries = await take(workQueues);
    expect(deliveries.map(({ message }) => [message.topic, message.payload.toString(), message.publisherId])).toEqual([
      ['a/b', 'zero', 'c'],
      ['t', 'one', 'c'],
      ['t', 'two', 'c'],
    ]);
  });

  it('leaves subscribers what they get', async () => {
    const { test, workQueues, store } = await start([{}]);
    const kept = await test.connect('kept', persistent(5));
    await kept.subscribe('t', 1);
    await test.drop(kept, 'kept');
    const live = await test.connect('live');
    await live.subscribe('t', 1);
    const client = await test.connect('c');
    publish(client, { topic: 't', payload: 'x', qos: 1, messageId: 1 });
    expect((await live.expectPacket('publish')).payload.toString()).toBe('x');
    await client.expectPacket('puback');
    expect(store.log.messages).toBe(1);
    expect(await textsOf(workQueues)).toEqual(['x']);
    const { client: again } = await test.connectFully('kept', persistent(5));
    expect((await again.expectPacket('publish')).payload.toString()).toBe('x');
    expect(test.broker.accounting.missing).toBe(0);
  });

  it('takes wills, and what the broker publishes itself, but $SYS only by name', async () => {
    const { test, workQueues } = await start([{ topics: ['#'] }, { topics: ['$SYS/#'], queues: ['sys'] }], {
      q: {},
      sys: {},
    });
    const client = await test.open(5);
    await client.connect({
      clientId: 'c',
      will: { topic: 'gone', payload: Buffer.from('will'), qos: 1, retain: false },
    });
    await test.drop(client, 'c');
    test.broker.publish({ topic: 'own', payload: 'api' });
    test.broker.publish({ topic: '$SYS/own', payload: 'figure' });
    expect(await textsOf(workQueues)).toEqual(['will', 'api']);
    expect(await textsOf(workQueues, 'sys')).toEqual(['figure']);
  });

  it('with several queues, and several rules, stores the message once; a queue gets it from the first rule', async () => {
    const rules = [
      { queues: ['a', 'b'], attributes: { by: 'first' } },
      { topics: ['#'], queues: ['b', 'c'], attributes: { by: 'second' } },
    ];
    const { test, store, workQueues } = await start(rules, { a: {}, b: {}, c: {} });
    test.broker.publish({ topic: 't', payload: 'x' });
    expect(store.log.messages).toBe(1);
    const attributes = [];
    for (const name of ['a', 'b', 'c']) {
      const [delivery] = await take(workQueues, name);
      attributes.push(delivery?.entry.attributes);
      workQueues.registry.find(name)?.acknowledge([delivery?.receiptHandle ?? '']);
    }
    expect(attributes).toEqual([[['by', 'first']], [['by', 'first']], [['by', 'second']]]);
    expect(store.log.messages).toBe(0);
  });

  it('looks at user properties and at fields of a JSON payload', async () => {
    const { test, workQueues } = await start([
      {
        where: [
          { property: 'kind', in: ['alarm', 'fault'] },
          { json: 'reading.celsius', greaterThan: 80, atMost: 200 },
          { json: 'site', prefix: 'eu-', not: 'eu-test' },
          { json: 'muted', exists: false },
        ],
      },
    ]);
    const say = (payload: unknown, kind = 'alarm'): void => {
      const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
      test.broker.publish({ topic: 't', payload: text, userProperties: [['kind', kind]] });
    };
    say({ id: 1, reading: { celsius: 81 }, site: 'eu-1' });
    say({ id: 2, reading: { celsius: 80 }, site: 'eu-1' });
    say({ id: 3, reading: { celsius: 201 }, site: 'eu-1' });
    say({ id: 4, reading: { celsius: 90 }, site: 'eu-test' });
    say({ id: 5, reading: { celsius: 90 }, site: 'us-1' });
    say({ id: 6, reading: { celsius: 90 }, site: 'eu-1', muted: true });
    say({ id: 7, reading: { celsius: 90 }, site: 'eu-1' }, 'info');
    say({ id: 8, reading: { celsius: 90 }, site: 'eu-1' }, 'fault');
    say('{"reading":');
    say('plain text');
    say({ id: 9, reading: null, site: 'eu-1' });
    const texts = await textsOf(workQueues);
    expect(texts.map((text) => (JSON.parse(text) as { id: number }).id)).toEqual([1, 8]);
  });

  it('takes group, key, priority, deduplication id and delay from where it says', async () => {
    const { test, workQueues, clock } = await start(
      [
        {
          topics: ['sites/+/+'],
          group: { topicLevel: 2 },
          key: 'topic',
          priority: { json: 'urgency' },
          deduplicationId: { property: 'id' },
          delay: { property: 'delay', maximumMs: 5000 },
        },
      ],
      { q: { deduplication: { by: 'id', windowMs: 60_000 } } },
    );
    const say = (id: string, urgency: unknown, delay: string): void =>
      test.broker.publish({
        topic: 'sites/berlin/1',
        payload: JSON.stringify({ urgency }),
        userProperties: [
          ['id', id],
          ['delay', delay],
        ],
      });
    say('1', 7, '0');
    say('1', 7, '0');
    say('2', 12, '3600');
    say('3', 'x', 'soon');
    const now = await take(workQueues);
    expect(now.map(({ entry }) => [entry.deduplicationId, entry.group, entry.key, entry.priority])).toEqual([
      ['1', 'berlin', 'sites/berlin/1', 7],
      ['3', 'berlin', 'sites/berlin/1', 0],
    ]);
    clock.advance(5000);
    expect((await take(workQueues)).map(({ entry }) => entry.deduplicationId)).toEqual(['2']);
  });

  it('does not bring retained messages of before', async () => {
    const { test, workQueues } = await start([{ topics: ['later'] }]);
    test.broker.publish({ topic: 'later', payload: 'kept', retain: true });
    expect(await textsOf(workQueues)).toEqual(['kept']);
    const client = await test.connect('c');
    await client.subscribe('later', 1);
    await client.expectPacket('publish');
    expect(await textsOf(workQueues)).toEqual([]);
  });
});

describe('a queue that is full', () => {
  it('has the publisher told by a rule that refuses: 0x97, and nobody gets the message', async () => {
    const { test, workQueues } = await start([{ queues: ['big', 'q'] }], { q: { maxMessages: 1 }, big: {} });
    const live = await test.connect('live');
    await live.subscribe('t', 1);
    const client = await test.connect('c');
    publish(client, { topic: 't', payload: 'one', qos: 1, messageId: 1 });
    expect(await client.expectPacket('puback')).toMatchObject({ reasonCode: 0 });
    await live.expectPacket('publish');
    publish(client, { topic: 't', payload: 'two', qos: 1, messageId: 2 });
    expect(await client.expectPacket('puback')).toMatchObject({ reasonCode: 0x97 });
    publish(client, { topic: 't', payload: 'three', qos: 2, messageId: 3 });
    expect(await client.expectPacket('pubrec')).toMatchObject({ reasonCode: 0x97 });
    await live.expectNothing();
    expect(await textsOf(workQueues, 'big')).toEqual(['one']);
    expect(test.broker.drops.of('work-queue-full')).toBe(2);
    expect([...workQueues.registry.queues()].map(({ missing }) => missing)).toEqual([0, 0]);
  });

  it('has an MQTT 3 publisher wait until there is room', async () => {
    const { test, workQueues, clock } = await start([{}], { q: { maxMessages: 1 } });
    const client = await test.connect('c', { version: 4 });
    publish(client, { topic: 't', payload: 'one', qos: 1, messageId: 1 });
    await client.expectPacket('puback');
    publish(client, { topic: 't', payload: 'two', qos: 1, messageId: 2 });
    await vi.waitFor(() => expect(test.broker.metrics.publishersHeld).toBe(1));
    const [delivery] = await take(workQueues);
    workQueues.registry.find('q')?.acknowledge([delivery?.receiptHandle ?? '']);
    clock.advance(1000);
    expect((await client.expectPacket('puback')).messageId).toBe(2);
    expect(await textsOf(workQueues)).toEqual(['two']);
  });

  it('has an MQTT 3 publisher disconnected that has waited in vain', async () => {
    const { test, clock } = await start([{}], { q: { maxMessages: 1 } });
    const client = await test.connect('c', { version: 4 });
    publish(client, { topic: 't', payload: 'one', qos: 1, messageId: 1 });
    await client.expectPacket('puback');
    publish(client, { topic: 't', payload: 'two', qos: 1, messageId: 2 });
    for (let held = 1; held <= 4; held++) {
      await vi.waitFor(() => expect(test.broker.metrics.publishersHeld).toBe(held));
      clock.advance(held < 4 ? 500 : 1000);
    }
    await client.expectClosed();
  });

  it('lets the message go to everybody else by a rule that drops, and counts it', async () => {
    const { test, workQueues } = await start([{ onFull: 'drop' }], { q: { maxMessages: 1 } });
    const live = await test.connect('live');
    await live.subscribe('t', 0);
    const client = await test.connect('c');
    for (const messageId of [1, 2]) {
      publish(client, { topic: 't', payload: 'x', qos: 1, messageId });
      expect(await client.expectPacket('puback')).toMatchObject({ reasonCode: 0 });
      await live.expectPacket('publish');
    }
    expect(test.broker.drops.of('work-queue-full')).toBe(1);
    expect((await take(workQueues)).length).toBe(1);
  });

  it('moves its oldest to the dead-letter queue, and takes the new one, which sessions get under its own number', async () => {
    // What makes room is put into the log too: it must not take the number that sessions have noted for the new message.
    const options = {
      maxMessages: 1,
      overflow: 'dead-letter-oldest',
      deadLetter: { queue: 'dead', maxReceives: 3 },
    } as const;
    const { test, workQueues } = await start([{}], { q: options, dead: {} });
    const kept = await test.connect('kept', persistent(5));
    await kept.subscribe('t', 1);
    await test.drop(kept, 'kept');
    for (const payload of ['one', 'two', 'three']) test.broker.publish({ topic: 't', payload, qos: 1 });
    expect(await textsOf(workQueues)).toEqual(['three']);
    expect(await textsOf(workQueues, 'dead')).toEqual(['one', 'two']);
    const { client } = await test.connectFully('kept', persistent(5));
    const received = [];
    for (let left = 3; left > 0; left--) received.push((await client.expectPacket('publish')).payload.toString());
    expect(received).toEqual(['one', 'two', 'three']);
  });
});

describe('a queue that can remember no more deduplication ids', () => {
  const OPTIONS = { deduplication: { by: 'content', windowMs: 1000 }, maxDeduplicationBytes: 1 } as const;

  it('has an MQTT 5 publisher told: 0x97', async () => {
    const { test, workQueues } = await start([{}], { q: OPTIONS });
    const client = await test.connect('c');
    for (const [index, [payload, reasonCode]] of (
      [
        ['one', 0],
        ['one', 0],
        ['two', 0x97],
      ] as const
    ).entries()) {
      publish(client, { topic: 't', payload, qos: 1, messageId: index + 1 });
      expect(await client.expectPacket('puback')).toMatchObject({ reasonCode });
    }
    expect(await textsOf(workQueues, 'q')).toEqual(['one']);
    expect(test.broker.drops.of('work-queue-full')).toBe(1);
  });

  it('has an MQTT 3 publisher wait until the first ids have outlived the window', async () => {
    const { test, workQueues, clock } = await start([{}], { q: OPTIONS });
    const client = await test.connect('c', { version: 4 });
    publish(client, { topic: 't', payload: 'one', qos: 1, messageId: 1 });
    await client.expectPacket('puback');
    publish(client, { topic: 't', payload: 'two', qos: 1, messageId: 2 });
    await vi.waitFor(() => expect(test.broker.metrics.publishersHeld).toBe(1));
    clock.advance(1000);
    expect((await client.expectPacket('puback')).messageId).toBe(2);
    expect(await textsOf(workQueues, 'q')).toEqual(['one', 'two']);
  });
});

describe('with a disk', () => {
  it('PUBACK waits for the commit that holds the message', async () => {
    const clock = new ManualClock();
    const store = new DelayedStore();
    const { journal } = store;
    const workQueues = new WorkQueues(store, clock, settingsOf([{}]));
    const test = await TestBroker.start({ clock, store, workQueues });
    journal.settle();
    const client = await test.connect('c');
    publish(client, { topic: 't', payload: 'x', qos: 1, messageId: 1 });
    await client.expectNothing();
    journal.settle();
    expect(await client.expectPacket('puback')).toMatchObject({ reasonCode: 0 });
  });

  it('that takes nothing, messages of QoS 0 are dropped and counted: they would wait for it in memory', async () => {
    const clock = new ManualClock();
    const store = new DelayedStore(false);
    const workQueues = new WorkQueues(store, clock, settingsOf([{}]));
    const test = await TestBroker.start({ clock, store, workQueues });
    store.setHealth({ state: 'full', sinceMs: 0, freeBytes: 0, minimumFreeBytes: 1 });
    test.broker.publish({ topic: 't', payload: 'x' });
    expect(test.broker.drops.of('storage-unavailable')).toBe(1);
    expect(store.log.messages).toBe(0);
    store.setHealth({ state: 'ok' });
    test.broker.publish({ topic: 't', payload: 'y' });
    expect(await textsOf(workQueues)).toEqual(['y']);
  });

  it('a restart and a crash keep the queues with what is in them', async () => {
    const workQueues = settingsOf([{ queues: ['q', 'other'] }], { q: {}, other: {} });
    const first = await DurableBroker.start({ workQueues });
    const client = await first.test.connect('c');
    for (const messageId of [1, 2, 3]) {
      publish(client, { topic: 't', payload: String(messageId), qos: 1, messageId });
      await client.expectPacket('puback');
    }
    const [delivery] = await take(first.workQueues, 'q', 1);
    first.workQueues.registry.find('q')?.acknowledge([delivery?.receiptHandle ?? '']);
    await first.settle();
    const crashed = await first.crash();
    expect(await textsOf(crashed.workQueues)).toEqual(['2', '3']);
    expect(await textsOf(crashed.workQueues, 'other')).toEqual(['1', '2', '3']);
    const restarted = await crashed.restart(31_000);
    expect(await textsOf(restarted.workQueues)).toEqual(['2', '3']);
    expect(restarted.workQueues.unconfigured).toEqual([]);
    expect(restarted.logged.filter(({ level }) => level >= 40)).toEqual([]);
  });
});

describe('the configured queues', () => {
  it('are changed where they are stored, but for their type; what is not configured any more stays', async () => {
    const first = await DurableBroker.start({ workQueues: settingsOf([], { q: {}, old: {} }) });
    await first.settle();
    const changed = await first.restart(0, { workQueues: settingsOf([], { q: { visibilityTimeoutMs: 1000 } }) });
    expect(changed.workQueues.registry.find('q')?.options.visibilityTimeoutMs).toBe(1000);
    expect(changed.workQueues.unconfigured).toEqual(['old']);
    await expect(changed.restart(0, { workQueues: settingsOf([], { q: { type: 'fifo' } }) })).rejects.toThrow(
      'queues.q.type is fifo, but the queue that is stored is a standard queue',
    );
  });

  it('tell how they are under $SYS', async () => {
    const clock = new ManualClock();
    const store = new MemoryStore();
    const workQueues = new WorkQueues(store, clock, settingsOf([{}]));
    const test = await TestBroker.start({ clock, store, workQueues, limits: { sysIntervalSeconds: 10 } });
    test.broker.publish({ topic: 't', payload: 'x' });
    clock.advance(10_000);
    const client = await test.connect('c');
    const figures: Record<string, string> = {};
    await client.subscribe('$SYS/broker/queues/#', 0);
    for (let left = 6; left > 0; left--) {
      const { topic, payload } = await client.expectPacket('publish');
      figures[topic.replace('$SYS/broker/queues/', '')] = payload.toString();
    }
    expect(figures).toMatchObject({ 'q/ready': '1', 'q/in-flight': '0', 'q/delayed': '0', 'q/oldest-age': '10' });
  });

  it('tell how much history there is of them, where they keep one', async () => {
    const workQueues = settingsOf([], { q: { historyMs: 60_000 }, plain: {} });
    const durable = await DurableBroker.start({ workQueues, limits: { sysIntervalSeconds: 10 } });
    const { test, workQueues: queues, clock } = durable;
    test.broker.publish({ topic: '$queue/q', payload: 'x', qos: 1 });
    const leftAtSeconds = Math.floor(clock.now() / 1000);
    queues.registry.find('q')?.acknowledge((await take(queues)).map(({ receiptHandle }) => receiptHandle));
    await durable.settle();
    clock.advance(10_000);
    const client = await test.connect('c');
    const figures: Record<string, string> = {};
    await client.subscribe('$SYS/broker/queues/+/history/#', 0);
    for (let left = 5; left > 0; left--) {
      const { topic, payload } = await client.expectPacket('publish');
      figures[topic.replace('$SYS/broker/queues/', '')] = payload.toString();
    }
    expect(figures).toEqual({
      'q/history/messages': '1',
      'q/history/bytes': expect.stringMatching(/^[1-9]\d+$/),
      'q/history/oldest-left': String(leftAtSeconds),
      'q/history/expired': '0',
      'q/history/evicted': '0',
    });
  });
});
