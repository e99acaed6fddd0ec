import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { RetainedIndex } from '../../../src/topics/retained-index.js';
import { SubscriptionTrie } from '../../../src/topics/subscription-trie.js';
import { filterOf, subscriptionOf } from '../../support/subscriptions.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const COUNT = 500;
const LONG = 'x'.repeat(20_000);

/** What `fill` leaves in the heap for each of {@link COUNT} levels, bytes. */
function keptBytes(fill: (level: string) => void): number {
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < COUNT; i++) fill(`a-level-with-number-${i}`);
  collect();
  return (process.memoryUsage().heapUsed - before) / COUNT;
}

/** As it comes from the wire: nothing but itself in its memory. */
function received(text: string): string {
  return Buffer.from(text).toString();
}

describe('what is left of a long text that is gone, when a short one with a level of it stays', () => {
  it('is no more than the level in the retained index', () => {
    const topics: string[] = [];
    const index = new RetainedIndex<number>({
      topicOf: (value) => topics[value] as string,
      isAbout: (value, topic) => topics[value] === topic,
      startsWith: (value, beginning) => (topics[value] as string).startsWith(beginning),
      lengthOf: (value) => (topics[value] as string).length,
      levelsOf: (value) => (topics[value] as string).split('/').length,
    });
    const set = (topic: string): void => void index.set(topic, topics.push(topic) - 1);
    const kept = keptBytes((level) => {
      const long = received(`${level}/${LONG}`);
      set(long);
      set(received(`${level}/a`));
      index.delete(long);
      topics[topics.length - 2] = '';
    });
    expect(index.size).toBe(COUNT);
    expect(kept).toBeLessThan(4000);
  });

  it.each([
    ['a filter with wildcards', (level: string) => `${level}/${LONG}/+`, (level: string) => `${level}/+`],
    ['the name of a share', (level: string) => `$share/${LONG}/${level}`, (level: string) => level],
    [
      'the name of a share with wildcards',
      (level: string) => `$share/${LONG}/${level}/+`,
      (level: string) => `${level}/+`,
    ],
  ])('is no more than the level among subscriptions: %s', (_, longOf, shortOf) => {
    const trie = new SubscriptionTrie<object>();
    const subscriber = {};
    const kept = keptBytes((level) => {
      const long = received(longOf(level));
      trie.add(subscriptionOf(subscriber, long));
      trie.add(subscriptionOf(subscriber, received(shortOf(level))));
      trie.take(subscriber, filterOf(long));
    });
    expect(trie.size).toBe(COUNT);
    expect(kept).toBeLessThan(4000);
  });
});
