/** Groups whose messages follow each other to one consumer without waiting for each other. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Consumer } from '../../../src/queues/consumer.js';
import type { Delivery } from '../../../src/queues/delivery.js';
import type { Queue } from '../../../src/queues/queue.js';
import { QueueWorld, textOf } from '../../support/queue-world.js';

let world: QueueWorld;
let queue: Queue;
let one: Consumer;
let two: Consumer;

beforeEach(() => {
  world = new QueueWorld();
  world.queue('dead');
  queue = world.queue('q', {
    type: 'fifo',
    ordering: 'pipelined',
    visibilityTimeoutMs: 10_000,
    retry: { delaysMs: [1000] },
    deadLetter: { queue: 'dead', maxReceives: 3 },
  });
  one = queue.openConsumer('one');
  two = queue.openConsumer('two');
});

function fill(count: number, group = 'g', prefix = ''): void {
  for (let n = 0; n < count; n++) world.enqueue(queue, `${prefix}${n}`, { group });
}

function take(consumer: Consumer | null, max = 1): readonly Delivery[] {
  return world.take(queue, max, consumer === null ? {} : { consumer });
}

function texts(consumer: Consumer | null, max = 10): string[] {
  return take(consumer, max).map(textOf);
}

function handles(deliveries: readonly Delivery[]): string[] {
  return deliveries.map(({ receiptHandle }) => receiptHandle);
}

describe('a pipelined queue', () => {
  it('gives more of a group to the consumer that has some of it, and to nobody else', () => {
    fill(4);
    expect(texts(one, 1)).toEqual(['0']);
    expect(texts(two)).toEqual([]);
    expect(texts(null)).toEqual([]);
    expect(texts(one, 2)).toEqual(['1', '2']);
    expect(queue.statistics).toMatchObject({ inFlight: 3, ready: 1 });
  });

  it('gives the group to somebody else when nothing of it is in flight', () => {
    fill(3);
    const taken = take(one, 2);
    queue.acknowledge(handles(taken.slice(1)));
    expect(texts(two)).toEqual([]);
    queue.acknowledge(handles(taken.slice(0, 1)));
    expect(texts(two)).toEqual(['2']);
  });

  it('takes back what is behind a refused message, and gives it again behind that', () => {
    fill(4);
    const taken = take(one, 3);
    queue.refuse(handles(taken.slice(1, 2)));
    expect(queue.statistics).toMatchObject({ inFlight: 1, delayed: 1, ready: 2 });
    expect(one.held).toBe(1);
    expect(texts(one)).toEqual([]);
    expect(queue.acknowledge(handles(taken.slice(2)))).toEqual(['receipt-expired']);
    expect(queue.acknowledge(handles(taken.slice(0, 1)))).toEqual(['done']);
    world.clock.advance(1000);
    const again = take(two, 10);
    expect(again.map(textOf)).toEqual(['1', '2', '3']);
    expect(again.map(({ attempt }) => attempt)).toEqual([2, 1, 1]);
    expect(queue.counters.recalled).toBe(1);
  });

  it('takes back what is behind a message whose visibility timeout is over', () => {
    fill(2);
    const taken = take(one, 2);
    queue.extend(handles(taken.slice(1)), 60_000);
    world.clock.advance(10_000);
    expect(queue.statistics).toMatchObject({ inFlight: 0, ready: 2 });
    expect(take(two, 2).map(({ attempt }) => attempt)).toEqual([2, 1]);
  });

  it('leaves what is behind an acknowledged or a rejected message where it is', () => {
    fill(3);
    const taken = take(one, 3);
    queue.reject(handles(taken.slice(0, 1)));
    queue.acknowledge(handles(taken.slice(1, 2)));
    expect(queue.acknowledge(handles(taken.slice(2)))).toEqual(['done']);
    expect(world.takeTexts(world.get('dead'))).toEqual(['0']);
  });

  it('takes back what is behind a rejected message that its dead-letter queue does not take', () => {
    world.registry.configure('dead', { maxMessages: 1 });
    world.enqueue(world.get('dead'), 'full');
    fill(2);
    queue.reject(handles(take(one, 2).slice(0, 1)));
    expect(queue.statistics).toMatchObject({ inFlight: 0, delayed: 1, ready: 1 });
    expect(texts(two)).toEqual([]);
  });

  it.each([
    [false, [1, 1]],
    [true, [2, 2]],
  ])('gives all of it to the next in order when its consumer goes (abnormally: %s)', (isAbnormal, attempts) => {
    fill(2);
    take(one, 1);
    take(one, 1);
    queue.closeConsumer(one, isAbnormal);
    const again = take(two, 2);
    expect(again.map(textOf)).toEqual(['0', '1']);
    expect(again.map(({ attempt }) => attempt)).toEqual(attempts);
  });

  it('serves who has the group though somebody else has waited for longer', () => {
    fill(1);
    take(one, 1);
    const other = world.ask(queue, { max: 1, waitMs: 5000, consumer: two });
    const owner = world.ask(queue, { max: 1, waitMs: 5000, consumer: one });
    world.enqueue(queue, 'next', { group: 'g' });
    world.log.commit();
    expect(owner.answer()?.map(textOf)).toEqual(['next']);
    expect(other.answer()).toBeNull();
    world.enqueue(queue, 'else', { group: 'h' });
    world.log.commit();
    expect(other.answer()?.map(textOf)).toEqual(['else']);
  });

  it('does not let a group that a consumer has shut out the others', () => {
    fill(1, 'hot', 'hot');
    take(one, 1);
    fill(20, 'hot', 'more');
    fill(3, 'cold', 'cold');
    const got: string[] = [];
    for (let n = 0; n < 6; n++) got.push(...texts(one, 1));
    expect(got.filter((text) => text.startsWith('cold')).length).toBe(3);
  });

  it('does not answer with what has been taken back before the answer left; who asked goes on waiting', () => {
    fill(2);
    const [first] = take(one, 1) as [Delivery];
    const second = world.ask(queue, { max: 1, waitMs: 20_000, consumer: one });
    queue.refuse([first.receiptHandle]);
    world.log.commit();
    expect(second.answer()).toBeNull();
    world.clock.advance(1000);
    world.log.commit();
    expect(second.answer()?.map(textOf)).toEqual(['0']);
    const third = world.ask(queue, { max: 1, consumer: one });
    queue.refuse(handles(second.answer() ?? []));
    world.log.commit();
    expect(third.answer()).toEqual([]);
  });

  it('takes back what is behind a receive that is taken back', () => {
    fill(2);
    const first = world.ask(queue, { max: 1, consumer: one });
    const second = world.ask(queue, { max: 1, waitMs: 5000, consumer: one });
    first.receive.cancel();
    // What it was to get has been taken back as well: it is given something else, in the next commit.
    world.log.commit();
    expect(second.answer()).toBeNull();
    world.log.commit();
    expect(second.answer()?.map(textOf)).toEqual(['0']);
    expect(texts(one)).toEqual(['1']);
  });

  it('gives nobody more of what was in flight before a restart, until that is back', () => {
    fill(3);
    const taken = take(one, 2);
    world.crash();
    queue = world.get('q');
    one = queue.openConsumer('one');
    expect(texts(one)).toEqual([]);
    expect(queue.acknowledge(handles(taken))).toEqual(['done', 'done']);
    expect(texts(one)).toEqual(['2']);
  });

  it('does not leave a message in flight behind one whose time ran out while it was down', () => {
    fill(3);
    const taken = take(one, 2);
    queue.extend(handles(taken.slice(1)), 60_000);
    world.log.commit();
    world.clock.advance(0);
    world.registry.stop();
    world.clock.advance(20_000);
    world.crash();
    queue = world.get('q');
    expect(queue.statistics).toMatchObject({ inFlight: 0, ready: 3 });
    expect(texts(queue.openConsumer('x'))).toEqual(['0', '1', '2']);
  });

  it('keeps order when it is configured while messages are in flight', () => {
    fill(4);
    const taken = take(one, 2);
    world.registry.configure('q', { ordering: 'strict' });
    expect(texts(one)).toEqual([]);
    queue.acknowledge(handles(taken.slice(0, 1)));
    expect(texts(one)).toEqual([]);
    world.registry.configure('q', { ordering: 'pipelined' });
    expect(texts(one)).toEqual([]);
    queue.acknowledge(handles(taken.slice(1)));
    expect(texts(two, 1)).toEqual(['2']);
    expect(texts(two, 1)).toEqual(['3']);
  });

  it('begins anew when it is purged', () => {
    fill(3);
    take(one, 1);
    world.registry.purge('q');
    expect(texts(one)).toEqual([]);
    fill(1, 'g', 'new');
    expect(texts(two)).toEqual(['new0']);
    expect(world.missing).toBe(0);
  });

  it('needs groups that keep order', () => {
    expect(() => world.queue('s', { type: 'standard', ordering: 'pipelined' })).toThrow('needs a fifo queue');
  });
});
