/** Queues that keep the last message of each key. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Queue } from '../../../src/queues/queue.js';
import { QueueWorld } from '../../support/queue-world.js';

let world: QueueWorld;
let queue: Queue;

beforeEach(() => {
  world = new QueueWorld();
  world.queue('dead');
  queue = world.queue('q', { compactBy: 'key', retry: { delaysMs: [1000] }, visibilityTimeoutMs: 10_000 });
});

function put(text: string, key = '', more: { group?: string; delayMs?: number } = {}): string {
  return world.enqueue(queue, text, { key, ...more }).status;
}

function handlesOf(max = 10): string[] {
  return world.take(queue, max).map((delivery) => delivery.receiptHandle);
}

describe('a compacted queue', () => {
  it('keeps the last message of each key, and all that have none', () => {
    for (const [text, key] of [['a1', 'a'], ['x'], ['b1', 'b'], ['a2', 'a'], ['y'], ['a3', 'a']] as const)
      put(text, key);
    expect(queue.statistics).toMatchObject({ ready: 4, totals: { enqueued: 6, dropped: { compacted: 2 } } });
    expect(world.takeTexts(queue)).toEqual(['x', 'b1', 'y', 'a3']);
    expect(world.missing).toBe(0);
  });

  it.each([false, true])('lets go of the older one in the commit of the newer one (written: %s)', (isWritten) => {
    put('old', 'a');
    world.log.commit();
    put('new', 'a');
    world.log.close();
    world.crash(isWritten);
    expect(world.takeTexts(world.get('q'))).toEqual([isWritten ? 'new' : 'old']);
  });

  it('replaces what is delayed, or has come back', () => {
    put('delayed', 'a', { delayMs: 5000 });
    put('first', 'b');
    queue.refuse(handlesOf(), { delayMs: 0 });
    put('a2', 'a');
    put('b2', 'b');
    expect(queue.statistics).toMatchObject({ ready: 2, delayed: 0 });
    world.clock.advance(10_000);
    expect(world.takeTexts(queue)).toEqual(['a2', 'b2']);
  });

  it('leaves a message in flight to its consumer', () => {
    put('old', 'a');
    const handles = handlesOf();
    put('new', 'a');
    expect(queue.acknowledge(handles)).toEqual(['done']);
    expect(world.takeTexts(queue)).toEqual(['new']);
    expect(queue.counters.dropsOf('compacted')).toBe(0);
  });

  it.each(['refused', 'timed out', 'after a restart'])(
    'does not give a message again that was replaced in flight: %s',
    (how) => {
      put('old', 'a');
      const handles = handlesOf();
      put('new', 'a');
      queue.acknowledge(handlesOf());
      world.log.commit();
      if (how === 'after a restart') world.crash();
      queue = world.get('q');
      if (how === 'refused') queue.refuse(handles);
      else world.clock.advance(10_000);
      expect(world.takeTexts(queue)).toEqual([]);
      expect(queue.statistics).toMatchObject({ ready: 0, inFlight: 0, delayed: 0 });
      expect(queue.counters.dropsOf('compacted')).toBe(1);
      expect(world.log.messages).toBe(0);
    },
  );

  it('knows the last of each key after a restart', () => {
    put('a1', 'a');
    world.log.commit();
    world.crash();
    queue = world.get('q');
    put('a2', 'a');
    expect(world.takeTexts(queue)).toEqual(['a2']);
  });

  it('does not let an older message that comes from another queue replace a newer one', () => {
    world.registry.configure('q', { deadLetter: { queue: 'dead', maxReceives: 1 } });
    put('old', 'a');
    queue.reject(handlesOf());
    world.clock.advance(1);
    put('new', 'a');
    world.registry.startRedrive('dead', { perSecond: 1000 });
    world.clock.advance(500);
    expect(world.get('dead').statistics.ready).toBe(0);
    expect(world.takeTexts(queue)).toEqual(['new']);
    expect(world.missing).toBe(0);
  });

  it('takes a message for one that it replaces though it is full', () => {
    world.registry.configure('q', { maxMessages: 2 });
    expect([put('a1', 'a'), put('b1', 'b'), put('a2', 'a'), put('c1', 'c')]).toEqual([
      'enqueued',
      'enqueued',
      'enqueued',
      'refused',
    ]);
    expect(world.takeTexts(queue)).toEqual(['b1', 'a2']);
  });

  it('notes no more keys than twice its messages, and a few', () => {
    for (let n = 0; n < 5000; n++) {
      put('x', `key-${n}`);
      queue.acknowledge(handlesOf());
    }
    expect(queue.notedKeys).toBeLessThan(1100);
  });

  it('forgets them when it is purged, and stops when it is configured otherwise', () => {
    put('a1', 'a');
    world.registry.purge('q');
    put('a2', 'a');
    world.registry.configure('q', { compactBy: 'none' });
    put('a3', 'a');
    expect(queue.notedKeys).toBe(0);
    expect(world.takeTexts(queue)).toEqual(['a2', 'a3']);
    expect(world.missing).toBe(0);
  });
});

describe('a queue that becomes a compacted one', () => {
  beforeEach(() => {
    world.registry.configure('q', { compactBy: 'none' });
  });

  function compact(): void {
    world.registry.configure('q', { compactBy: 'key' });
    world.clock.advance(0);
  }

  it('keeps of what waits the last message of each key, and all that have none', () => {
    for (const [text, key] of [['a1', 'a'], ['x'], ['b1', 'b'], ['a2', 'a'], ['a3', 'a']] as const) put(text, key);
    put('later', 'b', { delayMs: 5000 });
    compact();
    expect(queue.statistics).toMatchObject({ ready: 2, delayed: 1, totals: { dropped: { compacted: 3 } } });
    put('a4', 'a');
    expect(world.takeTexts(queue)).toEqual(['x', 'a4']);
    expect(world.missing).toBe(0);
  });

  it('does so with what has to be read first, and with what comes meanwhile', () => {
    for (const text of ['a1', 'a2']) put(text, 'a');
    world.log.commit();
    world.log.cool();
    compact();
    expect(queue.statistics.ready).toBe(2);
    put('a3', 'a');
    expect(queue.statistics.ready).toBe(3);
    world.log.load();
    expect(world.takeTexts(queue)).toEqual(['a3']);
    expect(world.missing).toBe(0);
  });

  it('leaves what is in flight to its consumer, and does not bring it back', () => {
    put('a1', 'a');
    const handles = handlesOf();
    put('a2', 'a');
    compact();
    expect(queue.statistics).toMatchObject({ ready: 1, inFlight: 1 });
    expect(queue.refuse(handles)).toEqual(['done']);
    expect(world.takeTexts(queue)).toEqual(['a2']);
    expect(queue.statistics).toMatchObject({ ready: 0, inFlight: 1, delayed: 0 });
    expect(world.missing).toBe(0);
  });

  it('goes on with it after a crash', () => {
    for (const text of ['a1', 'a2', 'a3']) put(text, 'a');
    world.registry.configure('q', { compactBy: 'key' });
    world.log.commit();
    world.crash();
    world.clock.advance(0);
    expect(world.takeTexts(world.get('q'))).toEqual(['a3']);
    expect(world.missing).toBe(0);
  });

  it('takes its time with many messages', () => {
    for (let n = 0; n < 3500; n++) put(`${n}`, `key-${n % 7}`);
    world.registry.configure('q', { compactBy: 'key' });
    world.clock.advance(15);
    const { ready } = queue.statistics;
    expect(ready).toBeGreaterThan(7);
    expect(ready).toBeLessThan(3500);
    world.clock.advance(1000);
    expect(world.takeTexts(queue)).toEqual(['3493', '3494', '3495', '3496', '3497', '3498', '3499']);
    expect(world.clock.pending).toBeLessThan(5);
  });

  it('stops when it is configured otherwise, or purged, before it has begun', () => {
    for (const text of ['a1', 'a2']) put(text, 'a');
    world.registry.configure('q', { compactBy: 'key' });
    world.registry.configure('q', { compactBy: 'none' });
    world.clock.advance(1000);
    expect(queue.statistics.ready).toBe(2);
    world.registry.configure('q', { compactBy: 'key' });
    world.registry.purge('q');
    for (const text of ['b1', 'b2']) put(text, 'b');
    world.clock.advance(1000);
    expect(world.takeTexts(queue)).toEqual(['b2']);
  });
});
