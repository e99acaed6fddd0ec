import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RetainedIndex } from '../../../src/topics/retained-index.js';
import type { RetainedTopics } from '../../../src/topics/retained-topics.js';
import { naivelyMatches } from '../../support/naive-matcher.js';
import { filterOf, pathArbitrary, topicArbitrary } from '../../support/subscriptions.js';

/** Values that are their topics. */
const THEMSELVES: RetainedTopics<string> = {
  topicOf: (value) => value,
  isAbout: (value, topic) => value === topic,
  startsWith: (value, beginning) => value.startsWith(beginning),
  lengthOf: (value) => value.length,
  levelsOf: (value) => value.split('/').length,
};

const OF_ENTRIES: RetainedTopics<{ topic: string; value: number }> = {
  topicOf: ({ topic }) => topic,
  isAbout: (entry, topic) => entry.topic === topic,
  startsWith: (entry, beginning) => entry.topic.startsWith(beginning),
  lengthOf: ({ topic }) => topic.length,
  levelsOf: ({ topic }) => topic.split('/').length,
};

function indexOf(...topics: string[]): RetainedIndex<string> {
  const index = new RetainedIndex<string>(THEMSELVES);
  for (const topic of topics) index.set(topic, topic);
  return index;
}

function found(index: RetainedIndex<string>, filter: string): string[] {
  return [...index.match(filterOf(filter))].sort();
}

describe('RetainedIndex', () => {
  it('returns what a change replaced or removed, and counts topics', () => {
    const index = new RetainedIndex(OF_ENTRIES);
    const set = (topic: string, value: number) => index.set(topic, { topic, value })?.value;
    expect(set('a/b', 1)).toBeUndefined();
    expect(set('a/b', 0)).toBe(1);
    expect(set('a', 2)).toBeUndefined();
    expect(set('a', 3)).toBe(2);
    const topics = ['a/b', 'a', 'a/b/c', 'b'];
    expect(topics.map((topic) => index.get(topic)?.value)).toEqual([0, 3, undefined, undefined]);
    expect(index.size).toBe(2);
    expect(index.delete('a/b/c')).toBeUndefined();
    expect(index.delete('a/b')?.value).toBe(0);
    expect(index.delete('a/b')).toBeUndefined();
    expect(index.delete('a')?.value).toBe(3);
    expect([index.size, index.isEmpty]).toEqual([0, true]);
  });

  it('does not take the node of a longer topic for a retained message', () => {
    const index = indexOf('a/b/c');
    expect(index.get('a/b')).toBeUndefined();
    expect(index.delete('a')).toBeUndefined();
    expect(found(index, 'a/+')).toEqual([]);
  });

  it.each([
    ['#', ['/', 'a', 'a/', 'a/b', 'a/b/c', 'b/b']],
    ['+', ['a']],
    ['a', ['a']],
    ['a/#', ['a', 'a/', 'a/b', 'a/b/c']],
    ['a/+', ['a/', 'a/b']],
    ['+/b', ['a/b', 'b/b']],
    ['+/+', ['/', 'a/', 'a/b', 'b/b']],
    ['+/b/#', ['a/b', 'a/b/c', 'b/b']],
    ['$SYS/#', ['$SYS/x']],
    ['$SYS/+', ['$SYS/x']],
    ['+/x', []],
    ['$share/g/a', ['a']],
    ['nothing/#', []],
  ])('finds for %s what the specification says', (filter, expected) => {
    expect(found(indexOf('a', 'a/b', 'a/b/c', 'a/', '/', 'b/b', '$SYS/x'), filter)).toEqual(expected);
  });

  it('can be left and resumed after any number of steps', () => {
    const topics = Array.from({ length: 100 }, (_, at) => `site/${at}/x`);
    const index = indexOf(...topics, 'site/42/rare');
    const cursor = index.match(filterOf('+/+/rare'));
    let pauses = 0;
    let rare = cursor.find(10);
    for (; rare === undefined && !cursor.done; rare = cursor.find(10)) pauses++;
    expect(rare).toBe('site/42/rare');
    expect(pauses).toBeGreaterThan(2);
    while (!cursor.done) expect(cursor.find(10)).toBeUndefined();
    expect(cursor.find(10)).toBeUndefined();
  });

  it('ends a search that its user breaks off', () => {
    const cursor = indexOf('a', 'b', 'c').match(filterOf('#'));
    for (const _ of cursor) break;
    expect([cursor.done, cursor.next().done]).toEqual([true, true]);
  });

  it('counts a long topic as many steps, whether the filter ends before it or goes on', () => {
    const topics = Array.from({ length: 100 }, (_, at) => `a/${at}/${'x'.repeat(25_600)}`);
    for (const filter of ['a/+', 'a/+/x']) {
      const cursor = indexOf(...topics).match(filterOf(filter));
      let turns = 0;
      for (; !cursor.done; turns++) expect(cursor.find(1000)).toBeUndefined();
      expect(turns).toBeGreaterThanOrEqual(10);
    }
  });

  it('reads the topic of what is in the way once, however many levels another one has in common with it', () => {
    const asked: string[] = [];
    const index = new RetainedIndex<string>({
      ...THEMSELVES,
      topicOf: (value) => {
        asked.push('topicOf');
        return value;
      },
      isAbout: (value, topic) => {
        asked.push('isAbout');
        return value === topic;
      },
    });
    const common = 'level/'.repeat(100);
    for (const topic of [`${common}a`, `${common}b`]) index.set(topic, topic);
    expect(asked).toEqual(['isAbout', 'topicOf']);
    expect(found(index, '#')).toEqual([`${common}a`, `${common}b`]);
  });

  it('reads no topic to rule a filter out', () => {
    const topicOf = (): never => expect.fail('A topic may be much longer than the filter');
    const index = new RetainedIndex<string>({ ...THEMSELVES, topicOf });
    index.set('a/b/c', 'a/b/c');
    const filters = ['a/b/#', 'a/+', 'a/b/c/#', 'a/x/+', 'a/b/c/d/#', 'a/b/x/+'];
    expect(filters.map((filter) => index.mayMatch(filterOf(filter)))).toEqual([true, true, true, false, false, false]);
  });

  it('does not visit topics under other levels', () => {
    const index = new RetainedIndex<string>(THEMSELVES);
    for (let at = 0; at < 1000; at++) index.set(`other/${at}`, `other/${at}`);
    index.set('a/b/c', 'a/b/c');
    index.set('a/b/d', 'a/b/d');
    const cursor = index.match(filterOf('a/+/c'));
    expect(cursor.find(5)).toBe('a/b/c');
    expect([cursor.find(5), cursor.done]).toEqual([undefined, true]);
  });

  it('holds the deepest topic that fits into a packet', () => {
    const deep = '/'.repeat(65_535);
    const index = indexOf(deep);
    expect(found(index, '#')).toEqual([deep]);
    expect(found(index, `${'+/'.repeat(10)}#`)).toEqual([deep]);
    expect(index.delete(deep)).toBe(deep);
    expect(index.isEmpty).toBe(true);
  });

  it('agrees with the oracle on any topics and filters', () => {
    fc.assert(
      fc.property(fc.uniqueArray(topicArbitrary, { maxLength: 40 }), fc.array(pathArbitrary), (topics, filters) => {
        const index = indexOf(...topics);
        expect(index.size).toBe(topics.length);
        for (const filter of filters) {
          expect(found(index, filter)).toEqual(topics.filter((topic) => naivelyMatches(filter, topic)).sort());
        }
        for (const topic of topics) expect(index.delete(topic)).toBe(topic);
        expect(index.isEmpty).toBe(true);
      }),
    );
  });

  it.each([
    ['a/b', true],
    ['a/b/#', true],
    ['a/+', true],
    ['a/b/+', true],
    ['a/+/c', true],
    ['+/nothing', true],
    ['#', true],
    ['a', false],
    ['a/x', false],
    ['a/x/#', false],
    ['x/+', false],
    ['$SYS/#', false],
  ])('knows by the beginning of a filter that nothing matches it: %s', (filter, mayMatch) => {
    expect(indexOf('a/b/c', 'a/b').mayMatch(filterOf(filter))).toBe(mayMatch);
    expect(new RetainedIndex<string>(THEMSELVES).mayMatch(filterOf(filter))).toBe(false);
  });

  it('rules no filter out that finds something', () => {
    fc.assert(
      fc.property(fc.array(topicArbitrary, { maxLength: 10 }), pathArbitrary, (topics, filter) => {
        const index = indexOf(...topics);
        if (found(index, filter).length > 0) expect(index.mayMatch(filterOf(filter))).toBe(true);
      }),
    );
  });

  it('finds once whatever stays, and nothing that is not there, while messages come and go', () => {
    const change = fc.record({ topic: topicArbitrary, remove: fc.boolean() });
    const changes = fc.array(fc.array(change, { maxLength: 3 }), { maxLength: 40 });
    fc.assert(
      fc.property(
        fc.uniqueArray(topicArbitrary, { maxLength: 30 }),
        pathArbitrary,
        changes,
        (topics, filter, turns) => {
          const index = indexOf(...topics);
          const staying = new Set(topics);
          const cursor = index.match(filterOf(filter));
          const seen: string[] = [];
          for (let turn = 0; !cursor.done; turn++) {
            const topic = cursor.find(2);
            if (topic !== undefined) {
              seen.push(topic);
              expect(index.get(topic)).toBe(topic);
            }
            for (const one of turns[turn] ?? []) {
              if (!one.remove) index.set(one.topic, one.topic);
              else if (index.delete(one.topic) !== undefined) staying.delete(one.topic);
            }
          }
          for (const topic of seen) expect(naivelyMatches(filter, topic)).toBe(true);
          for (const topic of staying) {
            expect(seen.filter((one) => one === topic)).toHaveLength(naivelyMatches(filter, topic) ? 1 : 0);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
