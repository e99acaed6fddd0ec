import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Subscriber } from '../../../src/core/subscriber.js';
import { SubscriptionList } from '../../../src/sessions/subscription-list.js';
import type { Subscription } from '../../../src/topics/subscription.js';
import { subscriptionOf } from '../../support/subscriptions.js';

const ANY = Number.POSITIVE_INFINITY;
const SUBSCRIBER = {} as Subscriber;

/** Lists a new subscription. */
function add(list: SubscriptionList, filter: string): Subscription<Subscriber> {
  const subscription = subscriptionOf(SUBSCRIBER, filter);
  list.add(subscription, undefined);
  return subscription;
}

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
    const subscription = add(list, 'a/#');
    list.addQueue(toQueue('$queue/q'));
    expect([...list.toTopics]).toEqual([subscription]);
    expect([...(list.toQueues?.keys() ?? [])]).toEqual(['$queue/q']);
    expect([...list.filters(), list.count]).toEqual(['a/#', '$queue/q', 2]);
  });

  it('lists another in the place of one with the same filter, for no more memory', () => {
    const list = new SubscriptionList();
    const [a] = [add(list, 'a'), add(list, 'b')];
    list.addQueue(toQueue('$queue/q'));
    const { bytes } = list;
    const another = subscriptionOf(SUBSCRIBER, 'a', { qos: 1 });
    list.add(another, a);
    list.addQueue(toQueue('$queue/q', 5));
    expect([list.count, list.bytes]).toEqual([3, bytes]);
    expect(list.toTopics.at(0)).toBe(another);
    expect([...list.filters()]).toEqual(['a', 'b', '$queue/q']);
    expect(list.toQueues?.get('$queue/q')?.prefetch).toBe(5);
  });

  it('takes more memory for longer filters and for more levels, and gives all of it back', () => {
    const list = new SubscriptionList();
    const added = (filter: string) => {
      const before = list.bytes;
      add(list, filter);
      return list.bytes - before;
    };
    const short = added('a');
    expect(added('b'.repeat(1000))).toBeGreaterThan(short + 1000);
    expect(added('a/b/c/d')).toBeGreaterThan(short);
    list.addQueue(toQueue('$queue/q'));
    for (const subscription of [...list.toTopics]) list.delete(subscription);
    expect(list.deleteQueue('$queue/q')).toBe(true);
    expect([list.count, list.bytes]).toEqual([0, 0]);
  });

  it('gives nothing back for a work queue that is not listed', () => {
    const list = new SubscriptionList();
    expect(list.deleteQueue('$queue/q')).toBe(false);
    add(list, 'a');
    const { bytes } = list;
    list.addQueue(toQueue('$queue/q'));
    list.deleteQueue('$queue/q');
    expect(list.deleteQueue('$queue/q')).toBe(false);
    expect(list.bytes).toBe(bytes);
  });

  it('has the others still, whichever is taken off first, and however often one is replaced', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom('add', 'replace', 'delete'), fc.nat())), (steps) => {
        const list = new SubscriptionList();
        const listed: Subscription<Subscriber>[] = [];
        for (const [kind, number] of steps) {
          const at = number % (listed.length + 1);
          const chosen = listed[at];
          if (kind === 'add') listed.push(add(list, `a/${number}`));
          else if (chosen === undefined) continue;
          else if (kind === 'delete') list.delete(...(listed.splice(at, 1) as [Subscription<Subscriber>]));
          else {
            listed[at] = subscriptionOf(SUBSCRIBER, chosen.filter);
            list.add(listed[at], chosen);
          }
          expect(new Set(list.toTopics)).toEqual(new Set(listed));
          expect(list.count).toBe(listed.length);
        }
      }),
    );
  });

  it('has room up to its limits of number and of memory', () => {
    const list = new SubscriptionList();
    add(list, 'a');
    list.addQueue(toQueue('$queue/q'));
    expect([list.hasRoomFor('b', 3, ANY), list.hasRoomFor('b', 2, ANY)]).toEqual([true, false]);
    const { bytes } = list;
    const b = add(list, 'b');
    const needed = list.bytes;
    list.delete(b);
    expect([list.hasRoomFor('b', ANY, needed), list.hasRoomFor('b', ANY, needed - 1)]).toEqual([true, false]);
    expect(list.bytes).toBe(bytes);
  });
});
