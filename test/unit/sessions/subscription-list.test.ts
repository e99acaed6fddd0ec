import { describe, expect, it } from 'vitest';
import type { Subscriber } from '../../../src/core/subscriber.js';
import { SubscriptionList } from '../../../src/sessions/subscription-list.js';
import type { Subscription } from '../../../src/topics/subscription.js';

const ANY = Number.POSITIVE_INFINITY;

const toTopic = (filter: string) => ({ filter }) as Subscription<Subscriber>;

const toQueue = (filter: string, prefetch = 0) => ({
  filter,
  qos: 1 as const,
  noLocal: false,
  retainAsPublished: false,
  retainHandling: 0 as const,
  identifier: 0,
  streamId: 0,
  sinceSequence: 0,
  prefetch,
});

describe('SubscriptionList', () => {
  it('has topics and work queues apart, and counts them together', () => {
    const list = new SubscriptionList();
    expect([list.toTopics.size, list.toQueues, list.count]).toEqual([0, null, 0]);
    list.add('a/#', toTopic('a/#'));
    list.addQueue(toQueue('$queue/q'));
    expect([...list.toTopics.keys()]).toEqual(['a/#']);
    expect([...(list.toQueues?.keys() ?? [])]).toEqual(['$queue/q']);
    expect([...list.filters(), list.count]).toEqual(['a/#', '$queue/q', 2]);
  });

  it('lists another in the place of one with the same filter, for no more memory', () => {
    const list = new SubscriptionList();
    list.add('a', toTopic('a'));
    list.addQueue(toQueue('$queue/q'));
    const { bytes } = list;
    const another = toTopic('a');
    list.add('a', another);
    list.addQueue(toQueue('$queue/q', 5));
    expect([list.count, list.bytes]).toEqual([2, bytes]);
    expect(list.toTopics.get('a')).toBe(another);
    expect(list.toQueues?.get('$queue/q')?.prefetch).toBe(5);
  });

  it('takes more memory for longer filters and for more levels, and gives all of it back', () => {
    const list = new SubscriptionList();
    const added = (filter: string) => {
      const before = list.bytes;
      list.add(filter, toTopic(filter));
      return list.bytes - before;
    };
    const short = added('a');
    expect(added('b'.repeat(1000))).toBeGreaterThan(short + 1000);
    expect(added('a/b/c/d')).toBeGreaterThan(short);
    list.addQueue(toQueue('$queue/q'));
    for (const filter of [...list.toTopics.keys()]) list.delete(filter);
    expect(list.deleteQueue('$queue/q')).toBe(true);
    expect([list.count, list.bytes]).toEqual([0, 0]);
  });

  it('gives nothing back for what is not listed', () => {
    const list = new SubscriptionList();
    list.delete('a');
    expect(list.deleteQueue('$queue/q')).toBe(false);
    list.add('a', toTopic('a'));
    const { bytes } = list;
    list.delete('b');
    list.addQueue(toQueue('$queue/q'));
    list.deleteQueue('$queue/q');
    expect(list.deleteQueue('$queue/q')).toBe(false);
    expect(list.bytes).toBe(bytes);
  });

  it('has room up to its limits of number and of memory', () => {
    const list = new SubscriptionList();
    list.add('a', toTopic('a'));
    list.addQueue(toQueue('$queue/q'));
    expect([list.hasRoomFor('b', 3, ANY), list.hasRoomFor('b', 2, ANY)]).toEqual([true, false]);
    const { bytes } = list;
    list.add('b', toTopic('b'));
    const needed = list.bytes;
    list.delete('b');
    expect([list.hasRoomFor('b', ANY, needed), list.hasRoomFor('b', ANY, needed - 1)]).toEqual([true, false]);
    expect(list.bytes).toBe(bytes);
  });
});
