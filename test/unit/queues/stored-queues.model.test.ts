/**
 * The same random work as on a log in memory, with queues in a database that is cut off in the middle of a write, or between two, and whose
 * reads take their time. MILLRACE_LONG=1 makes thousands of runs.
 */
import { describe, it } from 'vitest';
import { LevelSteppedQueues } from '../../support/level-stepped-queues.js';
import { MODELLED_QUEUES, runModel } from '../../support/queue-model-runs.js';

/** One that keeps everything, and one that keeps nothing that can be read back. */
const CACHES = [2 ** 20, 1];

describe.each(MODELLED_QUEUES)(
  'stored $type queues (ordering $ordering, compacted by $compactBy) under random work and crashes',
  (queue) => {
    it.each(CACHES)('keep what they promise with a cache of %i bytes', { timeout: 600_000 }, async (cacheBytes) => {
      await runModel(queue, () => LevelSteppedQueues.open(cacheBytes), { short: 8, long: 400, most: 150 });
    });
  },
);
