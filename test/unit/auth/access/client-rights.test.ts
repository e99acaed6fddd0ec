import { array, assert, boolean, constantFrom, property, record, tuple } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AccessAction, TOPIC_ACTIONS } from '../../../../src/auth/access/access-action.js';
import { topicRule } from '../../../../src/auth/access/access-rule.js';
import { ClientRights } from '../../../../src/auth/access/client-rights.js';
import { grantedRules } from '../../../../src/auth/access/granted-rules.js';
import { EVERYTHING } from '../../../../src/auth/access/rule-target.js';
import type { GrantedRule } from '../../../../src/auth/identity.js';
import { naivelyMatches } from '../../../support/naive-matcher.js';

const { Publish, Subscribe, Receive } = AccessAction;

interface PlainRule {
  readonly isAllowed: boolean;
  readonly actions: number;
  readonly filter: string;
}

const LEVELS = ['', 'a', 'b'];
const TOPICS = ['$s', '$s/a', '$s/a/b', ...topicsOf(4)].filter((topic) => topic !== '');

function topicsOf(depth: number): string[] {
  if (depth === 1) return LEVELS;
  const shorter = topicsOf(depth - 1);
  return [...new Set([...LEVELS, ...shorter.flatMap((topic) => LEVELS.map((level) => `${topic}/${level}`))])];
}

const filters = tuple(
  array(constantFrom('', 'a', 'b', '+'), { maxLength: 2 }),
  constantFrom('#', '+', 'a', 'b'),
  constantFrom('', '', '', '$s/'),
).map(([levels, last, start]) => start + [...levels, last].join('/'));

const rules = record({
  isAllowed: boolean(),
  actions: constantFrom(TOPIC_ACTIONS, Receive, Subscribe | Receive, Publish, Subscribe),
  filter: filters,
});

const sources = array(array(rules, { maxLength: 5 }), { maxLength: 3 });

function rightsOf(lists: readonly (readonly PlainRule[])[]): ClientRights {
  return new ClientRights(
    lists.map((list) => list.map(({ isAllowed, actions, filter }) => topicRule(isAllowed, actions, filter, ''))),
  );
}

/** The meaning of the rules, as plainly as possible. */
function naivelyAllows(lists: readonly (readonly PlainRule[])[], topic: string, action: number): boolean {
  const verdicts = lists.map(
    (list) => list.find(({ actions, filter }) => (actions & action) !== 0 && naivelyMatches(filter, topic))?.isAllowed,
  );
  return !verdicts.includes(false) && verdicts.includes(true);
}

describe('the rights of a client', () => {
  it('are what the rules say, for every topic', () => {
    assert(
      property(sources, (lists) => {
        const rights = rightsOf(lists);
        for (const topic of TOPICS) {
          expect(rights.allows(topic, Receive)).toBe(naivelyAllows(lists, topic, Receive));
          expect(rights.allowsPublish(topic)).toBe(naivelyAllows(lists, topic, Publish));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('cover a filter only if every topic of it may be received, and none of it only if no topic may', () => {
    const seen = { none: 0, some: 0, all: 0 };
    assert(
      property(sources, filters, (lists, filter) => {
        const coverage = rightsOf(lists).examine(filter);
        seen[coverage]++;
        const received = TOPICS.filter((topic) => naivelyMatches(filter, topic)).map((topic) =>
          naivelyAllows(lists, topic, Receive),
        );
        if (coverage === 'all') expect(received).not.toContain(false);
        const subscribed = TOPICS.filter(
          (topic) =>
            naivelyMatches(filter, topic) &&
            naivelyAllows(lists, topic, Receive) &&
            naivelyAllows(lists, topic, Subscribe),
        );
        if (coverage === 'none') expect(subscribed).toEqual([]);
      }),
      { numRuns: 5000 },
    );
    // Each answer has been looked at often enough to mean something.
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(50);
  });

  it('say of one topic exactly whether it may be received', () => {
    assert(
      property(sources, constantFrom(...TOPICS), (lists, topic) => {
        const isReceived = naivelyAllows(lists, topic, Receive);
        const coverage = rightsOf(lists).examine(topic);
        if (isReceived && naivelyAllows(lists, topic, Subscribe)) expect(coverage).toBe('all');
        else expect(coverage).not.toBe('all');
      }),
      { numRuns: 2000 },
    );
  });

  it('are none where nothing is said', () => {
    const rights = new ClientRights([]);
    expect(rights.allows('a', Receive)).toBe(false);
    expect(rights.examine('#')).toBe('none');
  });

  it('end with a rule that denies everything', () => {
    const rights = new ClientRights([
      [
        topicRule(true, TOPIC_ACTIONS, 'own/#', ''),
        { isAllowed: false, actions: -1, target: EVERYTHING, origin: 'names' },
      ],
    ]);
    expect(rights.allows('own/x', Receive)).toBe(true);
    expect(rights.findDeciding('$s/x', Receive)?.origin).toBe('names');
    expect(rights.examine('own/#')).toBe('all');
    expect(rights.examine('#')).toBe('some');
    expect(rights.examine('other/#')).toBe('none');
  });
});

describe('the rules of credentials', () => {
  function granted(given: GrantedRule[]): ClientRights {
    return new ClientRights([grantedRules({ username: 'ann', clientId: 'c1', roles: [], rules: given })]);
  }

  it('are asked in their order', () => {
    const may = granted([
      { effect: 'deny', action: 'publish', filter: 'a/x' },
      { effect: 'allow', action: 'all', filter: 'a/#' },
      { effect: 'allow', action: 'subscribe', filter: `own/\${username}/#` },
    ]);
    expect(may.allows('a/x', Publish)).toBe(false);
    expect(may.allows('a/x', Receive)).toBe(true);
    expect(may.allows('a/y', Publish)).toBe(true);
    expect(may.allows('own/ann/x', Subscribe)).toBe(true);
    expect(may.allows('own/bob/x', Subscribe)).toBe(false);
  });

  it('permit nothing where they are no filter, and deny everything', () => {
    expect(granted([{ effect: 'allow', action: 'all', filter: '#/a' }]).allows('x', Publish)).toBe(false);
    const may = granted([
      { effect: 'deny', action: 'publish', filter: '#/a' },
      { effect: 'allow', action: 'all', filter: '#' },
    ]);
    expect(may.allows('x', Publish)).toBe(false);
  });
});
