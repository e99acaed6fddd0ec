/** Looking at messages without taking them. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { PeekPage } from '../../../src/queues/peek.js';
import type { PeekOptions } from '../../../src/queues/peek-options.js';
import type { PeekedMessage } from '../../../src/queues/peeked-message.js';
import type { Queue } from '../../../src/queues/queue.js';
import { QueueWorld } from '../../support/queue-world.js';

let world: QueueWorld;

beforeEach(() => {
  world = new QueueWorld();
});

/** Begins a peek; the page is null until it is answered. */
function ask(queue: Queue, options: PeekOptions = {}): { cancel(): void; page(): PeekPage | null } {
  let page: PeekPage | null = null;
  const peek = queue.peek(options, {
    onPeeked: (given) => {
      expect(page).toBeNull();
      page = given;
    },
  });
  return { cancel: () => peek.cancel(), page: () => page };
}

/** A page, after as many turns of the event loop as it takes. */
function pageOf(queue: Queue, options: PeekOptions = {}): PeekPage {
  const call = ask(queue, options);
  for (let turn = 0; call.page() === null && turn < 1000; turn++) world.clock.advance(0);
  const page = call.page();
  if (page === null) throw new RangeError('no page came');
  return page;
}

function textsOf({ messages }: PeekPage): string[] {
  return messages.map(({ message }) => message.payload.toString());
}

/** All pages, one after the other. */
function walk(queue: Queue, options: PeekOptions = {}): PeekedMessage[] {
  const all: PeekedMessage[] = [];
  let afterSequence = 0;
  for (let pages = 0; pages < 10_000; pages++) {
    const { messages, cursor } = pageOf(queue, { ...options, afterSequence });
    all.push(...messages);
    if (cursor === null) return all;
    expect(cursor).toBeGreaterThan(afterSequence);
    afterSequence = cursor;
  }
  throw new RangeError('the pages do not end');
}

function expectSequences(found: readonly PeekedMessage[], count: number): void {
  const sequences = found.map(({ sequence }) => sequence);
  expect(sequences).toEqual([...sequences].sort((one, other) => one - other));
  expect(new Set(sequences).size).toBe(count);
  expect(sequences.length).toBe(count);
}

describe('a peek', () => {
  it('shows messages in order, whatever their group and priority, and takes none', () => {
    const queue = world.queue('q');
    world.enqueue(queue, 'a', { id: 'id-1', group: 'g', attributes: [['n', 'v']] });
    world.enqueue(queue, 'b', { priority: 9 });
    world.enqueue(queue, 'c', { group: 'h' });
    const page = pageOf(queue);
    expect(textsOf(page)).toEqual(['a', 'b', 'c']);
    expect(page.cursor).toBeNull();
    expect(page.messages[0]).toMatchObject({
      entry: { id: 'id-1', group: 'g', attributes: [['n', 'v']] },
      state: 'ready',
      attempts: 0,
      dueAtMs: null,
      firstReceivedAtMs: 0,
      holder: null,
    });
    expect(queue.statistics).toMatchObject({ ready: 3, inFlight: 0 });
    expect(queue.counters.receives).toBe(0);
    expect(world.take(queue)[0]?.attempt).toBe(1);
  });

  it('tells state, attempts, times and who has it', () => {
    const queue = world.queue('q', { visibilityTimeoutMs: 5000, retry: { delaysMs: [7000] } });
    const consumer = queue.openConsumer('worker-7');
    for (const text of ['flight', 'refused', 'ready']) world.enqueue(queue, text);
    world.enqueue(queue, 'delayed', { delayMs: 2000 });
    const startMs = world.clock.now();
    const taken = world.take(queue, 2, { consumer });
    world.clock.advance(1000);
    queue.refuse([taken[1]?.receiptHandle ?? '']);
    const [flight, refused, ready, delayed] = pageOf(queue).messages;
    expect(flight).toMatchObject({ state: 'in-flight', attempts: 1, holder: 'worker-7', dueAtMs: startMs + 5000 });
    expect(flight).toMatchObject({ firstReceivedAtMs: startMs, firstFailedAtMs: 0 });
    expect(refused).toMatchObject({ state: 'delayed', attempts: 1, holder: null, dueAtMs: startMs + 8000 });
    expect(refused).toMatchObject({ firstFailedAtMs: startMs + 1000, lastFailedAtMs: startMs + 1000 });
    expect(ready).toMatchObject({ state: 'ready', attempts: 0 });
    expect(delayed).toMatchObject({ state: 'delayed', attempts: 0, dueAtMs: startMs + 2000 });
  });

  it('shows those of one state, or of one group', () => {
    const queue = world.queue('q', { type: 'fifo' });
    for (let n = 0; n < 12; n++) world.enqueue(queue, `${n}`, { group: `g${n % 3}`, delayMs: n === 5 ? 1000 : 0 });
    world.take(queue, 2, { maxPerGroup: 1 });
    expect(textsOf(pageOf(queue, { state: 'in-flight' }))).toEqual(['0', '1']);
    expect(textsOf(pageOf(queue, { state: 'delayed' }))).toEqual(['5']);
    expect(textsOf(pageOf(queue, { state: 'ready' }))).toEqual(['2', '3', '4', '6', '7', '8', '9', '10', '11']);
    expect(textsOf(pageOf(queue, { group: 'g2' }))).toEqual(['2', '5', '8', '11']);
    expect(textsOf(pageOf(queue, { group: 'g2', state: 'delayed' }))).toEqual(['5']);
    expect(textsOf(pageOf(queue, { group: 'nobody' }))).toEqual([]);
  });

  it('goes on behind its cursor, page by page, also while messages come and go', () => {
    const queue = world.queue('q');
    for (let n = 0; n < 25; n++) world.enqueue(queue, `${n}`, { group: `g${n % 7}` });
    const first = pageOf(queue, { max: 10 });
    expect(textsOf(first)).toEqual(Array.from({ length: 10 }, (_, n) => `${n}`));
    queue.acknowledge(world.take(queue, 14).map((delivery) => delivery.receiptHandle));
    for (let n = 25; n < 28; n++) world.enqueue(queue, `${n}`);
    const left = walk(queue).map(({ message }) => message.payload.toString());
    expect(left.length).toBe(14);
    const rest: string[] = [];
    for (let cursor = first.cursor; cursor !== null; ) {
      const page = pageOf(queue, { max: 4, afterSequence: cursor });
      rest.push(...textsOf(page));
      cursor = page.cursor;
    }
    expect(rest).toEqual(left.filter((text) => Number(text) >= 10));
  });

  it('ends a page at its bytes, with at least one message', () => {
    const queue = world.queue('q');
    for (let n = 0; n < 5; n++) world.enqueue(queue, 'x'.repeat(100));
    expect(pageOf(queue, { maxBytes: 1 }).messages.length).toBe(1);
    expect(pageOf(queue, { maxBytes: 250 }).messages.length).toBe(3);
    expect(walk(queue, { maxBytes: 250 }).length).toBe(5);
  });

  it('reads what is not in memory, and waits for it', () => {
    const queue = world.queue('q');
    for (const text of ['a', 'b']) world.enqueue(queue, text);
    world.log.commit();
    world.log.cool();
    const call = ask(queue);
    expect(call.page()).toBeNull();
    world.log.load();
    expect(textsOf(call.page() as PeekPage)).toEqual(['a', 'b']);
  });

  it('leaves out what was lost, and goes on behind it', () => {
    const queue = world.queue('q');
    const [, second] = ['a', 'b', 'c'].map((text) => world.enqueue(queue, text));
    world.log.lose((second as { sequence: number }).sequence);
    expect(textsOf(pageOf(queue))).toEqual(['a', 'c']);
    expect(queue.statistics.ready).toBe(3);
  });

  it('that is taken back answers nobody', () => {
    const queue = world.queue('q');
    world.enqueue(queue, 'a');
    world.log.commit();
    world.log.cool();
    const call = ask(queue);
    call.cancel();
    world.log.load();
    expect(call.page()).toBeNull();
  });

  it.each(['purge', 'delete'] as const)('is answered when the queue is gone: %s', (verb) => {
    const queue = world.queue('q');
    world.enqueue(queue, 'a');
    world.log.commit();
    world.log.cool();
    const call = ask(queue);
    world.registry[verb]('q');
    expect(call.page()).toEqual({ messages: [], cursor: null });
    world.log.load();
    if (verb === 'purge') {
      world.enqueue(queue, 'new');
      expect(textsOf(pageOf(queue))).toEqual(['new']);
    }
  });

  it('walks many groups and many messages in slices, and finds every message once', () => {
    const queue = world.queue('q');
    for (let n = 0; n < 30_000; n++) world.enqueue(queue, '', { group: `g${n % 9000}`, priority: n % 2 });
    for (let n = 0; n < 40; n++) world.take(queue, 50);
    const call = ask(queue, { max: 1000 });
    expect(call.page()).toBeNull();
    expectSequences(walk(queue, { max: 1000 }), 30_000);
    expectSequences(walk(queue, { max: 1000, state: 'in-flight' }), 2000);
    expectSequences(walk(queue, { max: 1000, state: 'ready' }), 28_000);
  });

  it.each([{ state: 'in-flight' as const }, { state: 'in-flight' as const, group: 'g' }])(
    'looks at what is in flight once for many pages, and anew for each first one (%o)',
    (kind) => {
      const queue = world.queue('q', { maxInFlight: 30_000 });
      for (let n = 0; n < 20_000; n++) world.enqueue(queue, `${n}`, { group: 'g' });
      const [first] = world.take(queue, 19_999);
      const page = pageOf(queue, { ...kind, max: 10 });
      expect(textsOf(page)).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
      const next = ask(queue, { ...kind, max: 10, afterSequence: page.cursor ?? 0 }).page();
      expect(next === null ? null : textsOf(next)[0]).toBe('10');
      queue.acknowledge([first?.receiptHandle ?? '']);
      world.take(queue, 1);
      expect(ask(queue, { ...kind, max: 10 }).page()).toBeNull();
      expect(textsOf(pageOf(queue, { ...kind, max: 10 }))[0]).toBe('1');
      expect(walk(queue, { ...kind, max: 1000 })).toHaveLength(19_999);
    },
  );

  it('misses nothing that is there from its first page to its last, whatever happens meanwhile', () => {
    const queue = world.queue('q', { type: 'fifo' });
    for (let n = 0; n < 12_000; n++) world.enqueue(queue, `${n}`, { group: `g${n % 6000}` });
    const call = ask(queue, { max: 1000 });
    // While its scan is under way, messages are taken, come back, and others come.
    for (let turn = 0; call.page() === null; turn++) {
      const taken = world.take(queue, 20);
      queue.refuse(
        taken.slice(10).map((delivery) => delivery.receiptHandle),
        { delayMs: 0 },
      );
      world.enqueue(queue, 'new', { group: `g${turn}` });
      world.clock.advance(0);
    }
    const { messages } = call.page() as PeekPage;
    expect(messages.map(({ message }) => message.payload.toString())).toEqual(
      Array.from({ length: 1000 }, (_, n) => `${n}`),
    );
  });

  it.each([
    [{ max: 0 }, 'max'],
    [{ max: 1001 }, 'max'],
    [{ maxBytes: 0 }, 'maxBytes'],
    [{ afterSequence: -1 }, 'afterSequence'],
    [{ state: 'gone' as 'ready' }, 'state'],
  ])('refuses %j', (options, option) => {
    const queue = world.queue('q');
    expect(() => queue.peek(options, { onPeeked: () => {} })).toThrow(option);
  });
});
