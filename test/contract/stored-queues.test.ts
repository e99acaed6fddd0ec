/** Queues over the store: what the engine promises holds on the memory store, and on a database that is cut off as by a crash. */
import { describe, expect, it } from 'vitest';
import type { Delivery } from '../../src/queues/delivery.js';
import type { PeekPage } from '../../src/queues/peek.js';
import { messageOf, textOf } from '../support/queue-world.js';
import { LevelQueueWorld, StoredQueueWorld } from '../support/stored-queue-world.js';

function handlesOf(deliveries: readonly Delivery[]): string[] {
  return deliveries.map((delivery) => delivery.receiptHandle);
}

const worlds: readonly (readonly [name: string, open: () => Promise<StoredQueueWorld>])[] = [
  ['the memory store', () => StoredQueueWorld.start()],
  ['a database', () => LevelQueueWorld.open()],
  ['a database without a cache', () => LevelQueueWorld.open({ cacheBytes: 1 })],
];

describe.each(worlds)('queues in %s', (_name, open) => {
  it('give what was put in, in order, and are empty when it is acknowledged', async () => {
    const world = await open();
    const queue = world.queue('q');
    for (const text of ['one', 'two', 'three']) world.enqueue(queue, text, { attributes: [['n', text]] });
    await world.commit();
    const deliveries = await world.take(queue);
    expect(deliveries.map(textOf)).toEqual(['one', 'two', 'three']);
    expect(deliveries[1]?.entry.attributes).toEqual([['n', 'two']]);
    expect(queue.acknowledge(handlesOf(deliveries))).toEqual(['done', 'done', 'done']);
    await world.commit();
    expect(world.store.log.messages).toBe(0);
    expect(queue.missing).toBe(0);
  });

  it('move a message that was received too often to the dead-letter queue, with its content', async () => {
    const world = await open();
    const dead = world.queue('dead');
    const queue = world.queue('q', { deadLetter: { queue: 'dead', maxReceives: 2 }, retry: { delaysMs: [0] } });
    const { id } = world.enqueue(queue, 'poison') as { id: string };
    for (let attempt = 1; attempt <= 2; attempt++) {
      queue.refuse(handlesOf(await world.take(queue)));
    }
    expect(await world.take(queue)).toEqual([]);
    const [letter] = await world.take(dead);
    expect(letter?.entry).toMatchObject({ id, origin: { queue: 'q', reason: 'max-receives', receives: 2 } });
    expect(letter === undefined ? null : textOf(letter)).toBe('poison');
    expect(world.store.log.messages).toBe(1);
  });

  it('store a message for several queues once', async () => {
    const world = await open();
    const queues = ['a', 'b', 'c'].map((name) => world.queue(name));
    world.registry.enqueue(
      messageOf('all'),
      queues.map((queue) => ({ queue, options: {} })),
    );
    expect(world.store.log.messages).toBe(1);
    for (const queue of queues) {
      expect(world.store.log.messages).toBe(1);
      queue.acknowledge(handlesOf(await world.take(queue)));
    }
    expect(world.store.log.messages).toBe(0);
  });

  it('show their messages without giving them, page by page', async () => {
    const world = await open();
    const queue = world.queue('q');
    for (let n = 0; n < 250; n++) world.enqueue(queue, `${n}`, { group: `g${n % 3}` });
    await world.commit();
    const shown: string[] = [];
    for (let cursor: number | null = 0; cursor !== null; ) {
      const afterSequence: number = cursor;
      const page: PeekPage = await new Promise((onPeeked) => queue.peek({ max: 100, afterSequence }, { onPeeked }));
      shown.push(...page.messages.map(({ message }) => message.payload.toString()));
      cursor = page.cursor;
    }
    expect(shown).toEqual(Array.from({ length: 250 }, (_, n) => `${n}`));
    expect(queue.statistics).toMatchObject({ ready: 250, inFlight: 0 });
  });

  it('let go of what a purge has given up', async () => {
    const world = await open();
    const queue = world.queue('q');
    for (let n = 0; n < 5000; n++) world.enqueue(queue, String(n));
    world.registry.purge('q');
    world.enqueue(queue, 'new');
    world.clock.advance(100);
    expect(world.store.log.messages).toBe(1);
    expect((await world.take(queue)).map(textOf)).toEqual(['new']);
  });
});

describe('queues in a database, after a crash', () => {
  it('have what was committed, and nothing that was settled', async () => {
    const world = await LevelQueueWorld.open();
    const queue = world.queue('q');
    for (const text of ['one', 'two', 'three']) world.enqueue(queue, text);
    const deliveries = await world.take(queue, 1);
    queue.acknowledge(handlesOf(deliveries));
    await world.commit();
    const after = await world.crash();
    expect((await after.take(after.queue('q'))).map(textOf)).toEqual(['two', 'three']);
    expect(after.notices).toEqual([]);
  });

  it('keep attempts, deadlines and handles', async () => {
    const world = await LevelQueueWorld.open();
    const queue = world.queue('q', { visibilityTimeoutMs: 10_000 });
    world.enqueue(queue, 'one');
    const [first] = await world.take(queue);
    const after = await world.crash(4000);
    const again = after.queue('q');
    expect(again.statistics).toMatchObject({ inFlight: 1, ready: 0 });
    expect(await after.take(again)).toEqual([]);
    after.clock.advance(6000);
    const [second] = await after.take(again);
    expect(second?.attempt).toBe(2);
    expect(again.acknowledge([first?.receiptHandle ?? ''])).toEqual(['done']);
  });

  it('know ids that were accepted within the window', async () => {
    const world = await LevelQueueWorld.open();
    const queue = world.queue('q', { deduplication: { by: 'id', windowMs: 60_000 } });
    for (let n = 0; n < 300; n++) world.enqueue(queue, 'x', { deduplicationId: `id-${n}` });
    await world.commit();
    const after = await world.crash(1000);
    expect(after.enqueue(after.queue('q'), 'x', { deduplicationId: 'id-7' }).status).toBe('duplicate');
    after.clock.advance(60_000);
    expect(after.enqueue(after.queue('q'), 'x', { deduplicationId: 'id-7' }).status).toBe('enqueued');
    await after.commit();
    const later = await after.restart();
    expect(later.enqueue(later.queue('q'), 'x', { deduplicationId: 'id-8' }).status).toBe('enqueued');
  });

  it('never have a message in two queues that has moved between them', async () => {
    const world = await LevelQueueWorld.open();
    const dead = world.queue('dead');
    const queue = world.queue('q', { deadLetter: { queue: 'dead', maxReceives: 1 } });
    world.enqueue(queue, 'poison');
    const deliveries = await world.take(queue);
    queue.reject(handlesOf(deliveries));
    const before = await world.crash();
    await world.commit();
    const after = await world.crash();
    for (const { registry } of [before, after]) {
      const counts = ['q', 'dead'].map((name) => {
        const { ready, inFlight } = registry.find(name)?.statistics ?? { ready: 0, inFlight: 0 };
        return ready + inFlight;
      });
      expect(counts[0]).toBe(1 - (counts[1] ?? 0));
    }
    expect(dead.statistics.ready).toBe(1);
  });

  it('never get the number of a queue that is gone', async () => {
    const world = await LevelQueueWorld.open();
    const queue = world.queue('q');
    world.enqueue(queue, 'old');
    await world.commit();
    const { number } = queue;
    world.registry.delete('q');
    await world.commit();
    const after = await world.crash();
    expect(after.queue('q').number).toBeGreaterThan(number);
    expect(await after.take(after.queue('q'))).toEqual([]);
    expect(after.store.log.messages).toBe(0);
  });

  it('are not acted on before all of it is there: deadlines that ran out meanwhile find their messages', async () => {
    const world = await LevelQueueWorld.open();
    world.queue('dead');
    const queue = world.queue('q', {
      retentionMs: 5000,
      deadLetterExpired: true,
      deadLetter: { queue: 'dead', maxReceives: 3 },
    });
    for (let n = 0; n < 20; n++) world.enqueue(queue, String(n));
    await world.commit();
    const after = await world.crash(3000);
    // What is sent to the dead-letter queue has to be read first.
    for (let round = 0; round < 500 && after.queue('q').statistics.ready > 0; round++) {
      after.clock.advance(1000);
      await after.commit();
    }
    expect(after.queue('q').statistics.ready).toBe(0);
    expect(after.queue('q').missing + after.queue('dead').missing).toBe(0);
    expect(after.queue('q').counters.moved + after.queue('q').counters.dropped).toBe(20);
    expect(after.queue('q').counters.dropsOf('storage-damaged')).toBe(0);
  });
});
