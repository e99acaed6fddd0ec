// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of claims
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRoles, readRules, UnusableClaim } from '../../../src/auth/granted-claims.js';
import { InvalidFilter, parseTopicFilter } from '../../../src/topics/topic-filter.js';

const SUBJECT = { clientId: 'c-1', username: 'alice' };

describe('roles', () => {
  it.each([
    [undefined, []],
    [null, []],
    [[], []],
    [
      ['a', '__proto__'],
      ['a', '__proto__'],
    ],
  ])('%j are %j', (claim, roles) => expect(readRoles(claim)).toEqual(roles));

  it.each([
    ['admin'],
    [{ admin: true }],
    [[1]],
    [['']],
    [['x'.repeat(257)]],
    [['\ud800']],
    [new Array(101).fill('a')],
    [7],
  ])('of the form %#: are refused', (claim) => expect(readRoles(claim)).toBeInstanceOf(UnusableClaim));
});

describe('rules', () => {
  it('are read from a map of lists', () => {
    expect(readRules({ pub: ['a/b'], sub: ['a/#', '+'], all: ['own/${clientid}/${username}/#'] }, SUBJECT)).toEqual([
      { effect: 'allow', action: 'publish', filter: 'a/b' },
      { effect: 'allow', action: 'subscribe', filter: 'a/#' },
      { effect: 'allow', action: 'subscribe', filter: '+' },
      { effect: 'allow', action: 'all', filter: 'own/c-1/alice/#' },
    ]);
  });

  it('are read from a list, in its order', () => {
    const claim = [
      { permission: 'deny', action: 'pub', topic: 'a' },
      { permission: 'allow', action: 'subscribe', topic: 'eq b' },
      { permission: 'allow', action: 'all', topic: '#' },
    ];
    expect(readRules(claim, SUBJECT)).toEqual([
      { effect: 'deny', action: 'publish', filter: 'a' },
      { effect: 'allow', action: 'subscribe', filter: 'b' },
      { effect: 'allow', action: 'all', filter: '#' },
    ]);
  });

  it.each<[unknown, string]>([
    ['#', 'is neither a map nor a list of rules'],
    [{ publish: ['a'] }, 'has other keys than pub, sub and all'],
    [{ pub: 'a' }, 'has no list under pub'],
    [{ pub: [1] }, 'has a topic that is no text'],
    [{ pub: ['a/#/b'] }, 'has a topic that is no topic filter'],
    [{ pub: [''] }, 'has a topic that is no topic filter'],
    [{ sub: ['$share/g/a'] }, 'has a topic that begins with $share'],
    [{ sub: ['eq a/+'] }, 'has a topic with eq and a wildcard'],
    [{ sub: ['${host}'] }, 'has the placeholder ${host}, for which there is nothing'],
    [['#'], 'has a rule that is no map'],
    [[{ action: 'all', topic: '#' }], 'has a rule whose permission is neither allow nor deny'],
    [[{ permission: 'allow', topic: '#' }], 'has a rule whose action is not'],
    [[{ permission: 'allow', action: 'pub', topic: 'a', qos: [0] }], 'has a rule with more than'],
    [{ pub: new Array(1001).fill('a') }, 'has more than 1000 rules'],
  ])('%j is refused', (claim, reason) => {
    const refused = readRules(claim, SUBJECT);
    expect(refused).toBeInstanceOf(UnusableClaim);
    if (refused instanceof UnusableClaim) expect(refused.reason).toContain(reason);
  });

  it.each(['+', '#', 'a/b', '+/x'])('do not let a client choose %j as its id to reach other topics', (clientId) => {
    expect(readRules({ all: ['own/${clientid}/#'] }, { clientId, username: null })).toBeInstanceOf(UnusableClaim);
  });

  it('never throw, and are filters', () => {
    const text = fc.oneof(
      fc.string(),
      fc.constantFrom('pub', 'sub', 'all', 'allow', 'deny', 'a/+', '#', '${clientid}', '__proto__'),
    );
    const rule = fc.record({ permission: text, action: text, topic: text }, { requiredKeys: [] });
    const claim = fc.oneof(fc.jsonValue(), fc.array(rule), fc.dictionary(text, fc.array(text)));
    fc.assert(
      fc.property(claim, fc.string(), (value, clientId) => {
        const rules = readRules(value, { clientId, username: 'u' });
        if (rules instanceof UnusableClaim) return;
        for (const { filter } of rules) expect(parseTopicFilter(filter, 128)).not.toBeInstanceOf(InvalidFilter);
        readRoles(value);
      }),
    );
  });
});
