/** Short ways to write filters, subscriptions and random topics in the tests of src/topics. */
import fc from 'fast-check';
import { makeSubscription, type Subscription, type SubscriptionOptions } from '../../src/topics/subscription.js';
import { parseTopicFilter, TopicFilter } from '../../src/topics/topic-filter.js';

export function filterOf(text: string): TopicFilter {
  const parsed = parseTopicFilter(text, 65_535);
  if (!(parsed instanceof TopicFilter)) throw new TypeError(`${text}: ${parsed.reason}`);
  return parsed;
}

export function subscriptionOf<S>(
  subscriber: S,
  filter: string,
  options: Partial<Omit<SubscriptionOptions<S>, 'subscriber' | 'filter'>> = {},
): Subscription<S> {
  return makeSubscription<S>({
    subscriber,
    filter: filterOf(filter),
    qos: 0,
    noLocal: false,
    retainAsPublished: false,
    identifier: 0,
    stream: null,
    sinceSequence: 0,
    ...options,
  });
}

// Few different levels, so that filters and topics meet; some of the awkward kind.
const level = fc.constantFrom('a', 'b', '', '$x', 'ü', '😀', 'a rather long level name', ' ');
const filterLevel = fc.oneof({ weight: 3, arbitrary: level }, { weight: 2, arbitrary: fc.constant('+') });

/** Valid topic names, `$` topics and empty levels among them. */
export const topicArbitrary = fc
  .array(level, { minLength: 1, maxLength: 5 })
  .map((levels) => levels.join('/'))
  .filter((topic) => topic.length > 0);

/** Valid filters that are not shared. */
export const pathArbitrary = fc
  .tuple(fc.array(filterLevel, { maxLength: 5 }), fc.boolean())
  .map(([levels, hash]) => [...levels, ...(hash ? ['#'] : [])].join('/'))
  .filter((path) => path.length > 0);

/** Valid filters, some of them shared. */
export const filterArbitrary = fc
  .tuple(pathArbitrary, fc.constantFrom('', '', '', '$share/one/', '$share/two/'))
  .map(([path, share]) => share + path);
