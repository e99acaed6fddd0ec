import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MatchResult } from '../../../src/topics/match-result.js';
import type { TopicEntry } from '../../../src/topics/topic-entry.js';
import { TopicIndex } from '../../../src/topics/topic-index.js';
import { NaiveSubscriptions, plainDelivery, plainReceiver } from '../../support/naive-matcher.js';
import { filterArbitrary, filterOf, subscriptionOf, topicArbitrary } from '../../support/subscriptions.js';

interface Session {
  readonly name: string;
}

const SESSIONS: readonly Session[] = ['ann', 'ben', 'cid'].map((name) => ({ name }));

const session = fc.constantFrom(...SESSIONS);

// Mostly filters and topics that meet: with the wide ones alone, subscriptions would seldom overlap.
const paths = ['a', '+', '#', 'a/+', 'a/#', '+/a', 'a/a'];
const closeFilters = fc.constantFrom(...paths, ...paths.map((path) => `$share/one/${path}`));
const filter = fc.oneof({ weight: 4, arbitrary: closeFilters }, { weight: 1, arbitrary: filterArbitrary });
const topic = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('a', 'a/a', 'b') },
  { weight: 1, arbitrary: topicArbitrary },
);

const step = fc.oneof(
  fc.record({
    kind: fc.constant('subscribe' as const),
    session,
    filter,
    options: fc.record({
      qos: fc.constantFrom(0 as const, 1 as const, 2 as const),
      noLocal: fc.boolean(),
      retainAsPublished: fc.boolean(),
      identifier: fc.integer({ min: 0, max: 3 }),
    }),
  }),
  fc.record({ kind: fc.constant('unsubscribe' as const), session, filter }),
  fc.record({ kind: fc.constant('unsubscribe known' as const), at: fc.nat() }),
  fc.record({ kind: fc.constant('publish' as const), topic, hold: fc.boolean() }),
);

function expectResult(result: MatchResult<Session>, oracle: NaiveSubscriptions<Session>, topic: string): void {
  const receivers = new Map(result.receivers.map((receiver) => [receiver.subscriber, plainReceiver(receiver)]));
  expect(receivers.size).toBe(result.receivers.length);
  expect(receivers).toEqual(oracle.receivers(topic));
  const groups = new Map(
    result.groups.map((group) => {
      const members = [...group.members()].map((member) => [member.subscriber, plainDelivery(member)] as const);
      return [group.filter, new Map(members)];
    }),
  );
  expect(groups.size).toBe(result.groups.length);
  expect(groups).toEqual(oracle.groups(topic));
}

describe('TopicIndex', () => {
  it('reports what it holds', () => {
    const index = new TopicIndex<Session>();
    const [ann] = SESSIONS as [Session];
    const first = subscriptionOf(ann, 'a');
    expect(index.subscribe(first)).toBeUndefined();
    expect(index.subscribe(subscriptionOf(ann, 'a', { qos: 1 }))).toBe(first);
    expect(index.subscribe(subscriptionOf(ann, '$share/g/a'))).toBeUndefined();
    index.entry('a');
    index.entry('a');
    expect([index.subscriptionCount, index.sharedSubscriptionCount, index.cachedTopicCount]).toEqual([2, 1, 1]);
    expect(index.unsubscribe(ann, filterOf('a'))?.qos).toBe(1);
    expect(index.unsubscribe(ann, filterOf('a'))).toBeUndefined();
    expect(index.match('a')).toMatchObject({ receivers: [], groups: { length: 1 } });
  });

  it.each([
    ['an ample cache', {}],
    ['a cache of four topics', { maximumCachedTopics: 4 }],
    ['a cache of three receivers', { maximumCachedReceivers: 3 }],
    ['no cache to speak of', { maximumCachedTopics: 1 }],
  ])('agrees with the oracle through any sequence of changes, with %s', (_, limits) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const index = new TopicIndex<Session>(limits);
        const oracle = new NaiveSubscriptions<Session>();
        const known: { subscriber: Session; filter: string }[] = [];
        const held: TopicEntry<Session>[] = [];
        const unsubscribe = (subscriber: Session, filter: string) =>
          expect(index.unsubscribe(subscriber, filterOf(filter))).toBe(oracle.unsubscribe(subscriber, filter));
        for (const one of steps) {
          if (one.kind === 'publish') {
            const entry = index.entry(one.topic);
            if (one.hold) held.push(entry);
            expectResult(index.resultOf(entry), oracle, one.topic);
          } else if (one.kind === 'subscribe') {
            const noLocal = one.options.noLocal && !one.filter.startsWith('$share/');
            const subscription = subscriptionOf(one.session, one.filter, { ...one.options, noLocal });
            known.push({ subscriber: one.session, filter: one.filter });
            const filter = filterOf(one.filter);
            expect(index.find(one.session, filter)).toBe(oracle.find(one.session, one.filter));
            expect(index.subscribe(subscription)).toBe(oracle.subscribe(subscription));
            expect(index.find(one.session, filter)).toBe(subscription);
          } else if (one.kind === 'unsubscribe') {
            unsubscribe(one.session, one.filter);
          } else if (known.length > 0) {
            const { subscriber, filter } = known[one.at % known.length] as (typeof known)[number];
            unsubscribe(subscriber, filter);
          }
          expect(index.subscriptionCount).toBe(oracle.size);
          for (const entry of held) expectResult(index.resultOf(entry), oracle, entry.topic);
        }
      }),
      { numRuns: 150 },
    );
  });
});
