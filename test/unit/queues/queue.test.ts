import { beforeEach, describe, expect, it } from 'vitest';
import type { Consumer } from '../../../src/queues/consumer.js';
import type { Delivery } from '../../../src/queues/delivery.js';
import type { Queue } from '../../../src/queues/queue.js';
import { encodeDefinition } from '../../../src/queues/queue-definition.js';
import { QueueNotFound } from '../../../src/queues/queue-errors.js';
import type { RedriveOptions } from '../../../src/queues/redrive.js';
import { QueueWorld, textOf } from '../../support/queue-world.js';

let world: QueueWorld;

beforeEach(() => {
  world = new QueueWorld();
});

function handlesOf(deliveries: readonly Delivery[]): string[] {
  return deliveries.map((delivery) => delivery.receiptHandle);
}

describe('a standard queue', () => {
  it('gives what was put in, in order, with id and attempt', () => {
    const queue = world.queue('q');
    world.enqueue(queue, 'one', { id: 'id-1', attributes: [['a', 'b']] });
    world.enqueue(queue, 'two');
    const deliveries = world.take(queue);
    expect(deliveries.map(textOf)).toEqual(['one', 'two']);
    expect(deliveries[0]?.entry).toMatchObject({ id: 'id-1', attributes: [['a', 'b']], group: '' });
    expect(deliveries[0]?.attempt).toBe(1);
    expect(deliveries[0]?.firstReceivedAtMs).toBe(world.clock.now());
    expect(queue.statistics).toMatchObject({ ready: 0, inFlight: 2, delayed: 0 });
  });

  it('answers a receive only when the attempt is on disk', () => {
    const queue = world.queue('q');
    world.enqueue(queue, 'one');
    const call = world.ask(queue, { max: 1 });
    expect(call.answer()).toBeNull();
    world.log.close();
    expect(call.answer()).toBeNull();
    world.log.settleClosed();
    expect(call.answer()?.map(textOf)).toEqual(['one']);
  });

  it('hides a message for its visibility timeout, to the millisecond', () => {
    const queue = world.queue('q', { visibilityTimeoutMs: 5000 });
    world.enqueue(queue, 'one');
    world.take(queue);
    world.clock.advance(4999);
    expect(world.takeTexts(queue)).toEqual([]);
    world.clock.advance(1);
    const [again] = world.take(queue);
    expect(again?.attempt).toBe(2);
    expect(queue.counters.visibilityTimeouts).toBe(1);
  });

  it('forgets what was acknowledged, and takes a second acknowledgement for done', () => {
    const queue = world.queue('q');
    world.enqueue(queue, 'one');
    const handles = handlesOf(world.take(queue));
    expect(queue.acknowledge(handles)).toEqual(['done']);
    expect(queue.acknowledge(handles)).toEqual(['already-done']);
    world.clock.advance(100_000);
    expect(world.takeTexts(queue)).toEqual([]);
    expect(world.log.messages).toBe(0);
  });

  it('takes an old handle for a message that is still there', () => {
    const queue = world.queue('q', { visibilityTimeoutMs: 1000 });
    world.enqueue(queue, 'one');
    const handles = handlesOf(world.take(queue));
    world.clock.advance(1000);
    world.take(queue);
    expect(queue.acknowledge(handles)).toEqual(['done']);
    expect(queue.statistics).toMatchObject({ ready: 0, inFlight: 0 });
  });

  it('refuses handles that are made up, altered, or of another queue', () => {
    const queue = world.queue('q');
    const other = world.queue('other');
    world.enqueue(queue, 'one');
    const [handle = ''] = handlesOf(world.take(queue));
    const altered = `${handle.slice(0, 9)}${handle[9] === 'A' ? 'B' : 'A'}${handle.slice(10)}`;
    expect(queue.acknowledge(['', 'x'.repeat(36), altered])).toEqual(Array(3).fill('receipt-invalid'));
    expect(other.acknowledge([handle])).toEqual(['receipt-invalid']);
  });

  it('brings a refused message back after the delay of the ladder, or the one that is given', () => {
    const queue = world.queue('q', { retry: { delaysMs: [1000, 3000] } });
    world.enqueue(queue, 'one');
    queue.refuse(handlesOf(world.take(queue)));
    expect(queue.statistics).toMatchObject({ delayed: 1, inFlight: 0 });
    world.clock.advance(999);
    expect(world.takeTexts(queue)).toEqual([]);
    world.clock.advance(1);
    queue.refuse(handlesOf(world.take(queue)));
    world.clock.advance(2999);
    expect(world.takeTexts(queue)).toEqual([]);
    world.clock.advance(1);
    queue.refuse(handlesOf(world.take(queue)), { delayMs: 0 });
    expect(world.take(queue)[0]?.attempt).toBe(4);
  });

  it('extends a visibility timeout from now on', () => {
    const queue = world.queue('q', { visibilityTimeoutMs: 1000 });
    world.enqueue(queue, 'one');
    const handles = handlesOf(world.take(queue));
    world.clock.advance(900);
    expect(queue.extend(handles, 5000)).toEqual(['done']);
    world.clock.advance(4999);
    expect(world.takeTexts(queue)).toEqual([]);
    world.clock.advance(1);
    expect(world.takeTexts(queue)).toEqual(['one']);
    world.clock.advance(1000);
    expect(queue.extend(handles, 5000)).toEqual(['not-in-flight']);
  });

  it('does not let a message that always fails delay the others', () => {
    const queue = world.queue('q');
    world.enqueue(queue, 'poison');
    for (const text of ['a', 'b', 'c']) world.enqueue(queue, text);
    const seen: string[] = [];
    for (let turn = 0; turn < 7; turn++) {
      const deliveries = world.take(queue, 1);
      seen.push(...deliveries.map(textOf));
      if (seen.at(-1) === 'poison') queue.refuse(handlesOf(deliveries), { delayMs: 0 });
    }
    expect(seen).toEqual(expect.arrayContaining(['a', 'b', 'c']));
  });

  it('delays new messages, each by its own time', () => {
    const queue = world.queue('q', { delayMs: 1000 });
    world.enqueue(queue, 'late', { delayMs: 2000 });
    world.enqueue(queue, 'usual');
    world.enqueue(queue, 'now', { delayMs: 0 });
    expect(queue.statistics).toMatchObject({ ready: 1, delayed: 2 });
    expect(world.takeTexts(queue)).toEqual(['now']);
    world.clock.advance(1000);
    expect(world.takeTexts(queue)).toEqual(['usual']);
    world.clock.advance(1000);
    expect(world.takeTexts(queue)).toEqual(['late']);
  });

  it('serves priorities first, but lets the lower ones have a turn', () => {
    const queue = world.queue('q');
    for (let number = 0; number < 40; number++) world.enqueue(queue, `high ${number}`, { priority: 9 });
    world.enqueue(queue, 'low');
    expect(world.takeTexts(queue, 1)).toEqual(['high 0']);
    const texts = world.takeTexts(queue, 30);
    expect(texts).toContain('low');
    expect(texts.indexOf('low')).toBeLessThan(20);
  });

  it('gives groups turns: a loud one does not keep the others waiting', () => {
    const queue = world.queue('q');
    for (let number = 0; number < 50; number++) world.enqueue(queue, `loud ${number}`, { group: 'loud' });
    world.enqueue(queue, 'quiet', { group: 'quiet' });
    expect(world.takeTexts(queue, 3)).toContain('quiet');
    expect(queue.statistics.groups).toBe(2);
  });

  it('charges a group for the bytes that it takes', () => {
    const queue = world.queue('q');
    for (let number = 0; number < 10; number++) {
      world.enqueue(queue, 'x'.repeat(100_000), { group: 'large' });
      for (let copy = 0; copy < 10; copy++) world.enqueue(queue, 'small', { group: 'small' });
    }
    const sizes = world.take(queue, 21).map(({ message }) => message.payload.length);
    expect(sizes.filter((size) => size === 100_000).length).toBeLessThanOrEqual(4);
  });

  it('keeps within its limit of messages in flight', () => {
    const queue = world.queue('q', { maxInFlight: 2 });
    for (const text of ['a', 'b', 'c']) world.enqueue(queue, text);
    const deliveries = world.take(queue);
    expect(deliveries).toHaveLength(2);
    expect(queue.isAtInFlightLimit).toBe(true);
    const waiting = world.ask(queue, { max: 5, waitMs: 1000 });
    queue.acknowledge(handlesOf(deliveries.slice(0, 1)));
    world.log.commit();
    expect(waiting.answer()?.map(textOf)).toEqual(['c']);
  });
});

describe('a receive that waits', () => {
  it('is served in order, or answered with nothing when its time is over', () => {
    const queue = world.queue('q');
    const first = world.ask(queue, { max: 1, waitMs: 10_000 });
    const second = world.ask(queue, { max: 1, waitMs: 1000 });
    world.enqueue(queue, 'one');
    world.log.commit();
    expect(first.answer()?.map(textOf)).toEqual(['one']);
    expect(second.answer()).toBeNull();
    world.clock.advance(1100);
    expect(second.answer()).toEqual([]);
    expect(queue.statistics.waitingReceives).toBe(0);
  });

  it('gives back at once and uncounted what was taken for it when nobody is there any more', () => {
    const queue = world.queue('q');
    const gone = world.ask(queue, { max: 1, waitMs: 10_000 });
    world.enqueue(queue, 'one');
    gone.receive.cancel();
    const [delivery] = world.take(queue);
    expect(gone.answer()).toBeNull();
    expect(delivery?.attempt).toBe(1);
    expect(world.missing).toBe(0);
  });

  it('can be taken off the list while it waits', () => {
    const queue = world.queue('q');
    const calls = [1, 2, 3].map(() => world.ask(queue, { max: 1, waitMs: 10_000 }));
    calls[1]?.receive.cancel();
    for (const text of ['a', 'b']) world.enqueue(queue, text);
    world.log.commit();
    expect(calls.map((call) => call.answer()?.map(textOf))).toEqual([['a'], undefined, ['b']]);
  });

  it('waits for room in the prefetch of its consumer', () => {
    const queue = world.queue('q');
    const consumer = queue.openConsumer('c');
    for (const text of ['a', 'b', 'c']) world.enqueue(queue, text);
    const [first] = world.take(queue, 1, { consumer, prefetch: 1 });
    const call = world.ask(queue, { max: 5, waitMs: 1000, consumer, prefetch: 1 });
    world.log.commit();
    expect(call.answer()).toBeNull();
    expect(world.takeTexts(queue, 1)).toEqual(['b']);
    queue.acknowledge(handlesOf([first as Delivery]));
    world.log.commit();
    expect(call.answer()?.map(textOf)).toEqual(['c']);
  });

  it('may receive again from within its answer', () => {
    const queue = world.queue('q');
    const seen: string[] = [];
    const again = (deliveries: readonly Delivery[]): void => {
      for (const delivery of deliveries) {
        seen.push(textOf(delivery));
        queue.acknowledgeDelivery(delivery);
      }
      if (seen.length < 5) queue.receive({ max: 1, waitMs: 1000 }, { onReceived: again });
    };
    queue.receive({ max: 1, waitMs: 1000 }, { onReceived: again });
    for (const text of ['a', 'b', 'c', 'd', 'e']) world.enqueue(queue, text);
    for (let turn = 0; turn < 6; turn++) world.log.commit();
    expect(seen).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(world.missing).toBe(0);
  });
});

describe('consumers that wait', () => {
  let got: string[][];
  let queue: Queue;

  /** Each asks for more as soon as it is answered, as a connection does. */
  function consume(consumer: Consumer, texts: string[], prefetch = 100): void {
    queue.receive(
      { max: prefetch, prefetch, waitMs: Number.POSITIVE_INFINITY, visibilityTimeoutMs: null, consumer },
      {
        onReceived: (deliveries) => {
          texts.push(...deliveries.map(textOf));
          consume(consumer, texts, prefetch);
        },
      },
    );
  }

  function openConsumers(count: number): void {
    got = Array.from({ length: count }, () => []);
    for (const [at, texts] of got.entries()) consume(queue.openConsumer(`c${at}`), texts);
  }

  function put(count: number, groupOf: (at: number) => string = () => ''): void {
    for (let at = 0; at < count; at++) world.enqueue(queue, `${at}`, { group: groupOf(at) });
  }

  it('share what comes at once, though the first of them had room for all of it', () => {
    queue = world.queue('q');
    openConsumers(4);
    put(12);
    for (let commit = 0; commit < 3; commit++) world.log.commit();
    expect(got.map(({ length }) => length)).toEqual([3, 3, 3, 3]);
    expect(got.flat().sort((one, other) => Number(one) - Number(other))).toEqual(
      Array.from({ length: 12 }, (_, at) => `${at}`),
    );
  });

  it('have all of a backlog that they have room for after two commits', () => {
    queue = world.queue('q');
    put(1000);
    openConsumers(4);
    world.log.commit();
    world.log.commit();
    expect(got.map(({ length }) => length)).toEqual([100, 100, 100, 100]);
  });

  it('get what another has no room for', () => {
    queue = world.queue('q');
    got = [[], []];
    consume(queue.openConsumer('small'), got[0] as string[], 2);
    consume(queue.openConsumer('large'), got[1] as string[]);
    put(50);
    for (let commit = 0; commit < 8; commit++) world.log.commit();
    expect(got.map(({ length }) => length)).toEqual([2, 48]);
  });

  it('share groups of a pipelined queue, and have to themselves what is in their own', () => {
    queue = world.queue('q', { type: 'fifo', ordering: 'pipelined' });
    openConsumers(4);
    put(24, (at) => `group ${at % 3}`);
    for (let commit = 0; commit < 3; commit++) world.log.commit();
    expect(got.map(({ length }) => length)).toEqual([8, 8, 8, 0]);
  });
});

describe('a consumer that goes', () => {
  it.each([
    [false, 1],
    [true, 2],
  ])('gives back what it had (abnormally: %s)', (isAbnormal, attempt) => {
    const queue = world.queue('q');
    const consumer = queue.openConsumer('c');
    for (const text of ['a', 'b']) world.enqueue(queue, text);
    world.take(queue, 2, { consumer, visibilityTimeoutMs: null });
    world.clock.advance(10 ** 7);
    expect(world.takeTexts(queue)).toEqual([]);
    queue.closeConsumer(consumer, isAbnormal);
    const deliveries = world.take(queue);
    expect(deliveries.map(textOf)).toEqual(['a', 'b']);
    expect(deliveries[0]?.attempt).toBe(attempt);
  });
});

describe('a fifo queue', () => {
  const FIFO = { type: 'fifo', visibilityTimeoutMs: 1000 } as const;

  it('gives the messages of a group in order, one receive at a time', () => {
    const queue = world.queue('q', FIFO);
    for (const text of ['1', '2', '3']) world.enqueue(queue, text, { group: 'a' });
    world.enqueue(queue, 'x', { group: 'b' });
    const first = world.take(queue, 2, { maxPerGroup: 1 });
    expect(first.map(textOf)).toEqual(['1', 'x']);
    expect(world.takeTexts(queue)).toEqual([]);
    queue.acknowledge(handlesOf(first));
    expect(world.takeTexts(queue)).toEqual(['2', '3']);
  });

  it('serves an earlier one that came back before later ones', () => {
    const queue = world.queue('q', FIFO);
    for (const text of ['1', '2', '3']) world.enqueue(queue, text, { group: 'a' });
    const both = world.take(queue, 2);
    queue.refuse(handlesOf(both.slice(0, 1)), { delayMs: 0 });
    const again = world.take(queue, 5);
    expect(again.map(textOf)).toEqual(['1']);
    queue.acknowledge(handlesOf([...again, ...both.slice(1)]));
    expect(world.takeTexts(queue)).toEqual(['3']);
  });

  it('lets a message that waits for its retry block its own group only', () => {
    const queue = world.queue('q', FIFO);
    for (const text of ['1', '2']) world.enqueue(queue, text, { group: 'a' });
    world.enqueue(queue, 'x', { group: 'b' });
    queue.refuse(handlesOf(world.take(queue, 1)), { delayMs: 5000 });
    const other = world.take(queue);
    expect(other.map(textOf)).toEqual(['x']);
    queue.acknowledge(handlesOf(other));
    world.clock.advance(4999);
    expect(world.takeTexts(queue)).toEqual([]);
    world.clock.advance(1);
    expect(world.takeTexts(queue)).toEqual(['1', '2']);
  });

  it('takes only the newest handle, while it lasts', () => {
    const queue = world.queue('q', FIFO);
    world.enqueue(queue, '1', { group: 'a' });
    const old = handlesOf(world.take(queue));
    world.clock.advance(1000);
    expect(queue.acknowledge(old)).toEqual(['receipt-expired']);
    const newer = handlesOf(world.take(queue));
    expect(queue.acknowledge(old)).toEqual(['receipt-expired']);
    expect(queue.acknowledge(newer)).toEqual(['done']);
    expect(queue.acknowledge(old)).toEqual(['already-done']);
  });

  it('keeps order when new messages are delayed and the delay is lowered', () => {
    const queue = world.queue('q', { ...FIFO, delayMs: 2000 });
    world.enqueue(queue, '1', { group: 'a' });
    world.registry.configure('q', { delayMs: 0 });
    world.enqueue(queue, '2', { group: 'a' });
    expect(world.takeTexts(queue)).toEqual([]);
    world.clock.advance(2000);
    expect(world.takeTexts(queue)).toEqual(['1', '2']);
  });
});

describe('a dead-letter queue', () => {
  const OPTIONS = { deadLetter: { queue: 'dead', maxReceives: 2 }, retry: { delaysMs: [10] } } as const;

  it('gets what would be received once too often, with its id and history', () => {
    const dead = world.queue('dead');
    const queue = world.queue('q', OPTIONS);
    world.enqueue(queue, 'one', { id: 'id-1' });
    const startedAtMs = world.clock.now();
    for (let attempt = 1; attempt <= 2; attempt++) {
      const deliveries = world.take(queue);
      expect(deliveries[0]?.attempt).toBe(attempt);
      queue.refuse(handlesOf(deliveries));
      expect(dead.statistics.ready).toBe(0);
      world.clock.advance(10);
    }
    expect(world.takeTexts(queue)).toEqual([]);
    const [letter] = world.take(dead);
    expect(letter?.attempt).toBe(1);
    expect(letter?.entry).toMatchObject({
      id: 'id-1',
      enqueuedAtMs: startedAtMs,
      origin: { queue: 'q', reason: 'max-receives', receives: 2, firstFailedAtMs: startedAtMs },
    });
    expect(queue.counters.moved).toBe(1);
    expect(world.missing).toBe(0);
  });

  it('gets what is rejected at once; without one it is dropped', () => {
    const dead = world.queue('dead');
    const queue = world.queue('q', OPTIONS);
    world.enqueue(queue, 'one');
    expect(queue.reject(handlesOf(world.take(queue)))).toEqual(['done']);
    expect(world.takeTexts(dead)).toEqual(['one']);
    expect(dead.reject(handlesOf([]))).toEqual([]);
    const plain = world.queue('plain');
    world.enqueue(plain, 'two');
    plain.reject(handlesOf(world.take(plain)));
    expect(plain.counters.dropsOf('rejected')).toBe(1);
    expect(world.missing).toBe(0);
  });

  it('that is missing leaves the message where it is, tried again after the last delay', () => {
    const queue = world.queue('q', { ...OPTIONS, retry: { delaysMs: [10, 4000] } });
    world.enqueue(queue, 'one');
    for (let attempt = 0; attempt < 2; attempt++) queue.refuse(handlesOf(world.take(queue)), { delayMs: 0 });
    expect(world.takeTexts(queue)).toEqual([]);
    expect(queue.counters.deadLettersHeldBack).toBe(1);
    world.queue('dead');
    world.clock.advance(3999);
    expect(world.takeTexts(queue)).toEqual([]);
    expect(world.get('dead').statistics.ready).toBe(0);
    world.clock.advance(1);
    expect(world.takeTexts(queue)).toEqual([]);
    expect(world.takeTexts(world.get('dead'))).toEqual(['one']);
  });
});

describe('limits', () => {
  it('refuse what does not fit, each for its reason', () => {
    const queue = world.queue('q', { maxMessages: 2, maxMessageBytes: 10 });
    expect(world.enqueue(world.queue('exact', { maxMessageBytes: 10 }), 'x'.repeat(10)).status).toBe('enqueued');
    expect(world.enqueue(queue, 'x'.repeat(11))).toEqual({ status: 'refused', reason: 'message-too-large' });
    expect(world.enqueue(queue, 'a', { priority: 10 })).toEqual({ status: 'refused', reason: 'invalid-priority' });
    expect(world.enqueue(queue, 'a', { delayMs: -1 })).toEqual({ status: 'refused', reason: 'invalid-delay' });
    world.enqueue(queue, 'a');
    world.enqueue(queue, 'b');
    expect(world.enqueue(queue, 'c')).toEqual({ status: 'refused', reason: 'queue-full' });
    expect(queue.counters.refusalsOf('queue-full')).toBe(1);
  });

  it('count bytes, and free them', () => {
    const queue = world.queue('q', { maxBytes: 400 });
    expect(world.enqueue(queue, 'x'.repeat(300)).status).toBe('enqueued');
    expect(world.enqueue(queue, 'y'.repeat(300)).status).toBe('refused');
    queue.acknowledge(handlesOf(world.take(queue)));
    expect(queue.statistics.bytes).toBe(0);
    expect(world.enqueue(queue, 'y'.repeat(300)).status).toBe('enqueued');
  });

  it('drop the oldest of all groups if so configured', () => {
    const queue = world.queue('q', { maxMessages: 3, overflow: 'drop-oldest' });
    for (const [text, group] of ['1a', '2b', '3a', '4c', '5b'].map((name) => [name, name[1] as string] as const)) {
      world.enqueue(queue, text, { group });
    }
    expect(world.takeTexts(queue).sort()).toEqual(['3a', '4c', '5b']);
    expect(queue.counters.dropsOf('overflow')).toBe(2);
    expect(world.enqueue(queue, '6').status).toBe('refused');
    expect(world.missing).toBe(0);
  });

  it('move the oldest to the dead-letter queue if so configured', () => {
    const dead = world.queue('dead');
    const queue = world.queue('q', {
      maxMessages: 2,
      overflow: 'dead-letter-oldest',
      deadLetter: { queue: 'dead', maxReceives: 5 },
    });
    for (const text of ['1', '2', '3']) world.enqueue(queue, text);
    expect(world.takeTexts(queue)).toEqual(['2', '3']);
    expect(world.take(dead)[0]?.entry.origin?.reason).toBe('overflow');
  });
});

describe('what is too old', () => {
  it('is not delivered after its Message Expiry', () => {
    const queue = world.queue('q');
    world.enqueue(queue, 'one', {}, world.clock.now() + 1000);
    world.clock.advance(1000);
    expect(world.takeTexts(queue)).toEqual([]);
    expect(queue.counters.dropsOf('expired')).toBe(1);
  });

  it('is not delivered after its retention, nor kept though nobody receives', () => {
    const queue = world.queue('q', { retentionMs: 64_000 });
    for (let number = 0; number < 3000; number++) {
      world.enqueue(queue, 'old', { group: `${number % 7}` });
      if (number % 1000 === 0) world.clock.advance(1000);
    }
    world.clock.advance(61_000);
    world.enqueue(queue, 'new');
    expect(world.takeTexts(queue, 10).filter((text) => text === 'old').length).toBeLessThanOrEqual(10);
    world.clock.advance(10_000);
    expect(queue.statistics.ready + queue.statistics.inFlight).toBeLessThanOrEqual(11);
    expect(queue.counters.dropsOf('retention')).toBeGreaterThanOrEqual(2990);
    expect(world.missing).toBe(0);
  });

  it('goes to the dead-letter queue if so configured', () => {
    const dead = world.queue('dead');
    const queue = world.queue('q', {
      retentionMs: 64_000,
      deadLetter: { queue: 'dead', maxReceives: 3 },
      deadLetterExpired: true,
    });
    world.enqueue(queue, 'one');
    world.clock.advance(70_000);
    expect(queue.statistics.ready).toBe(0);
    expect(world.take(dead)[0]?.entry.origin?.reason).toBe('retention');
    expect(world.missing).toBe(0);
  });

  it('leaves without keeping the event loop, however much it is', () => {
    const queue = world.queue('q');
    for (let number = 0; number < 1000; number++) world.enqueue(queue, 'old', {}, world.clock.now() + 10);
    world.enqueue(queue, 'new');
    world.clock.advance(10);
    const call = world.ask(queue, { max: 1 });
    world.log.commit();
    expect(call.answer()).toBeNull();
    expect(queue.counters.dropsOf('expired')).toBeLessThan(500);
    world.clock.advance(100);
    world.log.commit();
    expect(call.answer()?.map(textOf)).toEqual(['new']);
  });
});

describe('deduplication', () => {
  it('accepts a second message with an id within the window, and does not enqueue it', () => {
    const queue = world.queue('q', { deduplication: { by: 'id', windowMs: 5000 } });
    const first = world.enqueue(queue, 'one', { id: 'id-1', deduplicationId: 'd' });
    expect(world.enqueue(queue, 'two', { deduplicationId: 'd' })).toEqual({
      status: 'duplicate',
      id: 'id-1',
      ticket: first.status === 'enqueued' ? first.ticket : -1,
    });
    queue.acknowledge(handlesOf(world.take(queue)));
    world.log.commit();
    world.crash();
    world.clock.advance(4999);
    expect(world.enqueue(world.get('q'), 'three', { deduplicationId: 'd' })).toMatchObject({ id: 'id-1' });
    world.clock.advance(1);
    expect(world.enqueue(world.get('q'), 'four', { deduplicationId: 'd' }).status).toBe('enqueued');
  });

  it('keeps to a window that is configured anew', () => {
    const queue = world.queue('q', { deduplication: { by: 'id', windowMs: 5000 } });
    world.enqueue(queue, 'one', { deduplicationId: 'd' });
    world.registry.configure('q', { deduplication: { by: 'id', windowMs: 1000 } });
    world.clock.advance(1000);
    expect(world.enqueue(queue, 'two', { deduplicationId: 'd' }).status).toBe('enqueued');
  });

  it('refuses what it could not tell from a duplicate later, and forgets nothing before its time', () => {
    const queue = world.queue('q', { deduplication: { by: 'id', windowMs: 5000 }, maxDeduplicationBytes: 1 });
    expect(world.enqueue(queue, 'one', { deduplicationId: 'd' }).status).toBe('enqueued');
    expect(world.enqueue(queue, 'two', { deduplicationId: 'e' })).toEqual({
      status: 'refused',
      reason: 'deduplication-full',
    });
    expect(queue.counters.refusalsOf('deduplication-full')).toBe(1);
    expect(world.enqueue(queue, 'three', { deduplicationId: 'd' }).status).toBe('duplicate');
    expect(world.enqueue(queue, 'four').status).toBe('enqueued');
    world.clock.advance(5000);
    expect(world.enqueue(queue, 'five', { deduplicationId: 'e' }).status).toBe('enqueued');
  });

  it('compares the content if so configured', () => {
    const queue = world.queue('q', { deduplication: { by: 'content', windowMs: 5000 } });
    expect(world.enqueue(queue, 'one').status).toBe('enqueued');
    expect(world.enqueue(queue, 'one').status).toBe('duplicate');
    expect(world.enqueue(queue, 'two').status).toBe('enqueued');
  });
});

describe('content that has to be read', () => {
  it('keeps a receive waiting, and lets other groups go ahead', () => {
    const queue = world.queue('q');
    world.enqueue(queue, 'cold', { group: 'a' });
    world.log.cool();
    world.enqueue(queue, 'warm', { group: 'b' });
    expect(world.takeTexts(queue, 2)).toEqual(['warm']);
    const call = world.ask(queue, { max: 1 });
    world.log.commit();
    expect(call.answer()).toBeNull();
    world.log.load();
    world.log.commit();
    expect(call.answer()?.map(textOf)).toEqual(['cold']);
  });

  it('that is lost is counted, and the next is served', () => {
    const queue = world.queue('q');
    const lost = world.enqueue(queue, 'lost');
    world.enqueue(queue, 'kept');
    world.log.cool();
    const call = world.ask(queue, { max: 1 });
    world.log.lose(lost.status === 'enqueued' ? lost.sequence : -1);
    world.log.load();
    world.log.commit();
    expect(call.answer()?.map(textOf)).toEqual(['kept']);
    expect(queue.counters.dropsOf('storage-damaged')).toBe(1);
    expect(world.missing).toBe(0);
  });
});

describe('after a crash', () => {
  it('deadlines, attempts and handles are what they were', () => {
    const queue = world.queue('q', { visibilityTimeoutMs: 5000 });
    for (const text of ['a', 'b', 'c']) world.enqueue(queue, text);
    const deliveries = world.take(queue, 2);
    queue.acknowledge(handlesOf(deliveries.slice(0, 1)));
    world.log.commit();
    world.clock.advance(2000);
    world.crash();
    const restored = world.get('q');
    expect(restored.statistics).toMatchObject({ ready: 1, inFlight: 1 });
    expect(world.takeTexts(restored)).toEqual(['c']);
    expect(restored.acknowledge(handlesOf(deliveries))).toEqual(['already-done', 'done']);
    world.clock.advance(3000);
    expect(world.takeTexts(restored)).toEqual([]);
    expect(world.missing).toBe(0);
  });

  it('what had no timeout is there again', () => {
    const queue = world.queue('q');
    world.enqueue(queue, 'a');
    world.take(queue, 1, { consumer: queue.openConsumer('c'), visibilityTimeoutMs: null });
    world.crash();
    expect(world.take(world.get('q'))[0]?.attempt).toBe(2);
  });

  it('what was not committed has not happened', () => {
    const queue = world.queue('q');
    world.enqueue(queue, 'a');
    world.log.commit();
    world.enqueue(queue, 'b');
    world.ask(queue, { max: 1 });
    world.crash();
    const deliveries = world.take(world.get('q'));
    expect(deliveries.map((delivery) => [textOf(delivery), delivery.attempt])).toEqual([['a', 1]]);
  });
});

describe('purging and deleting', () => {
  it('gives up all messages at once, and lets go of them later', () => {
    const queue = world.queue('q');
    for (let number = 0; number < 5000; number++) world.enqueue(queue, 'x', { group: `${number % 100}` });
    const handles = handlesOf(world.take(queue));
    world.registry.purge('q');
    expect(queue.statistics).toMatchObject({ ready: 0, inFlight: 0 });
    expect(queue.counters.dropsOf('purged')).toBe(5000);
    expect(world.log.messages).toBe(5000);
    world.clock.advance(1000);
    expect(world.log.messages).toBe(0);
    expect(queue.acknowledge(handles)).toEqual(Array(10).fill('already-done'));
    world.enqueue(queue, 'new');
    expect(world.takeTexts(queue)).toEqual(['new']);
    expect(world.missing).toBe(0);
  });

  it('frees the prefetch of consumers, and gives them nothing that is gone', () => {
    const queue = world.queue('q');
    const consumer = queue.openConsumer('c');
    for (const text of ['a', 'b', 'c']) world.enqueue(queue, text);
    world.take(queue, 2, { consumer, prefetch: 2 });
    const call = world.ask(queue, { max: 2, waitMs: 9000, consumer, prefetch: 2 });
    world.registry.purge('q');
    world.log.commit();
    expect(call.answer()).toBeNull();
    expect(consumer.held).toBe(0);
    world.enqueue(queue, 'new');
    world.log.commit();
    expect(call.answer()?.map(textOf)).toEqual(['new']);
  });

  it('is final, also if the process dies before all is let go', () => {
    const queue = world.queue('q');
    world.queue('gone');
    world.enqueue(queue, 'x');
    world.enqueue(world.get('gone'), 'y');
    world.log.commit();
    world.registry.purge('q');
    world.registry.delete('gone');
    world.log.commit();
    world.crash();
    expect(world.takeTexts(world.get('q'))).toEqual([]);
    expect(world.registry.find('gone')).toBeUndefined();
    expect(world.log.messages).toBe(0);
    expect(world.queue('gone').number).toBeGreaterThan(world.get('q').number);
  });
});

it('stores a message for several queues once', () => {
  const [one, two] = [world.queue('one'), world.queue('two')];
  const message = world.registry.enqueue(
    (() => {
      const source = world.queue('three');
      world.enqueue(source, 'x');
      return (world.take(source)[0] as Delivery).message;
    })(),
    [one, two].map((queue) => ({ queue, options: {} })),
  );
  expect(message.map(({ status }) => status)).toEqual(['enqueued', 'enqueued']);
  expect(world.log.messages).toBe(2);
  one.acknowledge(handlesOf(world.take(one)));
  expect(world.log.messages).toBe(2);
  two.acknowledge(handlesOf(world.take(two)));
  expect(world.log.messages).toBe(1);
});

describe('a queue whose definition is damaged', () => {
  it('keeps its messages and their states under its number, which nobody gets', () => {
    const queue = world.queue('q');
    const { number, options } = queue;
    for (const text of ['one', 'two', 'three']) world.enqueue(queue, text);
    world.take(queue, 1);
    const saved = encodeDefinition({ name: 'q', options, redrive: null, historySince: 0 });
    world.log.queueSaved(number, saved.subarray(0, 20));
    world.log.commit();
    world.crash();
    expect(world.registry.find('q')).toBeUndefined();
    expect(world.registry.quarantined).toEqual([{ number, messages: 3 }]);
    expect(world.registry.lostRecords).toBe(1);
    expect(world.log.messages).toBe(3);
    expect(world.queue('other').number).toBeGreaterThan(number);
    expect(world.registry.encodeState(number, 1)).not.toBeNull();
    world.log.queueSaved(number, saved);
    world.log.commit();
    world.crash();
    expect(world.registry.quarantined).toEqual([]);
    world.clock.advance(30_000);
    expect(world.take(world.get('q')).map(({ attempt }) => attempt)).toEqual([2, 1, 1]);
  });

  it('is given up with its messages by whoever says so, and stays so', () => {
    const queue = world.queue('q');
    const { number } = queue;
    for (const text of ['one', 'two', 'three']) world.enqueue(queue, text);
    world.take(queue, 1);
    world.log.queueSaved(number, Buffer.from('{"name'));
    world.log.commit();
    world.crash();
    expect(() => world.registry.giveUpQuarantined(number + 1)).toThrow(QueueNotFound);
    world.registry.giveUpQuarantined(number);
    expect(world.registry.quarantined).toEqual([]);
    expect(() => world.registry.giveUpQuarantined(number)).toThrow(QueueNotFound);
    world.clock.advance(10);
    expect(world.log.messages).toBe(0);
    world.log.commit();
    world.crash();
    expect(world.registry.quarantined).toEqual([]);
    expect(world.registry.lostRecords).toBe(0);
    expect(world.queue('q').number).toBeGreaterThan(number);
  });
});

describe('a redrive', () => {
  function fillDeadLetters(count: number): void {
    world.queue('dead');
    const queue = world.queue('q', { deadLetter: { queue: 'dead', maxReceives: 1 } });
    for (let number = 0; number < count; number++) world.enqueue(queue, `${number}`, { id: `id-${number}` });
    while (queue.statistics.ready > 0) queue.reject(handlesOf(world.take(queue)));
    expect(world.get('dead').statistics.ready).toBe(count);
  }

  it('brings messages back to where they came from, so many a second', () => {
    fillDeadLetters(20);
    world.registry.startRedrive('dead', { perSecond: 10 });
    const step = (ms: number): void => {
      for (let passed = 0; passed < ms; passed += 50) {
        world.clock.advance(50);
        world.log.commit();
      }
    };
    step(1000);
    const { moved = 0 } = world.registry.redriveProgress('dead') ?? {};
    expect(moved).toBeGreaterThanOrEqual(5);
    expect(moved).toBeLessThanOrEqual(11);
    expect(world.get('q').statistics.ready).toBe(moved);
    step(3000);
    expect(world.registry.redriveProgress('dead')).toMatchObject({ state: 'completed', moved: 20, total: 20 });
    const [first] = world.take(world.get('q'));
    expect(first?.attempt).toBe(1);
    expect(first?.entry).toMatchObject({ id: 'id-0', origin: null });
    expect(world.missing).toBe(0);
  });

  it('can be cancelled: what has been moved stays moved, the rest where it is', () => {
    fillDeadLetters(5);
    world.registry.startRedrive('dead', { perSecond: 20 });
    world.clock.advance(1);
    expect(world.registry.cancelRedrive('dead')).toBe(true);
    expect(world.registry.cancelRedrive('dead')).toBe(false);
    world.clock.advance(10_000);
    expect(world.registry.redriveProgress('dead')).toMatchObject({ state: 'cancelled', moved: 2, failed: 0, left: 3 });
    expect(world.takeTexts(world.get('dead'))).toEqual(['2', '3', '4']);
    expect(world.missing).toBe(0);
  });

  it('works beside the consumers: what somebody has in flight stays, also if he has the queue to himself', () => {
    fillDeadLetters(5);
    world.registry.configure('dead', { exclusive: true });
    const dead = world.get('dead');
    const owner = dead.openConsumer('owner');
    const [held] = world.take(dead, 1, { consumer: owner });
    world.registry.startRedrive('dead', { perSecond: 1000 });
    world.clock.advance(500);
    expect(world.registry.redriveProgress('dead')).toMatchObject({ state: 'completed', moved: 4, left: 0 });
    expect(dead.statistics).toMatchObject({ inFlight: 1, ready: 0 });
    expect(dead.acknowledge([held?.receiptHandle ?? ''])).toEqual(['done']);
    expect(world.missing).toBe(0);
  });

  it('of a fifo queue leaves what an earlier one of its group holds back, unless it was chosen', () => {
    const source = world.queue('dead', { type: 'fifo' });
    world.queue('q');
    const sequences = ['a', 'a', 'b'].map(
      (group, at) => (world.enqueue(source, `${at}`, { group }) as { sequence: number }).sequence,
    );
    world.take(source, 1);
    world.registry.startRedrive('dead', { perSecond: 1000, target: 'q' });
    world.clock.advance(500);
    expect(world.registry.redriveProgress('dead')).toMatchObject({ state: 'completed', moved: 1, left: 1, total: 2 });
    expect(world.takeTexts(world.get('q'))).toEqual(['2']);
    world.registry.startRedrive('dead', { perSecond: 1000, target: 'q', sequences: sequences.slice(0, 2) });
    world.clock.advance(500);
    expect(world.registry.redriveProgress('dead')).toMatchObject({ state: 'failed', moved: 1, failed: 1, left: 0 });
    expect(world.takeTexts(world.get('q'))).toEqual(['1']);
  });

  it.each(['in memory', 'not in memory'])('moves messages chosen by their ids, %s', (where) => {
    fillDeadLetters(8);
    world.registry.startRedrive('dead', { perSecond: 1000, ids: ['id-6', 'id-2', 'id-77'] });
    if (where === 'not in memory') world.log.cool();
    world.clock.advance(500);
    world.log.load();
    world.clock.advance(500);
    expect(world.registry.redriveProgress('dead')).toMatchObject({ state: 'failed', moved: 2, failed: 1, total: 3 });
    expect(world.takeTexts(world.get('q'))).toEqual(['2', '6']);
    expect(world.takeTexts(world.get('dead'))).toEqual(['0', '1', '3', '4', '5', '7']);
    expect(world.missing).toBe(0);
  });

  it('moves messages chosen by their numbers at its rate, delayed ones too', () => {
    const source = world.queue('dead');
    world.queue('q');
    const sequences = [0, 1, 2, 3].map(
      (n) => (world.enqueue(source, `${n}`, { delayMs: n === 1 ? 60_000 : 0 }) as { sequence: number }).sequence,
    );
    world.registry.startRedrive('dead', { perSecond: 1, target: 'q', sequences: sequences.slice(1, 3) });
    world.clock.advance(999);
    expect(world.registry.redriveProgress('dead')).toMatchObject({ state: 'running', moved: 1, left: 1 });
    world.clock.advance(1500);
    expect(world.registry.redriveProgress('dead')).toMatchObject({ state: 'completed', moved: 2, left: 0 });
    expect(world.takeTexts(world.get('q'))).toEqual(['1', '2']);
    expect(world.takeTexts(source)).toEqual(['0', '3']);
  });

  it('goes on with those of other origins when one does not take them, and keeps the order of each', () => {
    fillDeadLetters(2);
    world.queue('small', { deadLetter: { queue: 'dead', maxReceives: 1 }, maxMessages: 1 });
    for (const text of ['x', 'y']) {
      world.enqueue(world.get('small'), text);
      world.get('small').reject(handlesOf(world.take(world.get('small'))));
    }
    world.registry.startRedrive('dead', { perSecond: 1000 });
    world.clock.advance(500);
    expect(world.registry.redriveProgress('dead')).toMatchObject({ state: 'failed', moved: 3, failed: 1 });
    expect(world.takeTexts(world.get('small'))).toEqual(['x']);
    expect(world.takeTexts(world.get('dead'))).toEqual(['y']);
  });

  it('does not bring back what came while it was under way', () => {
    fillDeadLetters(3);
    const queue = world.get('q');
    world.registry.startRedrive('dead', { perSecond: 10 });
    for (let step = 0; step < 20; step++) {
      world.clock.advance(100);
      queue.reject(handlesOf(world.take(queue)));
    }
    expect(world.registry.redriveProgress('dead')).toMatchObject({ state: 'completed', moved: 3, total: 3 });
    expect(world.get('dead').statistics.ready).toBe(3);
  });

  it('never gives up a message that is on its way, where queues that are full are dead-letter queues of each other', () => {
    world.queue('a', { maxMessages: 1, overflow: 'drop-oldest' });
    world.queue('b', { maxMessages: 1, overflow: 'dead-letter-oldest', deadLetter: { queue: 'a', maxReceives: 9 } });
    world.enqueue(world.get('a'), 'of a');
    world.enqueue(world.get('b'), 'of b');
    world.registry.startRedrive('a', { perSecond: 1000, target: 'b' });
    world.clock.advance(500);
    expect(world.missing).toBe(0);
    expect(world.log.messages).toBe(2);
    expect([...world.takeTexts(world.get('a')), ...world.takeTexts(world.get('b'))].sort()).toEqual(['of a', 'of b']);
  });

  it('survives a restart as stopped', () => {
    fillDeadLetters(5);
    world.registry.startRedrive('dead', { perSecond: 1 });
    world.log.commit();
    world.crash();
    expect(world.registry.redriveProgress('dead')).toMatchObject({ state: 'stopped', total: 5 });
    expect(world.get('dead').statistics.ready).toBe(5);
  });

  it('fails where the target is missing, and loses nothing', () => {
    fillDeadLetters(2);
    world.registry.startRedrive('dead', { perSecond: 50, target: 'nowhere' });
    world.clock.advance(1);
    world.log.commit();
    expect(world.registry.redriveProgress('dead')).toMatchObject({ state: 'failed', moved: 0 });
    expect(world.get('dead').statistics.ready).toBe(2);
    const start = (options: Partial<RedriveOptions>) => () =>
      world.registry.startRedrive('dead', { perSecond: 1, ...options });
    expect(start({ perSecond: 0 })).toThrow('no rate');
    expect(start({ target: 'dead' })).toThrow('the queue itself');
    expect(start({ ids: [] })).toThrow('ids');
    expect(start({ ids: ['a'], sequences: [1] })).toThrow('beside');
  });

  it('also moves single messages that somebody has received', () => {
    fillDeadLetters(2);
    const dead = world.get('dead');
    const [first] = world.take(dead, 1) as [Delivery];
    expect(dead.moveDelivery(first, 'q')).toBe(true);
    expect(dead.moveDelivery(first, 'q')).toBe(false);
    expect(world.takeTexts(world.get('q'))).toEqual(['0']);
    expect(world.missing).toBe(0);
  });
});

describe('a queue that is stopped', () => {
  it('gives nothing to whoever waits next when consumers go, and wakes up for nothing', () => {
    const queue = world.queue('q', { autoDeleteAfterMs: 1000 });
    const call = world.ask(queue, { max: 1, waitMs: 60_000 });
    const consumer = queue.openConsumer('c');
    const another = world.ask(queue, { max: 1, waitMs: Number.POSITIVE_INFINITY, consumer });
    world.enqueue(queue, 'one');
    world.registry.stop();
    world.enqueue(queue, 'two', { delayMs: 1000 });
    const late = world.ask(queue, { max: 1, waitMs: 60_000 });
    expect(world.clock.pending).toBe(0);
    world.log.commit();
    expect(call.answer()?.map(textOf)).toEqual(['one']);
    expect(another.answer()).toBeNull();
    expect(late.answer()).toEqual([]);
    world.crash();
    expect(world.get('q').statistics).toMatchObject({ ready: 0, inFlight: 1, delayed: 1 });
  });

  it('gives what a consumer was not answered to nobody', () => {
    const queue = world.queue('q');
    const consumer = queue.openConsumer('c');
    const cancelled = world.ask(queue, { max: 1, waitMs: 60_000, consumer });
    const call = world.ask(queue, { max: 1, waitMs: 60_000 });
    world.enqueue(queue, 'one');
    world.registry.stop();
    expect(world.clock.pending).toBe(0);
    world.log.commit();
    expect(cancelled.answer()).toBeNull();
    expect(call.answer()).toEqual([]);
  });
});

describe('an exclusive queue', () => {
  it('serves one consumer until it goes, then the next', () => {
    const queue = world.queue('q', { exclusive: true });
    const [one, two] = [queue.openConsumer('one'), queue.openConsumer('two')];
    const first = world.ask(queue, { max: 1, waitMs: 9000, consumer: one, visibilityTimeoutMs: null });
    const second = world.ask(queue, { max: 5, waitMs: 9000, consumer: two });
    for (const text of ['a', 'b', 'c']) world.enqueue(queue, text);
    world.log.commit();
    expect(first.answer()?.map(textOf)).toEqual(['a']);
    expect(second.answer()).toBeNull();
    expect(world.takeTexts(queue)).toEqual([]);
    queue.closeConsumer(one, false);
    world.log.commit();
    expect(second.answer()?.map(textOf).sort()).toEqual(['a', 'b', 'c']);
  });
});

describe('an auto-delete queue', () => {
  it('goes with its last consumer, after its grace time', () => {
    const queue = world.queue('q', { autoDeleteAfterMs: 5000 });
    const one = queue.openConsumer('one');
    queue.closeConsumer(one, false);
    world.clock.advance(4000);
    const two = queue.openConsumer('two');
    world.clock.advance(10_000);
    expect(world.registry.find('q')).toBe(queue);
    queue.closeConsumer(two, false);
    world.clock.advance(5000);
    expect(world.registry.find('q')).toBeUndefined();
  });

  it('goes after a restart if nobody comes back', () => {
    world.queue('q', { autoDeleteAfterMs: 5000 }).openConsumer('one');
    world.log.commit();
    world.crash();
    world.clock.advance(5000);
    expect(world.registry.find('q')).toBeUndefined();
  });
});

describe('a queue that sends its oldest to the dead-letter queue when it is full', () => {
  it('makes room as soon as the oldest has been read, though it is not kept in memory', () => {
    const dead = world.queue('dead');
    const queue = world.queue('q', {
      maxMessages: 2,
      overflow: 'dead-letter-oldest',
      deadLetter: { queue: 'dead', maxReceives: 9 },
    });
    for (const text of ['one', 'two']) world.enqueue(queue, text);
    world.log.commit();
    world.log.cool();
    expect(world.enqueue(queue, 'three').status).toBe('refused');
    expect(dead.statistics.ready).toBe(0);
    world.log.load();
    expect(dead.statistics.ready).toBe(1);
    world.log.commit();
    world.log.cool();
    expect(world.enqueue(queue, 'four').status).toBe('enqueued');
    expect(queue.statistics.ready).toBe(2);
    world.log.load();
    expect(queue.statistics.ready).toBe(2);
    expect(world.missing).toBe(0);
  });
});
