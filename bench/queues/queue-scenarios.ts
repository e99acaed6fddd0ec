/** The scenarios of this folder, in the order in which they run, and the name that stands for all of them. */
import type { DurableScenario } from '../durable/durable-scenario.js';
import { queueBacklog } from './queue-backlog.js';
import { QUEUE_DRAINS } from './queue-drain.js';
import { queueGroups } from './queue-groups.js';
import { QUEUE_PUSHES } from './queue-push.js';
import { queueRestart } from './queue-restart.js';
import { QUEUE_SQS } from './queue-sqs.js';

export const QUEUES = 'queues';

export const QUEUE_SCENARIOS: readonly DurableScenario[] = [
  ...QUEUE_DRAINS,
  ...QUEUE_PUSHES,
  queueBacklog,
  queueGroups,
  queueRestart,
  ...QUEUE_SQS,
];

/** What `--scenario queues` stands for. */
export const EVERY_QUEUE: readonly string[] = QUEUE_SCENARIOS.map((scenario) => scenario.name);
