/**
 * The load scenarios, as data. Main and the generator process both look a scenario up by its name, so only the name
 * travels between them. A stream is one (subscriber, publisher) pair for which the subscriber's filter matches.
 */
import { BenchFailure } from './bench-failure.js';

/** The scenario without load: connections that say nothing. */
export const IDLE = 'idle';
/** Topic matching within the process of the benchmark: no broker, no peers. */
export const TOPICS = 'topics';
/** Load into a connected persistent session: a load scenario that the durable peers take part in. */
export const DURABLE_FAN_IN = 'durable-fan-in';

export interface Scenario {
  readonly name: string;
  readonly publishers: number;
  readonly subscribers: number;
  /** Subscribers connect with clean start 0, to sessions that the broker keeps. */
  readonly persistent: boolean;
  /** The broker's CPU time is divided by this many: messages that were published, or deliveries of them. */
  readonly costPer: 'published message' | 'delivery';
  /**
   * Messages of one publisher that may be on the way at once, and messages in one write. The fan-out window is smaller
   * because every message in it stands for a thousand deliveries on the way.
   */
  readonly windowMessages: number;
  readonly batchMessages: number;
  topicOf(publisher: number): string;
  filterOf(subscriber: number): string;
  receives(subscriber: number, publisher: number): boolean;
}

const ownTopic = (number: number): string => `bench/${number}/data`;

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'fan-in',
    publishers: 100,
    subscribers: 1,
    persistent: false,
    costPer: 'published message',
    windowMessages: 100,
    batchMessages: 50,
    topicOf: ownTopic,
    filterOf: () => 'bench/#',
    receives: () => true,
  },
  {
    name: 'fan-out',
    publishers: 1,
    subscribers: 1000,
    persistent: false,
    costPer: 'delivery',
    windowMessages: 40,
    batchMessages: 20,
    topicOf: ownTopic,
    filterOf: () => ownTopic(0),
    receives: () => true,
  },
  {
    name: 'pairs',
    publishers: 100,
    subscribers: 100,
    persistent: false,
    costPer: 'published message',
    windowMessages: 100,
    batchMessages: 50,
    topicOf: ownTopic,
    filterOf: ownTopic,
    receives: (subscriber, publisher) => subscriber === publisher,
  },
  {
    name: DURABLE_FAN_IN,
    publishers: 100,
    subscribers: 1,
    persistent: true,
    costPer: 'published message',
    windowMessages: 100,
    batchMessages: 50,
    topicOf: ownTopic,
    filterOf: () => 'bench/#',
    receives: () => true,
  },
];

/** @throws BenchFailure when there is no such scenario */
export function scenarioByName(name: string): Scenario {
  const scenario = SCENARIOS.find((candidate) => candidate.name === name);
  if (scenario === undefined) {
    throw new BenchFailure(`no scenario '${name}': --help lists them`);
  }
  return scenario;
}

/** How many subscribers receive each message of `publisher`. */
export function receiversOf(scenario: Scenario, publisher: number): number {
  let receivers = 0;
  for (let subscriber = 0; subscriber < scenario.subscribers; subscriber++) {
    if (scenario.receives(subscriber, publisher)) receivers++;
  }
  return receivers;
}
