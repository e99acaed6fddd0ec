/** What is written down of messages in queues, and how it is found: on a database that is cut off as by a crash. */
import { describe, expect, it } from 'vitest';
import type { TracedMessage, TracePage, TraceQuery } from '../../src/queues/history/trace-query.js';
import type { QueueOptions } from '../../src/queues/queue-options.js';
import { messageOf } from '../support/queue-world.js';
import { LevelQueueWorld, StoredQueueWorld } from '../support/stored-queue-world.js';

const KEPT_MS = 60_000;
const TRACED: Partial<QueueOptions> = { historyMs: KEPT_MS, retry: { delaysMs: [0] } };

async function find(world: StoredQueueWorld, query: TraceQuery): Promise<readonly TracedMessage[]> {
  await world.commit();
  return (await world.registry.search(query)).messages;
}

function kindsOf({ events }: TracedMessage): string[] {
  return events.map(({ kind }) => kind);
}

function textOf({ message }: TracedMessage): string {
  return message.payload.toString();
}

/** Lets the sweep come to its end, whatever it has to read in between. */
async function sweep(world: StoredQueueWorld, isDone: () => boolean | Promise<boolean>): Promise<void> {
  for (let turns = 0; turns < 3000; turns++) {
    if (await isDone()) return;
    world.clock.advance(10);
    // Reads as the sweep does, and waits for commits as it does: so it gets on at the same pace.
    await rowsOf(world);
  }
  throw new RangeError('the sweep did not come to its end');
}

async function rowsOf(world: StoredQueueWorld): Promise<number> {
  await world.commit();
  const scan = world.store.history?.scan({ from: 'history', to: 'history;' });
  if (scan === undefined) return 0;
  let count = 0;
  for (let rows = await scan.next(1000); rows.length > 0; rows = await scan.next(1000)) count += rows.length;
  await scan.close();
  return count;
}

function queueSequences({ messages }: TracePage): number[] {
  return messages.map(({ sequence }) => sequence);
}

describe('the history of a queue', () => {
  it('tells the life of a message from its arrival to its end, with its content', async () => {
    const world = await LevelQueueWorld.open();
    const queue = world.queue('q', TRACED);
    const { id } = world.enqueue(queue, 'hello', { key: 'device-7' }) as { id: string };
    const consumer = queue.openConsumer('worker-1');
    const [first] = await world.take(queue, 1, { consumer });
    world.clock.advance(100);
    queue.refuse([first?.receiptHandle as string], { delayMs: 500 });
    world.clock.advance(500);
    const [second] = await world.take(queue, 1, { consumer });
    queue.acknowledge([second?.receiptHandle as string]);
    const [found] = await find(world, { queue: 'q', id });
    expect(found).toMatchObject({ queue: 'q', id, state: 'done', entry: { key: 'device-7' } });
    const startMs = found?.arrivedAtMs as number;
    expect(found?.leftAtMs).toBe(startMs + 600);
    expect(found?.events).toEqual([
      { kind: 'enqueued', atMs: startMs, isMoved: false, from: '' },
      { kind: 'delivered', atMs: startMs, to: 'worker-1', attempt: 1 },
      { kind: 'returned', atMs: startMs + 100, by: 'worker-1', reason: 'refused', delayMs: 500, attempts: 1 },
      { kind: 'delivered', atMs: startMs + 600, to: 'worker-1', attempt: 2 },
      { kind: 'acknowledged', atMs: startMs + 600, by: 'worker-1' },
    ]);
    expect(textOf(found as TracedMessage)).toBe('hello');
  });

  it('follows a message under one id to the dead-letter queue and back', async () => {
    const world = await LevelQueueWorld.open();
    world.queue('dead', TRACED);
    const queue = world.queue('q', { ...TRACED, deadLetter: { queue: 'dead', maxReceives: 1 } });
    const { id } = world.enqueue(queue, 'poison') as { id: string };
    queue.refuse((await world.take(queue)).map(({ receiptHandle }) => receiptHandle));
    expect(await world.take(queue)).toEqual([]);
    const letters = await find(world, { id, order: 'oldest-first' });
    expect(letters.map(({ queue: name, state }) => [name, state])).toEqual([
      ['q', 'dead-lettered'],
      ['dead', 'ready'],
    ]);
    expect(letters[0]?.events.at(-1)).toMatchObject({ to: 'dead', reason: 'max-receives' });
    expect(letters[1]?.events[0]).toMatchObject({ isMoved: true, from: 'q' });

    world.registry.startRedrive('dead', { perSecond: 100 });
    for (let turn = 0; turn < 5; turn++) {
      world.clock.advance(200);
      await world.commit();
    }
    const life = await find(world, { id, order: 'oldest-first' });
    expect(life.map(({ queue: name, state }) => [name, state])).toEqual([
      ['q', 'dead-lettered'],
      ['dead', 'moved'],
      ['q', 'ready'],
    ]);
    expect(life[1]?.events.at(-1)).toMatchObject({ kind: 'moved', by: '', to: 'q' });
  });

  it('is forgotten when it has been kept for as long as is configured, and not before', async () => {
    const world = await LevelQueueWorld.open();
    const queue = world.queue('q', TRACED);
    world.enqueue(queue, 'stays');
    world.enqueue(queue, 'goes', { key: 'k' });
    const deliveries = await world.take(queue);
    queue.acknowledge([deliveries[1]?.receiptHandle as string]);
    await world.commit();
    world.clock.advance(KEPT_MS - 10_000);
    await world.commit();
    expect((await find(world, { queue: 'q' })).map(textOf)).toEqual(['goes', 'stays']);
    world.clock.advance(10_000);
    await sweep(world, () => world.registry.historyOf('q').expired === 1);
    expect((await find(world, { queue: 'q' })).map(textOf)).toEqual(['stays']);
    expect(world.registry.historyOf('q')).toMatchObject({ messages: 0, bytes: 0 });
    expect(kindsOf((await find(world, { queue: 'q' }))[0] as TracedMessage)).toEqual([
      'enqueued',
      'delivered',
      'returned',
    ]);
  });

  it('keeps no more bytes than it may: what left first goes first, and is counted', async () => {
    const world = await LevelQueueWorld.open();
    const queue = world.queue('q', { ...TRACED, historyMaxBytes: 5000 });
    for (let at = 0; at < 40; at++) world.enqueue(queue, `m${at}`);
    for (const { receiptHandle } of await world.take(queue, 40)) {
      queue.acknowledge([receiptHandle]);
      await world.commit();
    }
    await sweep(world, () => world.registry.historyOf('q').bytes <= 5000);
    const { messages, evicted, expired } = world.registry.historyOf('q');
    expect(messages + evicted).toBe(40);
    expect(expired).toBe(0);
    expect((await find(world, { queue: 'q', order: 'oldest-first' })).map(textOf)).toEqual(
      Array.from({ length: messages }, (_, at) => `m${at + evicted}`),
    );
  });

  it('tells of a purge and of a deletion, and then forgets everything', async () => {
    let world = await LevelQueueWorld.open();
    const queue = world.queue('q', TRACED);
    world.enqueue(queue, 'purged');
    await world.commit();
    world.registry.purge('q');
    world.enqueue(queue, 'deleted');
    await world.commit();
    world.registry.delete('q');
    world = await world.restart(1000);
    const found = await find(world, { queue: 'q', order: 'oldest-first' });
    expect(found.map((message) => [textOf(message), message.state, message.events.at(-1)])).toEqual([
      ['purged', 'dropped', expect.objectContaining({ reason: 'purged' })],
      ['deleted', 'dropped', expect.objectContaining({ reason: 'deleted' })],
    ]);
    world.clock.advance(KEPT_MS);
    await sweep(world, async () => (await world.registry.search({ queue: 'q' }).catch(() => null)) === null);
    expect(await rowsOf(world)).toBe(0);
    await expect(world.registry.search({ queue: 'q' })).rejects.toMatchObject({ code: 'ERR_QUEUE_NOT_FOUND' });
    world = await world.restart();
    await expect(world.registry.search({ queue: 'q' })).rejects.toMatchObject({ code: 'ERR_QUEUE_NOT_FOUND' });
  });

  it('goes when it is turned off, and begins anew when it is turned on', async () => {
    let world = await LevelQueueWorld.open();
    const queue = world.queue('q', TRACED);
    world.enqueue(queue, 'done');
    queue.acknowledge((await world.take(queue)).map(({ receiptHandle }) => receiptHandle));
    world.enqueue(queue, 'waiting');
    await world.commit();
    world.registry.configure('q', { historyMs: 0 });
    await expect(world.registry.search({ queue: 'q' })).rejects.toMatchObject({ code: 'ERR_NO_HISTORY' });
    await sweep(world, async () => (await rowsOf(world)) === 0);
    world.registry.configure('q', { historyMs: KEPT_MS });
    world.enqueue(world.queue('q'), 'new');
    world = await world.restart();
    for (const { receiptHandle } of await world.take(world.queue('q'))) world.queue('q').acknowledge([receiptHandle]);
    expect((await find(world, { queue: 'q' })).map((message) => [textOf(message), message.state])).toEqual([
      ['new', 'done'],
    ]);
    world.clock.advance(KEPT_MS + 1000);
    await sweep(world, async () => (await rowsOf(world)) === 0);
  });

  it('is counted anew after a restart, and swept from where that was', async () => {
    let world = await LevelQueueWorld.open();
    const queue = world.queue('q', TRACED);
    for (let at = 0; at < 3; at++) world.enqueue(queue, `m${at}`);
    for (const { receiptHandle } of await world.take(queue)) {
      queue.acknowledge([receiptHandle]);
      await world.commit();
      world.clock.advance(1000);
    }
    const before = world.registry.historyOf('q');
    expect(before.messages).toBe(3);
    world = await world.crash();
    await sweep(world, () => world.registry.historyOf('q').messages === 3);
    expect(world.registry.historyOf('q').bytes).toBe(before.bytes);
    world.clock.advance(KEPT_MS);
    await sweep(world, async () => (await rowsOf(world)) === 0);
    expect(world.registry.historyOf('q')).toMatchObject({ messages: 0, bytes: 0, expired: 3, evicted: 0 });
  });

  it('says since when it goes back', async () => {
    let world = await LevelQueueWorld.open();
    const queue = world.queue('q', TRACED);
    const oldest = (): number | null => world.registry.historyOf('q').oldestLeftAtMs;
    expect(oldest()).toBeNull();
    for (let at = 0; at < 2; at++) world.enqueue(queue, `m${at}`);
    const leftAtMs: number[] = [];
    for (const { receiptHandle } of await world.take(queue)) {
      queue.acknowledge([receiptHandle]);
      leftAtMs.push(world.clock.now());
      await world.commit();
      world.clock.advance(5000);
    }
    expect(oldest()).toBe(leftAtMs[0]);
    world = await world.crash();
    await sweep(world, () => oldest() !== null);
    expect(oldest()).toBe(leftAtMs[0]);
    world.clock.advance(KEPT_MS - 7000);
    await sweep(world, () => oldest() !== leftAtMs[0]);
    expect(oldest()).toBe(leftAtMs[1]);
    world.clock.advance(KEPT_MS);
    await sweep(world, () => oldest() === null);
    expect(world.registry.historyOf('q')).toMatchObject({ messages: 0, expired: 2 });
  });

  it('goes with a queue whose definition is damaged, when that is given up', async () => {
    let world = await LevelQueueWorld.open();
    const queue = world.queue('q', TRACED);
    for (let at = 0; at < 3; at++) world.enqueue(queue, `m${at}`);
    queue.acknowledge([(await world.take(queue))[0]?.receiptHandle as string]);
    const { number } = queue;
    world.log.queueSaved(number, Buffer.from('{"name'));
    await world.commit();
    world = await world.crash();
    expect(world.registry.quarantined).toEqual([{ number, messages: 2 }]);
    const rows = await rowsOf(world);
    expect(rows).toBeGreaterThan(0);
    world.clock.advance(100);
    expect(await rowsOf(world)).toBe(rows);
    world.registry.giveUpQuarantined(number);
    await world.commit();
    expect((await world.registry.search({})).messages).toEqual([]);
    // What is left of it goes after a restart.
    world = await world.crash();
    expect(world.registry.quarantined).toEqual([]);
    await sweep(world, async () => (await rowsOf(world)) === 0);
    world = await world.crash();
    expect(world.registry.quarantined).toEqual([]);
    expect(world.registry.historyOf('').messages).toBe(0);
  });

  it('tells that a consumer went, and that a whole process did', async () => {
    let world = await LevelQueueWorld.open();
    const queue = world.queue('q', TRACED);
    const { id } = world.enqueue(queue, 'x') as { id: string };
    const consumer = queue.openConsumer('one');
    await world.take(queue, 1, { consumer, visibilityTimeoutMs: null });
    queue.closeConsumer(consumer, true);
    await world.take(queue, 1, { consumer: queue.openConsumer('two'), visibilityTimeoutMs: null });
    world = await world.crash(500);
    const [found] = await find(world, { id });
    expect(found?.state).toBe('ready');
    expect(found?.events.map((event) => ('by' in event ? [event.kind, event.by] : [event.kind]))).toEqual([
      ['enqueued'],
      ['delivered'],
      ['returned', 'one'],
      ['delivered'],
      ['returned', ''],
    ]);
    expect(found?.events.at(-1)).toMatchObject({ reason: 'consumer-gone' });
  });

  it('keeps the first receives of a message and the last, however many there are', async () => {
    const world = await LevelQueueWorld.open();
    const queue = world.queue('q', { ...TRACED, visibilityTimeoutMs: 0 });
    const { id } = world.enqueue(queue, 'x') as { id: string };
    for (let attempt = 1; attempt <= 200; attempt++) {
      const [delivery] = await world.take(queue, 1, { visibilityTimeoutMs: 1000 });
      if (attempt < 200) queue.refuse([delivery?.receiptHandle as string]);
      else queue.acknowledge([delivery?.receiptHandle as string]);
    }
    const [found] = await find(world, { id });
    const attempts = found?.events.flatMap((event) => (event.kind === 'delivered' ? [event.attempt] : []));
    expect(attempts).toEqual([...Array.from({ length: 119 }, (_, at) => at + 1), 200]);
    expect(found?.events.at(-1)).toMatchObject({ kind: 'acknowledged' });
    world.clock.advance(KEPT_MS + 1000);
    await sweep(world, async () => (await rowsOf(world)) === 0);
  });

  it('forgets a message that the queue has lost, when it could not be there any more', async () => {
    const world = await LevelQueueWorld.open();
    world.queue('q', { ...TRACED, retentionMs: 10_000 });
    world.enqueue(world.queue('q'), 'lost');
    await world.commit();
    const { number } = world.queue('q');
    // As damage would have it: the log has nothing of it any more, and nobody has said how it went.
    for (const sequence of queueSequences(await world.registry.search({ queue: 'q' }))) {
      world.log.settle(number, sequence);
    }
    const crashed = await world.crash();
    expect(crashed.queue('q').statistics.ready).toBe(0);
    expect(await find(crashed, { queue: 'q' })).toHaveLength(1);
    crashed.clock.advance(2 * 10_000 + KEPT_MS + 3_600_000);
    await sweep(crashed, async () => (await rowsOf(crashed)) === 0);
  });

  it('tells that a message gave way to a newer one of its key', async () => {
    const world = await LevelQueueWorld.open();
    const queue = world.queue('q', { ...TRACED, compactBy: 'key' });
    for (const text of ['old', 'new']) world.enqueue(queue, text, { key: 'k' });
    const found = await find(world, { key: 'k', order: 'oldest-first' });
    expect(found.map((message) => [textOf(message), message.state])).toEqual([
      ['old', 'dropped'],
      ['new', 'ready'],
    ]);
    expect(found[0]?.events.at(-1)).toMatchObject({ reason: 'compacted' });
  });

  it('says what it cannot search', async () => {
    const world = await LevelQueueWorld.open();
    world.queue('silent');
    world.enqueue(world.queue('q', TRACED), 'one');
    await world.commit();
    await expect(world.registry.search({ queue: 'silent' })).rejects.toMatchObject({ code: 'ERR_NO_HISTORY' });
    await expect(world.registry.search({ queue: 'none' })).rejects.toMatchObject({ code: 'ERR_QUEUE_NOT_FOUND' });
    expect((await world.registry.search({})).queuesWithoutHistory).toEqual(['silent']);
    for (const query of [
      { limit: 0 },
      { limit: 1001 },
      { cursor: 'x' },
      { topic: 'a/#/b' },
      { id: '' },
      { order: 'up' as never },
    ]) {
      await expect(world.registry.search(query)).rejects.toMatchObject({ code: 'ERR_INVALID_TRACE_QUERY' });
    }
  });

  it('is not kept where nothing outlives the process', async () => {
    const world = await StoredQueueWorld.start();
    const queue = world.queue('q', TRACED);
    world.registry.enqueue(messageOf('one'), [{ queue, options: {} }]);
    expect(await world.take(queue)).toHaveLength(1);
    await expect(world.registry.search({ queue: 'q' })).rejects.toMatchObject({ code: 'ERR_NO_HISTORY' });
  });
});
