/** The scenarios of this folder, in the order in which they run. */
import type { BedScenario } from '../bed/bed-scenario.js';
import { queueBacklog } from './queue-backlog.js';
import { QUEUE_DRAINS } from './queue-drain.js';
import { queueGroups } from './queue-groups.js';
import { QUEUE_PUSHES } from './queue-push.js';
import { queueRestart } from './queue-restart.js';
import { QUEUE_SQS } from './queue-sqs.js';

export const QUEUE_SCENARIOS: readonly BedScenario[] = [
  ...QUEUE_DRAINS,
  ...QUEUE_PUSHES,
  queueBacklog,
  queueGroups,
  queueRestart,
  ...QUEUE_SQS,
];
