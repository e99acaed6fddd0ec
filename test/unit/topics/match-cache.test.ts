import { describe, expect, it } from 'vitest';
import { DEFAULT_MATCH_CACHE_LIMITS, MatchCache, type MatchCacheLimits } from '../../../src/topics/match-cache.js';
import { SubscriptionTrie } from '../../../src/topics/subscription-trie.js';
import type { TopicEntry } from '../../../src/topics/topic-entry.js';
import { filterOf, subscriptionOf } from '../../support/subscriptions.js';

function cacheOf(limits: Partial<MatchCacheLimits> = {}) {
  const trie = new SubscriptionTrie<object>();
  return { trie, cache: new MatchCache(trie, { ...DEFAULT_MATCH_CACHE_LIMITS, ...limits }) };
}

/** The entry of a topic that is in use: taken in, if it was not. */
function usedEntry(cache: MatchCache<object>, topic: string): TopicEntry<object> {
  cache.entry(topic);
  return cache.entry(topic);
}

describe('MatchCache', () => {
  it('hands out one entry and one result per topic', () => {
    const { trie, cache } = cacheOf();
    trie.add(subscriptionOf({}, 'a/+'));
    trie.add(subscriptionOf({}, '#'));
    const entry = usedEntry(cache, 'a/ü');
    expect(entry.topic).toBe('a/ü');
    expect(entry.bytes).toEqual(Buffer.from('a/ü'));
    expect(entry.bytes).toBe(entry.bytes);
    expect(cache.entry('a/ü')).toBe(entry);
    expect(cache.resultOf(entry)).toBe(cache.resultOf(entry));
    expect(cache.resultOf(entry).receivers).toHaveLength(2);
  });

  it('takes a topic in when it is asked for a second time', () => {
    const { cache } = cacheOf();
    const first = cache.entry('a');
    expect(cache.size).toBe(0);
    const second = cache.entry('a');
    expect(second).not.toBe(first);
    expect(cache.size).toBe(1);
    expect(cache.entry('a')).toBe(second);
  });

  it('takes in the entry that somebody holds when its second message comes', () => {
    const { trie, cache } = cacheOf();
    trie.add(subscriptionOf({}, 'a'));
    const held = cache.entry('a');
    expect(cache.resultOf(held).receivers).toHaveLength(1);
    expect(cache.size).toBe(0);
    expect(cache.resultOf(held).receivers).toHaveLength(1);
    expect(cache.entry('a')).toBe(held);
  });

  it('keeps no result of a topic that was used once, which no sweep would come by', () => {
    const { trie, cache } = cacheOf();
    trie.add(subscriptionOf({}, '#'));
    trie.add(subscriptionOf({}, '+'));
    const once = cache.entry('a');
    expect(cache.resultOf(once).receivers).toHaveLength(2);
    expect(once.unsharedSlots).toBe(0);
  });

  it('keeps no result in an entry of which there is another in its place, which no sweep would come by', () => {
    const { trie, cache } = cacheOf();
    for (const filter of ['#', '+']) trie.add(subscriptionOf({}, filter));
    // Two publishers of one topic: the first one holds an entry that has not been taken in.
    const held = cache.entry('a');
    cache.resultOf(held);
    const taken = cache.entry('a');
    for (let round = 0; round < 2; round++) {
      expect(cache.resultOf(held)).toBe(cache.resultOf(taken));
      expect(held.unsharedSlots).toBe(0);
      trie.add(subscriptionOf({}, 'a'));
    }
    expect(cache.resultOf(held).receivers).toHaveLength(4);
    expect(cache.size).toBe(1);
  });

  it('gives up nothing for topics that are used once', () => {
    const { cache } = cacheOf({ maximumCachedTopics: 1000 });
    const used = usedEntry(cache, 'used');
    for (let at = 0; at < 10_000; at++) cache.resultOf(cache.entry(`once/${at}`));
    expect(cache.entry('used')).toBe(used);
    // Some are taken for topics that have been asked for before.
    expect(cache.size).toBeLessThan(300);
  });

  it('takes a topic in however many have been used once between its two uses, up to half of what is allowed', () => {
    const { cache } = cacheOf({ maximumCachedTopics: 1000 });
    for (let round = 0; round < 20; round++) {
      const topic = `again/${round}`;
      const first = cache.entry(topic);
      for (let at = 0; at < 490; at++) cache.entry(`once/${round}/${at}`);
      const second = cache.entry(topic);
      expect([first, second]).toContain(cache.entry(topic));
    }
  });

  it('keeps no more than the bytes of a topic alive', () => {
    const { bytes } = cacheOf().cache.entry('a/ü');
    expect(bytes.buffer.byteLength).toBe(bytes.length);
  });

  it.each([
    ['a/b', 'a/b', ['a', 'a/b/c', 'b', 'c']],
    ['a/b/+', 'a/b/x', ['a', 'a/x', 'b/b/x', 'c']],
    ['a/b/#', 'a/b', ['a', 'a/x', 'b']],
    ['$share/g/a/b', 'a/b', ['a', 'c']],
    ['1/2/3/4/#', '1/2/3/4', ['1/2/3/5', '1/2/3']],
    ['1/2/3/4/5/+', '1/2/3/4/5/6', ['1/2/3/5', '1/2/3']],
  ])('forgets for %s the result of %s but not that of other beginnings', (filter, concerned, others) => {
    const { trie, cache } = cacheOf();
    // Two filters match, so that each result is an object of its own.
    trie.add(subscriptionOf({}, '#'));
    trie.add(subscriptionOf({}, '+/#'));
    const entry = usedEntry(cache, concerned);
    const before = cache.resultOf(entry);
    const kept = others.map((topic) => [usedEntry(cache, topic), cache.resultOf(cache.entry(topic))] as const);
    const newcomer = {};
    trie.add(subscriptionOf(newcomer, filter));
    const during = cache.resultOf(entry);
    expect(during.receivers.length + during.groups.length).toBe(3);
    trie.take(newcomer, filterOf(filter));
    expect(cache.resultOf(entry).receivers.length).toBe(before.receivers.length);
    for (const [other, result] of kept) expect(cache.resultOf(other)).toBe(result);
  });

  it('gives up what was not asked for lately, and keeps what is in use', () => {
    const { cache } = cacheOf({ maximumCachedTopics: 100 });
    const used = usedEntry(cache, 'used');
    const unused = usedEntry(cache, 'unused');
    for (let at = 0; at < 1000; at++) {
      usedEntry(cache, `filler/${at}`);
      if (at % 20 === 0) expect(cache.entry('used')).toBe(used);
      expect(cache.size).toBeLessThanOrEqual(100);
    }
    expect(cache.entry('unused')).not.toBe(unused);
  });

  it('keeps a given-up entry right for the connection that holds it, and takes it in again', () => {
    const { trie, cache } = cacheOf({ maximumCachedTopics: 4 });
    const held = usedEntry(cache, 'held');
    expect(cache.resultOf(held).receivers).toEqual([]);
    for (let at = 0; at < 20; at++) usedEntry(cache, `filler/${at}`);
    const other = usedEntry(cache, 'held');
    expect(other).not.toBe(held);
    for (const filter of ['held', '+', '$share/g/held']) {
      trie.add(subscriptionOf({}, filter));
      expect(cache.resultOf(held)).toStrictEqual(cache.resultOf(other));
    }
    expect(cache.resultOf(held)).toMatchObject({ receivers: { length: 2 }, groups: { length: 1 } });
    for (let at = 0; at < 20; at++) usedEntry(cache, `filler/${at}`);
    trie.add(subscriptionOf({}, '#'));
    cache.resultOf(held);
    expect(cache.entry('held')).toBe(held);
  });

  it('bounds the receivers of results that are not shared', () => {
    const { trie, cache } = cacheOf({ maximumCachedReceivers: 100 });
    for (let at = 0; at < 5; at++) {
      trie.add(subscriptionOf({}, '+'));
      trie.add(subscriptionOf({}, '#'));
    }
    for (let at = 0; at < 1000; at++) {
      cache.resultOf(usedEntry(cache, `${at}`));
      expect(cache.size).toBeLessThanOrEqual(11);
    }
  });

  it('does not count shared results', () => {
    const { trie, cache } = cacheOf({ maximumCachedReceivers: 100 });
    for (let at = 0; at < 50; at++) trie.add(subscriptionOf({}, '#'));
    for (let at = 0; at < 100; at++) cache.resultOf(usedEntry(cache, `${at}`));
    expect(cache.size).toBe(100);
  });

  it('bounds the length of all topics', () => {
    const { cache } = cacheOf({ maximumCachedCharacters: 100_000 });
    for (let at = 0; at < 100; at++) usedEntry(cache, `${at}`.padStart(10_000, 'x'));
    expect(cache.size).toBeLessThanOrEqual(10);
  });

  it('works, if badly, with bounds of nothing', () => {
    const { trie, cache } = cacheOf({ maximumCachedTopics: 0, maximumCachedReceivers: 0, maximumCachedCharacters: 0 });
    trie.add(subscriptionOf({}, 'a'));
    expect(cache.resultOf(cache.entry('a')).receivers).toHaveLength(1);
    expect(cache.resultOf(cache.entry('b')).receivers).toHaveLength(0);
    expect(cache.size).toBeLessThanOrEqual(1);
  });

  it('lets go of stale results when swept, so that ended sessions can be collected', () => {
    const { trie, cache } = cacheOf();
    const session = {};
    trie.add(subscriptionOf(session, 'a/+'));
    trie.add(subscriptionOf(session, 'a/#'));
    const entries = Array.from({ length: 100 }, (_, at) => usedEntry(cache, `a/${at}`));
    for (const entry of entries) expect(cache.resultOf(entry).receivers).toHaveLength(1);
    trie.take(session, filterOf('a/+'));
    trie.take(session, filterOf('a/#'));
    cache.sweepStale(50);
    expect(entries.filter((entry) => entry.unsharedSlots > 0)).toHaveLength(50);
    cache.sweepStale(50);
    expect(entries.filter((entry) => entry.unsharedSlots > 0)).toHaveLength(0);
  });
});
