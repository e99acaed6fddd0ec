/** Every scenario that has a broker in it, in the order in which they run, and the names that stand for several. */

import type { BedScenario } from './bed/bed-scenario.js';
import { BenchFailure } from './bench-failure.js';
import { DURABLE_SCENARIOS } from './durable/durable-scenarios.js';
import { GROWTHS } from './growth/growth-scenarios.js';
import { garbage } from './load/garbage.js';
import { connectStorm, idle } from './load/idle.js';
import { LOADS } from './load/load-scenario.js';
import { loginStorm, loginStormArgon2id } from './load/login-storm.js';
import { paced } from './load/paced.js';
import { retained } from './load/retained.js';
import { start } from './load/start.js';
import { subscriptions } from './load/subscriptions.js';
import { DURABLE_FAN_IN } from './load-scenarios.js';
import { QUEUE_SCENARIOS } from './queues/queue-scenarios.js';

/** Topic matching within the process of the benchmark: no broker, no peers. */
export const TOPICS = 'topics';

export const DEFAULT_SCENARIOS: readonly string[] = ['fan-in', 'fan-out', 'pairs'];

const FLEET: readonly BedScenario[] = [
  paced,
  connectStorm,
  loginStorm,
  loginStormArgon2id,
  idle,
  subscriptions,
  retained,
  garbage,
  start,
];

export const SCENARIOS: readonly BedScenario[] = [
  ...LOADS,
  ...FLEET,
  ...DURABLE_SCENARIOS,
  ...QUEUE_SCENARIOS,
  ...GROWTHS,
];

/** Names that stand for several scenarios. */
export const FAMILIES: ReadonlyMap<string, readonly string[]> = new Map([
  ['loads', namesOf(LOADS).filter((name) => name !== DURABLE_FAN_IN)],
  ['fleet', namesOf(FLEET)],
  ['durable', [DURABLE_FAN_IN, ...namesOf(DURABLE_SCENARIOS)]],
  ['queues', namesOf(QUEUE_SCENARIOS)],
  ['growth', namesOf(GROWTHS)],
]);

/**
 * @param names of scenarios and families
 * @returns names of scenarios, TOPICS among them
 * @throws BenchFailure when there is none of that name
 */
export function resolveNames(names: readonly string[]): readonly string[] {
  return names.flatMap((name) => {
    const family = FAMILIES.get(name);
    if (family !== undefined) return family;
    if (name === TOPICS || SCENARIOS.some((scenario) => scenario.name === name)) return [name];
    throw new BenchFailure(`no scenario '${name}': --help lists them`);
  });
}

function namesOf(scenarios: readonly BedScenario[]): readonly string[] {
  return scenarios.map(({ name }) => name);
}
