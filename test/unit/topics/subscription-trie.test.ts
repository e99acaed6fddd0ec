import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyMatch } from '../../../src/topics/match-result.js';
import { SubscriptionTrie } from '../../../src/topics/subscription-trie.js';
import { knownFilter } from '../../../src/topics/topic-filter.js';
import { NaiveSubscriptions, naivelyMatches, plainReceiver } from '../../support/naive-matcher.js';
import { filterArbitrary, filterOf, subscriptionOf, topicArbitrary } from '../../support/subscriptions.js';

function trieOf(...filters: string[]): SubscriptionTrie<{ filter: string }> {
  const trie = new SubscriptionTrie<{ filter: string }>();
  for (const filter of filters) trie.add(subscriptionOf({ filter }, filter));
  return trie;
}

function matchedFilters(trie: SubscriptionTrie<{ filter: string }>, topic: string): string[] {
  return trie
    .match(topic)
    .receivers.map((receiver) => receiver.subscriber.filter)
    .sort();
}

describe('SubscriptionTrie', () => {
  it.each([
    ['a/b', ['#', '+/+', '+/b', 'a/#', 'a/+', 'a/b', 'a/b/#']],
    ['a', ['#', '+', 'a/#']],
    ['/', ['#', '+/+', '/', '/#', '/+']],
    ['/b', ['#', '+/+', '+/b', '/#', '/+']],
    ['a/', ['#', '+/+', 'a/#', 'a/+', 'a/']],
    ['a/b/c', ['#', '+/+/+', 'a/#', 'a/+/c', 'a/b/#']],
    ['a//c', ['#', '+/+/+', 'a/#', 'a/+/c', 'a//c']],
    ['$SYS', ['$SYS/#']],
    ['$SYS/x', ['$SYS/#', '$SYS/+', '$SYS/x']],
    ['$x/b', []],
    ['A/b', ['#', '+/+', '+/b']],
  ])('finds for %s what the specification says', (topic, expected) => {
    const filters = [
      '#',
      '+',
      '+/+',
      '+/+/+',
      '+/b',
      'a/#',
      'a/+',
      'a/b',
      'a/b/#',
      'a/+/c',
      'a//c',
      'a/',
      '/',
      '/#',
      '/+',
    ];
    const trie = trieOf(...filters, '$SYS/#', '$SYS/+', '$SYS/x');
    expect(matchedFilters(trie, topic)).toEqual([...expected].sort());
  });

  it('tells new subscriptions from replaced ones, and counts them', () => {
    const trie = new SubscriptionTrie<object>();
    const [one, other] = [{}, {}];
    for (const filter of ['a', 'a/+', 'a/#', '$share/g/a', '$share/g/+']) {
      const [first, second] = [subscriptionOf(one, filter), subscriptionOf(one, filter, { qos: 2 })];
      expect(trie.find(one, filterOf(filter))).toBeUndefined();
      expect(trie.add(first)).toBeUndefined();
      expect(trie.add(second)).toBe(first);
      expect(trie.add(subscriptionOf(other, filter))).toBeUndefined();
      expect(trie.find(one, filterOf(filter))).toBe(second);
    }
    expect([trie.size, trie.sharedSize]).toEqual([10, 4]);
    expect(trie.match('a').receivers.map((receiver) => receiver.qos)).toEqual([2, 0]);
    for (const filter of ['a', 'a/+', 'a/#', '$share/g/a', '$share/g/+']) {
      expect(trie.take(one, filterOf(filter))).toMatchObject({ subscriber: one, filter, qos: 2 });
      expect(trie.take(one, filterOf(filter))).toBeUndefined();
    }
    expect([trie.size, trie.sharedSize]).toEqual([5, 2]);
  });

  it('does not remove what was not subscribed to', () => {
    const trie = trieOf('a/b', 'a/+/c', 'a/#', '$share/g/x');
    for (const filter of ['a', 'b', 'a/+', 'a/+/#', '+', '#', '$share/g/a/b', '$share/h/x', 'x', '+/+/c']) {
      expect(trie.take({ filter }, filterOf(filter))).toBeUndefined();
    }
    expect(trie.size).toBe(4);
  });

  it('finds a member of a group again that has subscribed as before', () => {
    const trie = new SubscriptionTrie<object>();
    const me = {};
    trie.add(subscriptionOf(me, '$share/g/a'));
    const again = subscriptionOf(me, '$share/g/a');
    trie.add(again);
    expect(trie.find(me, filterOf('$share/g/a'))).toBe(again);
  });

  it.each([
    '',
    '#/a',
    '+x',
    'a/+x',
    'a/#x',
    'a/#/',
    'a/b#',
    '$share/',
    '$share/g',
    '$share/g/',
    '$share//a/b',
    '$share',
  ])('neither finds nor takes anything for %j, which is no filter of anybody', (text) => {
    const filters = ['a', 'a/b', 'a/+', 'a/#', '+', '#', '+/b', '$share/g/a', '$share/g/#'];
    const trie = new SubscriptionTrie<object>();
    const me = {};
    for (const filter of filters) trie.add(subscriptionOf(me, filter));
    expect(trie.find(me, knownFilter(text))).toBeUndefined();
    expect(trie.take(me, knownFilter(text))).toBeUndefined();
    expect(trie.size).toBe(filters.length);
  });

  it('holds more than two subscribers of a filter, and lets them go in any order', () => {
    const trie = new SubscriptionTrie<object>();
    const subscribers = Array.from({ length: 20 }, () => ({}));
    for (const subscriber of subscribers) trie.add(subscriptionOf(subscriber, 'a/+'));
    expect(new Set(trie.match('a/b').receivers.map((receiver) => receiver.subscriber))).toEqual(new Set(subscribers));
    for (const at of [7, 0, 19, 1]) trie.take(subscribers[at] as object, filterOf('a/+'));
    expect(trie.match('a/b').receivers).toHaveLength(16);
    for (const subscriber of subscribers) trie.take(subscriber, filterOf('a/+'));
    expect(trie.match('a/b')).toBe(emptyMatch());
  });

  it('hands out one shared object for topics that nobody subscribes to', () => {
    expect(trieOf('a').match('b')).toBe(trieOf('#').match('$b'));
  });

  it('hands out one result to all topics that match the same filter alone', () => {
    const trie = trieOf('a/+', 'b');
    expect(trie.match('a/1')).toBe(trie.match('a/2'));
    expect(trie.match('a/1').receivers[0]).toBe(trie.match('a/2').receivers[0]);
    expect(trie.match('a/1').unsharedSlots).toBe(0);
  });

  it('leaves results alone that it has handed out', () => {
    const trie = trieOf('a/+', 'a/#');
    const [before, shared] = [trie.match('a/b'), trie.match('a')];
    trie.add(subscriptionOf({ filter: 'later' }, 'a/+'));
    trie.add(subscriptionOf({ filter: 'later' }, 'a/#'));
    expect(before.receivers).toHaveLength(2);
    expect(shared.receivers).toHaveLength(1);
    expect(trie.match('a/b').receivers).toHaveLength(4);
  });

  it('merges overlapping subscriptions: highest QoS, every identifier, any retain as published', () => {
    const trie = new SubscriptionTrie<object>();
    const me = {};
    trie.add(subscriptionOf(me, 'a/b', { qos: 1, identifier: 7 }));
    trie.add(subscriptionOf(me, 'a/+', { qos: 2 }));
    trie.add(subscriptionOf(me, 'a/#', { qos: 0, identifier: 3, retainAsPublished: true }));
    trie.add(subscriptionOf(me, '#', { qos: 0, identifier: 3 }));
    const [receiver, ...rest] = trie.match('a/b').receivers;
    expect(rest).toEqual([]);
    expect(receiver).toMatchObject({ subscriber: me, qos: 2, retainAsPublished: true });
    expect([...(receiver?.identifiers ?? [])].sort()).toEqual([3, 3, 7]);
    expect(receiver?.own).toBe(receiver);
  });

  it('takes No Local subscriptions out of what is left for own messages', () => {
    const trie = new SubscriptionTrie<object>();
    const me = {};
    trie.add(subscriptionOf(me, 'a', { qos: 2, identifier: 1, noLocal: true }));
    expect(trie.match('a').receivers[0]?.own).toBeNull();
    trie.add(subscriptionOf(me, '+', { qos: 1, identifier: 2 }));
    const [receiver] = trie.match('a').receivers;
    expect(receiver).toMatchObject({ qos: 2, identifiers: [1, 2] });
    expect(receiver?.own).toMatchObject({ qos: 1, identifiers: [2] });
  });

  it('merges alike when there are few and when there are many subscribers', () => {
    const shared = { name: 'overlaps' };
    for (const crowd of [1, 100]) {
      const trie = new SubscriptionTrie<object>();
      for (const filter of ['a/b', 'a/+', 'a/#']) {
        for (let at = 0; at < crowd; at++) trie.add(subscriptionOf({}, filter));
        trie.add(subscriptionOf(shared, filter, { identifier: filter.length, noLocal: filter === 'a/+' }));
      }
      const { receivers, unsharedSlots } = trie.match('a/b');
      expect(receivers).toHaveLength(3 * crowd + 1);
      expect(unsharedSlots).toBe(3 * crowd + 1);
      const merged = receivers.filter((receiver) => receiver.subscriber === shared);
      expect(merged.map(plainReceiver)).toEqual([
        {
          qos: 0,
          retainAsPublished: false,
          identifiers: [3, 3, 3],
          own: { qos: 0, retainAsPublished: false, identifiers: [3, 3] },
        },
      ]);
    }
  });

  it('keeps groups of the same name on different filters apart', () => {
    const trie = trieOf('$share/g/a/b', '$share/g/a/+', '$share/h/a/b', '$share/g/#', '$share/g/x');
    const { groups, receivers } = trie.match('a/b');
    expect(receivers).toEqual([]);
    expect(groups.map((group) => group.filter).sort()).toEqual([
      '$share/g/#',
      '$share/g/a/+',
      '$share/g/a/b',
      '$share/h/a/b',
    ]);
    expect(trie.match('$SYS/x').groups).toEqual([]);
  });

  it('keeps a group while it has members, so that earlier results see who joins', () => {
    const trie = new SubscriptionTrie<object>();
    const [one, other] = [{}, {}];
    trie.add(subscriptionOf(one, '$share/g/a'));
    const before = trie.match('a');
    const changes = trie.changes.total;
    trie.add(subscriptionOf(other, '$share/g/a'));
    trie.take(one, filterOf('$share/g/a'));
    expect(trie.match('a')).toBe(before);
    expect(trie.changes.total).toBe(changes);
    expect([...(before.groups[0]?.members() ?? [])].map((member) => member.subscriber)).toEqual([other]);
    trie.take(other, filterOf('$share/g/a'));
    expect(trie.match('a')).toBe(emptyMatch());
    expect(trie.changes.total).toBe(changes + 1);
  });

  it('forgets a group that has lost its last member while others subscribe to the same path', () => {
    const trie = trieOf('a', '$share/g/a', '$share/h/a');
    const before = trie.match('a');
    const [member] = before.groups[0]?.members() ?? [];
    trie.take(member?.subscriber ?? { filter: '' }, filterOf('$share/g/a'));
    expect(trie.match('a').groups.map((group) => group.filter)).toEqual(['$share/h/a']);
    expect(trie.match('a').receivers).toEqual(before.receivers);
    expect(before.groups[0]?.choose(() => 0, 1)).toBeUndefined();
  });

  it('does not count a repeated subscription with the same options as a change', () => {
    const trie = new SubscriptionTrie<object>();
    const me = {};
    trie.add(subscriptionOf(me, 'a/+', { qos: 1, identifier: 5 }));
    const changes = trie.changes.total;
    trie.add(subscriptionOf(me, 'a/+', { qos: 1, identifier: 5 }));
    expect(trie.changes.total).toBe(changes);
    for (const options of [{ qos: 2 }, { noLocal: true }, { retainAsPublished: true }, { identifier: 6 }] as const) {
      trie.add(subscriptionOf(me, 'a/+', options));
    }
    expect(trie.changes.total).toBe(changes + 4);
  });

  it('walks the deepest topics that fit into a packet', () => {
    const deep = '/'.repeat(65_534);
    const trie = trieOf(`${deep}+`, `${deep}#`, `${'+/'.repeat(32_766)}+`, `${'/'.repeat(1000)}#`);
    expect(trie.match(deep).receivers).toHaveLength(3);
    expect(trie.match('/'.repeat(32_766)).receivers).toHaveLength(2);
    for (const filter of [`${deep}+`, `${deep}#`]) expect(trie.take({ filter }, filterOf(filter))).toBeUndefined();
  });

  it('agrees with the oracle on any filters and topics', () => {
    fc.assert(
      fc.property(fc.uniqueArray(filterArbitrary, { maxLength: 40 }), fc.array(topicArbitrary), (filters, topics) => {
        const trie = trieOf(...filters);
        for (const topic of topics) {
          const expected = filters.filter((filter) => naivelyMatches(filterOf(filter).path, topic));
          const { receivers, groups } = trie.match(topic);
          const found = [...receivers.map((one) => one.subscriber.filter), ...groups.map((group) => group.filter)];
          expect(found.sort()).toEqual(expected.sort());
        }
      }),
    );
  });

  it('is empty again, down to the last node, when everything has been removed in any order', () => {
    const withOrder = fc
      .uniqueArray(filterArbitrary, { maxLength: 30 })
      .chain((filters) => fc.tuple(fc.constant(filters), fc.shuffledSubarray(filters, { minLength: filters.length })));
    fc.assert(
      fc.property(withOrder, fc.array(topicArbitrary), ([filters, order], topics) => {
        const trie = new SubscriptionTrie<object>();
        const oracle = new NaiveSubscriptions<object>();
        const me = {};
        for (const filter of filters) trie.add(subscriptionOf(me, filter));
        for (const filter of filters) oracle.subscribe(subscriptionOf(me, filter));
        for (const filter of order) {
          expect(trie.take(me, filterOf(filter))?.filter).toBe(filter);
          oracle.unsubscribe(me, filter);
          expect(trie.size).toBe(oracle.size);
          for (const topic of topics) expect(trie.match(topic).receivers).toHaveLength(oracle.receivers(topic).size);
        }
        expect(trie.isEmpty).toBe(true);
      }),
    );
  });
});
