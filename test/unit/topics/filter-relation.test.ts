import { array, assert, constantFrom, property, tuple } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coversFilter, intersectFilters } from '../../../src/topics/filter-relation.js';
import { naivelyMatches } from '../../support/naive-matcher.js';

/** Every topic of up to four of these levels: more than any filter below can tell apart. */
const LEVELS = ['', 'a', 'b', '$x'];
const TOPICS = topicsOf(4).filter((topic) => topic !== '');

function topicsOf(depth: number): string[] {
  if (depth === 0) return [];
  const shorter = topicsOf(depth - 1);
  return [...LEVELS, ...shorter.flatMap((topic) => LEVELS.map((level) => `${topic}/${level}`))].filter(
    (topic, at, all) => all.indexOf(topic) === at,
  );
}

const filters = tuple(
  array(constantFrom('', 'a', 'b', '$x', '+'), { maxLength: 3 }),
  constantFrom('#', '+', 'a', '', '$x'),
)
  .map(([levels, last]) => [...levels, last].join('/'))
  .filter((filter) => filter !== '');

function topicsMatching(filter: string): string[] {
  return TOPICS.filter((topic) => naivelyMatches(filter, topic));
}

describe('coversFilter', () => {
  it.each([
    ['#', 'a/b', true],
    ['#', '#', true],
    ['a/#', 'a', true],
    ['a/#', 'a/+/b', true],
    ['a/+', 'a/b', true],
    ['a/+', 'a', false],
    ['a/+', 'a/#', false],
    ['a/b', 'a/+', false],
    ['#', '$SYS/a', false],
    ['+/a', '$SYS/a', false],
    ['$SYS/#', '$SYS/a', true],
    ['$SYS/#', '#', false],
    ['a', 'a/#', false],
  ])('%s and %s: %s', (wide, narrow, expected) => {
    expect(coversFilter(wide, narrow)).toBe(expected);
  });

  it('says yes only where every topic of the one is one of the other', () => {
    assert(
      property(filters, filters, (wide, narrow) => {
        if (!coversFilter(wide, narrow)) return;
        const all = new Set(topicsMatching(wide));
        expect(topicsMatching(narrow).filter((topic) => !all.has(topic))).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('intersectFilters', () => {
  it.each([
    ['a/+', '+/b', 'a/b'],
    ['a/#', '+', 'a'],
    ['#', 'a/+', 'a/+'],
    ['a/#', '+/b/#', 'a/b/#'],
    ['a', 'b', null],
    ['#', '$SYS/#', null],
    ['a/+', 'a', null],
  ])('%s and %s: %s', (one, other, expected) => {
    expect(intersectFilters(one, other)).toBe(expected);
    expect(intersectFilters(other, one)).toBe(expected);
  });

  it('is the filter of exactly the topics that both match', () => {
    assert(
      property(filters, filters, (one, other) => {
        const both = intersectFilters(one, other);
        const expected = TOPICS.filter((topic) => naivelyMatches(one, topic) && naivelyMatches(other, topic));
        expect(both === null ? [] : topicsMatching(both)).toEqual(expected);
      }),
      { numRuns: 2000 },
    );
  });
});
