import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesTopic } from '../../../src/topics/filter-match.js';
import { naivelyMatches } from '../../support/naive-matcher.js';
import { pathArbitrary, topicArbitrary } from '../../support/subscriptions.js';

describe('matchesTopic', () => {
  it('does what the specification says (4.7)', () => {
    fc.assert(
      fc.property(pathArbitrary, topicArbitrary, (path, topic) => {
        expect(matchesTopic(path, topic)).toBe(naivelyMatches(path, topic));
      }),
      { numRuns: 2000 },
    );
  });

  it('does so for filters that are made to match, or nearly', () => {
    const changes = fc.array(fc.constantFrom('same', 'same', 'plus', 'hash', 'more', 'other'), { maxLength: 6 });
    fc.assert(
      fc.property(topicArbitrary, changes, (topic, kinds) => {
        const levels = topic.split('/').slice(0, kinds.length + 1);
        const path: string[] = [];
        for (const [at, level] of levels.entries()) {
          const kind = kinds[at] ?? 'same';
          if (kind === 'hash') {
            path.push('#');
            break;
          }
          path.push(kind === 'plus' ? '+' : kind === 'other' ? 'other' : level);
          if (kind === 'more') path.push('a');
        }
        const filter = path.join('/');
        if (filter !== '') expect(matchesTopic(filter, topic)).toBe(naivelyMatches(filter, topic));
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['#', 'a', true],
    ['#', '/', true],
    ['#', '$SYS/a', false],
    ['+/a', '$SYS/a', false],
    ['$SYS/#', '$SYS', true],
    ['$SYS/+', '$SYS/a', true],
    ['a/#', 'a', true],
    ['a/#', 'ab', false],
    ['a/+', 'a', false],
    ['a/+', 'a/', true],
    ['+', '', true],
    ['+/+', '/', true],
    ['/+', '/a', true],
    ['+', '/a', false],
    ['a', 'a/', false],
    ['a/', 'a', false],
    ['a/b/c', 'a/b', false],
    ['a/b', 'a/b/c', false],
    ['a/+/#', 'a', false],
    ['a/+/#', 'a/b', true],
  ])('%s and %s: %s', (path, topic, expected) => {
    expect(matchesTopic(path, topic)).toBe(expected);
  });
});
