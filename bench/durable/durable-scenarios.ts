/** The scenarios of this folder, in the order in which they run. */

import type { BedScenario } from '../bed/bed-scenario.js';
import { ackLatency } from './ack-latency.js';
import { drainMany, drainOne } from './drain.js';
import { durableFanOut } from './durable-fan-out.js';
import { restartMessages, restartSessions } from './restart.js';

export const DURABLE_SCENARIOS: readonly BedScenario[] = [
  durableFanOut,
  drainOne,
  drainMany,
  ackLatency,
  restartMessages,
  restartSessions,
];
