/** The scenarios of this folder, in the order in which they run, and the name that stands for all that is durable. */
import { QUEUE_SCENARIOS } from '../queues/queue-scenarios.js';
import { DURABLE_FAN_IN } from '../scenarios.js';
import { ackLatency } from './ack-latency.js';
import { drainMany, drainOne } from './drain.js';
import { durableFanOut } from './durable-fan-out.js';
import type { DurableScenario } from './durable-scenario.js';
import { restartMessages, restartSessions } from './restart.js';

export const DURABLE = 'durable';

export const DURABLE_SCENARIOS: readonly DurableScenario[] = [
  durableFanOut,
  drainOne,
  drainMany,
  ackLatency,
  restartMessages,
  restartSessions,
];

/** With those of the queues: whatever runs on a test bed. */
export const BED_SCENARIOS: readonly DurableScenario[] = [...DURABLE_SCENARIOS, ...QUEUE_SCENARIOS];

/** What `--scenario durable` stands for. */
export const EVERY_DURABLE: readonly string[] = [DURABLE_FAN_IN, ...DURABLE_SCENARIOS.map((scenario) => scenario.name)];

/** Whether it runs on a test bed. */
export function isDurable(name: string): boolean {
  return BED_SCENARIOS.some((scenario) => scenario.name === name);
}
