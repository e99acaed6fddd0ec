/**
 * The load scenarios, as data. Main and the generator process both look a scenario up by its name, so only the name
 * travels between them. A stream is one (subscriber, publisher) pair for which the subscriber's filter matches.
 */
import { BenchFailure } from './bench-failure.js';
import type { GroupRange } from './generator/publish-batch.js';
import { topicOfGroup } from './generator/work-queue.js';

/** Load into a connected persistent session: the durable peers take part in it. */
export const DURABLE_FAN_IN = 'durable-fan-in';
/** Many topics, for what grows with subscriptions; not offered by itself. */
export const SPREAD = 'spread';

export interface LoadScenario {
  readonly name: string;
  readonly publishers: number;
  readonly subscribers: number;
  /** Subscribers connect with clean start 0, to sessions that the broker keeps. */
  readonly persistent: boolean;
  /** A message goes to every subscriber whose filter matches, or to one of them, whichever the broker takes. */
  readonly delivery: 'each' | 'one of all';
  /** The broker's CPU time is divided by this many: messages that were published, or deliveries of them. */
  readonly costPer: 'published message' | 'delivery';
  /**
   * Messages of one publisher that may be on the way at once, and messages in one write. The fan-out window is smaller
   * because every message in it stands for a thousand deliveries on the way.
   */
  readonly windowMessages: number;
  readonly batchMessages: number;
  topicOf(publisher: number): string;
  /** For publishers whose topic changes from message to message. */
  groupsOf?(publisher: number): GroupRange;
  filterOf(subscriber: number): string;
  receives(subscriber: number, publisher: number): boolean;
}

const ownTopic = (number: number): string => `bench/${number}/data`;

const fanIn: LoadScenario = {
  name: 'fan-in',
  publishers: 100,
  subscribers: 1,
  persistent: false,
  delivery: 'each',
  costPer: 'published message',
  windowMessages: 100,
  batchMessages: 50,
  topicOf: ownTopic,
  filterOf: () => 'bench/#',
  receives: () => true,
};

/** Topics of a publisher of `spread`. */
const SPREAD_TOPICS = 300;

export const LOAD_SCENARIOS: readonly LoadScenario[] = [
  fanIn,
  {
    ...fanIn,
    name: 'fan-out',
    publishers: 1,
    subscribers: 1000,
    costPer: 'delivery',
    windowMessages: 40,
    batchMessages: 20,
    filterOf: () => ownTopic(0),
  },
  {
    ...fanIn,
    name: 'pairs',
    subscribers: 100,
    filterOf: ownTopic,
    receives: (subscriber, publisher) => subscriber === publisher,
  },
  { ...fanIn, name: 'shared', subscribers: 10, delivery: 'one of all', filterOf: () => '$share/bench/bench/#' },
  { ...fanIn, name: 'single-writes', windowMessages: 1, batchMessages: 1 },
  { ...fanIn, name: DURABLE_FAN_IN, persistent: true },
  {
    ...fanIn,
    name: SPREAD,
    topicOf: (publisher) => topicOfGroup(publisher * SPREAD_TOPICS),
    groupsOf: (publisher) => ({ first: publisher * SPREAD_TOPICS, count: SPREAD_TOPICS }),
  },
];

/** @throws BenchFailure when there is no such scenario */
export function loadScenarioByName(name: string): LoadScenario {
  const scenario = LOAD_SCENARIOS.find((candidate) => candidate.name === name);
  if (scenario === undefined) {
    throw new BenchFailure(`no scenario '${name}': --help lists them`);
  }
  return scenario;
}

/** How many subscribers receive each message of `publisher`. */
export function receiversOf(scenario: LoadScenario, publisher: number): number {
  if (scenario.delivery === 'one of all') return 1;
  let receivers = 0;
  for (let subscriber = 0; subscriber < scenario.subscribers; subscriber++) {
    if (scenario.receives(subscriber, publisher)) receivers++;
  }
  return receivers;
}
