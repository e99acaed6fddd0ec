/**
 * What a topic match costs as subscriptions grow from a thousand to a million. Called by the benchmark runner, or by
 * itself once `npx tsc -b src bench` has been run:
 *
 *   node --expose-gc build/bench/topic-matching.js
 *
 * Subscriptions are one third exact, one third with +, one third with #. Topics are drawn at random from prepared lists
 * that are the same size at every row, so what grows with the rows is the data a match touches, not the loop around it.
 * A "hot" column repeats 64 topics, which stay in the processor's caches: the difference is what memory costs.
 */
import { pathToFileURL } from 'node:url';

/** What is used of the built module; the benchmark measures what is shipped, not a second compilation of it. */
interface TopicIndex {
  subscribe(subscription: Subscription): Subscription | undefined;
  unsubscribe(subscriber: object, filter: object): Subscription | undefined;
  entry(topic: string): object;
  resultOf(entry: object): { receivers: readonly object[] };
  match(topic: string): { receivers: readonly object[] };
}

interface Topics {
  readonly newIndex: (limits?: object) => TopicIndex;
  readonly parse: (filter: string) => object;
  readonly newSubscription: (options: object) => Subscription;
}

interface Subscription {
  readonly topicFilter: object;
}

const ROUNDS = 5;
const TOPICS = 100_000;

async function loadTopics(): Promise<Topics> {
  const index = await import(new URL('../../dist/topics/topic-index.js', import.meta.url).href);
  const filter = await import(new URL('../../dist/topics/topic-filter.js', import.meta.url).href);
  const subscription = await import(new URL('../../dist/topics/subscription.js', import.meta.url).href);
  return {
    newIndex: (limits) => new index.TopicIndex(limits),
    parse: (text) => filter.parseTopicFilter(text, 128),
    newSubscription: (options) => new subscription.Subscription(options),
  };
}

/** Device `d` of the fleet: its exact, + and # filter all match its `topicOf`. */
function filtersOf(device: number): [string, string, string] {
  const home = `fleet/site${device % 100}/device${device}`;
  return [`${home}/sensor/temperature`, `${home}/+/temperature`, `${home}/#`];
}

function topicOf(device: number): string {
  return filtersOf(device)[0];
}

function subscriptionTo(topics: Topics, filter: string, subscriber: object): Subscription {
  return topics.newSubscription({
    subscriber,
    filter: topics.parse(filter),
    qos: 1,
    noLocal: false,
    retainAsPublished: false,
    identifier: 0,
    stream: null,
    sinceSequence: 0,
  });
}

/** A generator with a fixed seed, so that runs can be compared. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** The fastest of some rounds, in nanoseconds per call. */
function nanosecondsPerCall(calls: number, round: () => number): number {
  let best = Number.POSITIVE_INFINITY;
  for (let at = 0; at < ROUNDS; at++) {
    const start = process.hrtime.bigint();
    checksum += round();
    best = Math.min(best, Number(process.hrtime.bigint() - start) / calls);
  }
  return best;
}

/** Keeps the compiler from leaving out what nobody looks at. */
let checksum = 0;

function heapMegabytes(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

function matchAll(index: TopicIndex, topics: readonly string[], calls: number): number {
  let receivers = 0;
  for (let at = 0; at < calls; at++) receivers += index.match(topics[at % topics.length] as string).receivers.length;
  return receivers;
}

function measureRow(topics: Topics, subscriptions: number, write: (line: string) => void): void {
  const random = seededRandom(subscriptions);
  const devices = Math.ceil(subscriptions / 3);
  const heapBefore = heapMegabytes();
  const sessions: Subscription[] = [];
  for (let device = 0; device < devices; device++) {
    for (const filter of filtersOf(device)) {
      if (sessions.length < subscriptions) sessions.push(subscriptionTo(topics, filter, {}));
    }
  }
  const heapOfSessions = heapMegabytes();
  const index = topics.newIndex({ maximumCachedTopics: 2 * TOPICS + 2 });
  for (const subscription of sessions) index.subscribe(subscription);
  const heapOfIndex = heapMegabytes() - heapOfSessions;
  // Sessions keep what they subscribed to: it must not be collected while the index is weighed.
  checksum += sessions.length;

  // Only devices whose three subscriptions are all there.
  const whole = Math.floor(subscriptions / 3);
  const spread = Array.from({ length: TOPICS }, () => topicOf(Math.floor(random() * whole)));
  const hot = spread.slice(0, 64);
  const uncachedSpread = nanosecondsPerCall(TOPICS, () => matchAll(index, spread, TOPICS));
  const uncachedHot = nanosecondsPerCall(TOPICS, () => matchAll(index, hot, TOPICS));

  const lookUp = (names: readonly string[]) =>
    nanosecondsPerCall(TOPICS, () => {
      let receivers = 0;
      for (let at = 0; at < TOPICS; at++) {
        receivers += index.resultOf(index.entry(names[at % names.length] as string)).receivers.length;
      }
      return receivers;
    });
  const cachedSpread = lookUp(spread);
  const cachedHot = lookUp(hot);
  const held = index.entry(hot[0] as string);
  const heldEntry = nanosecondsPerCall(TOPICS * 10, () => {
    let receivers = 0;
    for (let at = 0; at < TOPICS * 10; at++) receivers += index.resultOf(held).receivers.length;
    return receivers;
  });

  const newcomer = {};
  const visits = Array.from({ length: 3000 }, () => {
    const filter = filtersOf(Math.floor(random() * whole))[Math.floor(random() * 3)] as string;
    return subscriptionTo(topics, filter, newcomer);
  });
  const churn = nanosecondsPerCall(visits.length * 10, () => {
    let added = 0;
    for (let round = 0; round < 10; round++) {
      for (const visit of visits) {
        if (index.subscribe(visit) === undefined) added++;
        index.unsubscribe(newcomer, visit.topicFilter);
      }
    }
    return added;
  });

  // A hundred more that match everything of site 0: 103 matches.
  for (let at = 0; at < 100; at++) {
    const filter = ['fleet/site0/#', 'fleet/site0/+/sensor/+', '+/site0/+/sensor/temperature', 'fleet/site0/+/#'][
      at % 4
    ];
    index.subscribe(subscriptionTo(topics, filter as string, {}));
  }
  const site0 = Array.from({ length: TOPICS }, () => topicOf(Math.floor((random() * whole) / 100) * 100));
  const hundred = nanosecondsPerCall(TOPICS / 10, () => matchAll(index, site0, TOPICS / 10));

  const cells = [
    subscriptions.toLocaleString('en'),
    heapOfIndex.toFixed(1),
    (heapOfSessions - heapBefore).toFixed(1),
    ...[uncachedSpread, uncachedHot, hundred, cachedSpread, cachedHot, heldEntry, churn].map((ns) =>
      ns.toFixed(ns < 10 ? 1 : 0),
    ),
  ];
  write(`| ${cells.join(' | ')} |`);
}

/** Writes a table in Markdown; takes about half a minute and 1.5 GB at a million subscriptions. */
export async function runTopicMatching(write: (line: string) => void): Promise<void> {
  const topics = await loadTopics();
  measureRow(topics, 3000, () => undefined);
  const collected = globalThis.gc === undefined ? ' (without --expose-gc: rough)' : '';
  write(
    'Nanoseconds per call, best of five rounds. Uncached: the trie is walked each time. Cached: entry() and resultOf().',
  );
  write('"Spread" draws from 100,000 topics, mostly misses of the processor caches; "hot" from 64.');
  write('');
  write(
    `| subscriptions | heap of index, MB${collected} | of filters and sessions, MB | uncached, 3 matches, spread | the same, hot | uncached, 103 matches | cached, spread | cached, hot | held entry | subscribe + unsubscribe |`,
  );
  write('| --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |');
  for (const subscriptions of [1000, 10_000, 100_000, 1_000_000]) measureRow(topics, subscriptions, write);
  if (checksum === 0) write('Nothing matched: these numbers mean nothing.');
}

if (process.argv[1] !== undefined && pathToFileURL(process.argv[1]).href === import.meta.url) {
  await runTopicMatching((line) => process.stdout.write(`${line}\n`));
}
