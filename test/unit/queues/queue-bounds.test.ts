/** The rules of a queue where they begin and end: the very millisecond, the first and the last receive, what a restart or a move keeps. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Delivery } from '../../../src/queues/delivery.js';
import type { ReceiptNotice } from '../../../src/queues/receipts.js';
import { QueueWorld, textOf } from '../../support/queue-world.js';

let world: QueueWorld;

beforeEach(() => {
  world = new QueueWorld();
});

function handlesOf(deliveries: readonly Delivery[]): string[] {
  return deliveries.map((delivery) => delivery.receiptHandle);
}

describe('time', () => {
  it('that is over counts before its timer has been called', () => {
    const queue = world.queue('q', { type: 'fifo', visibilityTimeoutMs: 1000 });
    world.enqueue(queue, 'one');
    const handles = handlesOf(world.take(queue));
    let outcomes: readonly string[] = [];
    world.clock.schedule(500, () => {
      outcomes = queue.acknowledge(handles);
    });
    world.clock.jump(1000);
    expect(outcomes).toEqual(['receipt-expired']);
  });

  it('of retention is over to the millisecond for whoever receives, before it is swept', () => {
    const queue = world.queue('q', { retentionMs: 10_000 });
    world.enqueue(queue, 'swept');
    world.clock.advance(500);
    world.enqueue(queue, 'old');
    world.clock.advance(9999);
    expect(queue.statistics.ready).toBe(1);
    world.clock.advance(1);
    expect(world.takeTexts(queue)).toEqual([]);
    expect(queue.statistics).toMatchObject({ ready: 0, inFlight: 0 });
  });

  it('of retention does not take away what somebody has in flight', () => {
    const queue = world.queue('q', { retentionMs: 10_000, visibilityTimeoutMs: 60_000 });
    world.enqueue(queue, 'one');
    const handles = handlesOf(world.take(queue));
    world.clock.advance(20_000);
    expect(queue.statistics.inFlight).toBe(1);
    expect(queue.acknowledge(handles)).toEqual(['done']);
  });

  it('by which a visibility timeout was extended outlives a crash', () => {
    const queue = world.queue('q', { visibilityTimeoutMs: 1000 });
    world.enqueue(queue, 'one');
    const handles = handlesOf(world.take(queue));
    queue.extend(handles, 10_000);
    world.log.commit();
    world.crash(false, 5000);
    expect(world.get('q').statistics.inFlight).toBe(1);
    world.clock.advance(5000);
    expect(world.get('q').statistics.inFlight).toBe(0);
  });

  it('of grace for an auto-delete queue begins anew with each last consumer', () => {
    const queue = world.queue('q', { autoDeleteAfterMs: 5000 });
    queue.closeConsumer(queue.openConsumer('one'), false);
    world.clock.advance(4000);
    const two = queue.openConsumer('two');
    world.clock.advance(500);
    queue.closeConsumer(two, false);
    world.clock.advance(4999);
    expect(world.registry.find('q')).toBe(queue);
    world.clock.advance(1);
    expect(world.registry.find('q')).toBeUndefined();
  });
});

describe('a receive', () => {
  it('does not count if the consumer could not even try', () => {
    const queue = world.queue('q', { deadLetter: { queue: 'dead', maxReceives: 1 } });
    world.enqueue(queue, 'one');
    for (let round = 0; round < 3; round++) {
      const [delivery] = world.take(queue) as [Delivery];
      expect(delivery.attempt).toBe(1);
      queue.refuse([delivery.receiptHandle], { delayMs: 0, isCounted: false });
    }
  });

  it('tells when the first one was', () => {
    const queue = world.queue('q');
    const firstMs = world.clock.now();
    world.enqueue(queue, 'one');
    queue.refuse(handlesOf(world.take(queue)), { delayMs: 0 });
    world.clock.advance(100);
    expect(world.take(queue)[0]).toMatchObject({ attempt: 2, firstReceivedAtMs: firstMs });
  });
});

describe('a queue that is purged without end', () => {
  it('knows handles of its last thousand lives, and forgets those before', () => {
    const queue = world.queue('q', {});
    world.enqueue(queue, 'one');
    const old = handlesOf(world.take(queue));
    for (let purges = 0; purges < 1000; purges++) world.registry.purge('q');
    expect(queue.acknowledge(old)).toEqual(['already-done']);
    world.registry.purge('q');
    expect(queue.acknowledge(old)).toEqual(['receipt-invalid']);
  });
});

describe('a message that comes', () => {
  it('makes room for itself by as many of the oldest as it takes', () => {
    const queue = world.queue('q', { overflow: 'drop-oldest', maxBytes: 1000 });
    const counts: number[] = [];
    while (counts.at(-1) !== counts.at(-2) || counts.length < 2) {
      world.enqueue(queue, 'x'.repeat(100));
      counts.push(queue.statistics.ready);
    }
    const last = world.enqueue(queue, 'y'.repeat(600));
    expect(last.status).toBe('enqueued');
    expect(queue.statistics.ready).toBeLessThan((counts.at(-1) as number) - 2);
    expect(queue.statistics.bytes).toBeLessThanOrEqual(1000);
    expect(queue.missing).toBe(0);
  });

  it('is no duplicate of what was given up', () => {
    const queue = world.queue('q', { deduplication: { by: 'id', windowMs: 60_000 } });
    world.enqueue(queue, 'one', { deduplicationId: 'x' });
    world.registry.purge('q');
    expect(world.enqueue(queue, 'two', { deduplicationId: 'x' }).status).toBe('enqueued');
  });

  it('is no duplicate of what was moved from another queue', () => {
    const dead = world.queue('dead', { deduplication: { by: 'id', windowMs: 60_000 } });
    const queue = world.queue('q', {
      deduplication: { by: 'id', windowMs: 60_000 },
      deadLetter: { queue: 'dead', maxReceives: 5 },
    });
    world.enqueue(queue, 'one', { deduplicationId: 'x' });
    queue.reject(handlesOf(world.take(queue)));
    expect(world.enqueue(dead, 'two', { deduplicationId: 'x' }).status).toBe('enqueued');
    expect(dead.statistics.ready).toBe(2);
  });
});

describe('a dead letter', () => {
  const deadLetter = { queue: 'dead', maxReceives: 1 };

  it('tells that it was rejected, whether it could be read at once or not', () => {
    const dead = world.queue('dead');
    const queue = world.queue('q', { deadLetter: { queue: 'dead', maxReceives: 5 } });
    for (const text of ['one', 'two']) world.enqueue(queue, text);
    const deliveries = world.take(queue);
    queue.reject(handlesOf(deliveries.slice(0, 1)));
    world.log.cool();
    queue.reject(handlesOf(deliveries.slice(1)));
    expect(dead.statistics.ready).toBe(1);
    expect(world.take(queue)).toEqual([]);
    world.log.load();
    const reasons = world.take(dead).map(({ entry }) => entry.origin?.reason);
    expect(reasons).toEqual(['rejected', 'rejected']);
  });

  it('is counted as one', () => {
    world.queue('dead');
    const queue = world.queue('q', { deadLetter });
    world.enqueue(queue, 'one');
    queue.reject(handlesOf(world.take(queue)));
    expect(queue.statistics.totals).toMatchObject({ deadLetters: 1 });
  });

  it('may be received at once, though it was still to wait where it comes from', () => {
    const dead = world.queue('dead');
    const queue = world.queue('q', { deadLetter, deadLetterExpired: true, retentionMs: 10_000 });
    world.enqueue(queue, 'one', { delayMs: 600_000 });
    world.clock.advance(30_000);
    expect(queue.statistics.delayed).toBe(0);
    expect(dead.statistics).toMatchObject({ ready: 1, delayed: 0 });
  });

  it('is what its publisher wanted nobody to get too late, if so configured', () => {
    const dead = world.queue('dead');
    const queue = world.queue('q', { deadLetter, deadLetterExpired: true });
    world.enqueue(queue, 'one', {}, world.clock.now() + 1000);
    world.clock.advance(1000);
    expect(world.take(queue)).toEqual([]);
    // Expired is what it stays: nobody gets it there, but it can be looked at.
    expect(queue.statistics.totals).toMatchObject({ deadLetters: 1 });
    expect(dead.statistics.ready).toBe(1);
  });

  it('that comes back gives way to a message with its key that came in the same millisecond', () => {
    world.queue('dead');
    const queue = world.queue('q', { deadLetter, compactBy: 'key' });
    world.enqueue(queue, 'worked on', { key: 'k' });
    queue.reject(handlesOf(world.take(queue)));
    world.enqueue(queue, 'new', { key: 'k' });
    world.registry.startRedrive('dead', { perSecond: 100 });
    world.clock.jump(0);
    expect(world.registry.redriveProgress('dead')).toMatchObject({ state: 'completed', moved: 1 });
    expect(world.takeTexts(queue)).toEqual(['new']);
  });

  it('that came after a redrive began stays, though some of those before it could not be moved', () => {
    const dead = world.queue('dead');
    const queue = world.queue('q', { deadLetter });
    for (const text of ['one', 'two', 'three']) world.enqueue(queue, text);
    queue.reject(handlesOf(world.take(queue)));
    world.registry.startRedrive('dead', { perSecond: 10 });
    const [held] = world.take(dead, 1);
    expect(held === undefined ? null : textOf(held)).toBe('one');
    world.enqueue(queue, 'late');
    queue.reject(handlesOf(world.take(queue)));
    world.clock.advance(5000);
    expect(world.registry.redriveProgress('dead')).toMatchObject({ state: 'completed', moved: 2, left: 1 });
    expect(dead.statistics).toMatchObject({ ready: 1, inFlight: 1 });
  });
});

describe('a receipt', () => {
  const notices: ReceiptNotice[] = [];

  beforeEach(() => {
    notices.length = 0;
    world.queue('dead');
    world.queue('q', { receipts: true, deadLetter: { queue: 'dead', maxReceives: 1 }, retry: { delaysMs: [0] } });
    world.registry.onReceipt = (notice) => void notices.push(notice);
    world.enqueue(world.get('q'), 'one', { id: 'id-1', receiptTo: 'answers' });
    world.log.commit();
  });

  it('tells of a message that was received too often', () => {
    const queue = world.get('q');
    queue.refuse(handlesOf(world.take(queue)));
    expect(notices).toEqual([]);
    world.take(queue);
    expect(notices).toEqual([{ queue: 'q', id: 'id-1', receiptTo: 'answers', result: 'dead-letter' }]);
  });

  it('comes also if the process died between receive and acknowledgement', () => {
    const handles = handlesOf(world.take(world.get('q')));
    world.crash();
    world.registry.onReceipt = (notice) => void notices.push(notice);
    expect(world.get('q').acknowledge(handles)).toEqual(['done']);
    expect(notices).toEqual([{ queue: 'q', id: 'id-1', receiptTo: 'answers', result: 'done' }]);
  });
});

describe('statistics', () => {
  it('tell how old the oldest message is, to some seconds, though the queue is never empty', () => {
    const queue = world.queue('q');
    expect(queue.statistics.oldestAgeMs).toBe(0);
    world.enqueue(queue, 'first');
    for (let minute = 1; minute <= 60; minute++) {
      world.clock.advance(60_000);
      world.enqueue(queue, `${minute}`);
      expect(queue.statistics.oldestAgeMs).toBe(60_000);
      queue.acknowledge(handlesOf(world.take(queue, 1)));
      expect(queue.statistics.oldestAgeMs).toBe(0);
    }
  });

  it('count receives that wait for room with those that wait for messages', () => {
    const queue = world.queue('q');
    const consumer = queue.openConsumer('c');
    world.enqueue(queue, 'one');
    world.take(queue, 1, { consumer, prefetch: 1 });
    world.ask(queue, { max: 1, consumer, prefetch: 1, waitMs: 1000 });
    world.ask(queue, { max: 1, waitMs: 1000 });
    expect(queue.statistics.waitingReceives).toBe(2);
  });
});

describe('a fifo queue that becomes a pipelined one', () => {
  it('has after a restart nothing in flight behind what waits for its retry', () => {
    const queue = world.queue('q', { type: 'fifo' });
    for (const text of ['one', 'two', 'three']) world.enqueue(queue, text, { group: 'g' });
    const [first] = world.take(queue);
    queue.refuse([(first as Delivery).receiptHandle], { delayMs: 5000 });
    expect(queue.statistics).toMatchObject({ delayed: 1, inFlight: 2 });
    world.registry.configure('q', { ordering: 'pipelined' });
    world.log.commit();
    world.crash();
    expect(world.get('q').statistics).toMatchObject({ delayed: 1, inFlight: 0, ready: 2 });
    expect(world.takeTexts(world.get('q'))).toEqual([]);
    world.clock.advance(5000);
    expect(world.takeTexts(world.get('q'))).toEqual(['one', 'two', 'three']);
  });
});
