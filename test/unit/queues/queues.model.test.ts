/** Random work with queues on a log in memory that can crash at any moment. MILLRACE_LONG=1 makes thousands of runs. */
import { describe, it } from 'vitest';
import { MemorySteppedQueues } from '../../support/memory-stepped-queues.js';
import { MODELLED_QUEUES, runModel } from '../../support/queue-model-runs.js';

describe.each(MODELLED_QUEUES)(
  '$type queues (ordering $ordering, compacted by $compactBy) under random work and crashes',
  (queue) => {
    it('keep what they promise', { timeout: 600_000 }, async () => {
      await runModel(queue, () => new MemorySteppedQueues(), { short: 250, long: 8000, most: 150 });
    });
  },
);
