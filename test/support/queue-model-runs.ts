/** How often the model tests of queues run, and with which kinds of them. Set from outside the tests. */
import fc from 'fast-check';
import { type ModelledQueue, QueueModel } from './queue-model.js';
import { type Command, commandArbitrary } from './queue-model-commands.js';
import type { SteppedQueues } from './stepped-queues.js';

const { MILLRACE_LONG, MILLRACE_ROUNDS, MILLRACE_SEED } = process.env;

export const MODELLED_QUEUES: readonly ModelledQueue[] = [
  { type: 'standard', ordering: 'strict', compactBy: 'none' },
  { type: 'fifo', ordering: 'strict', compactBy: 'none' },
  { type: 'fifo', ordering: 'pipelined', compactBy: 'none' },
  { type: 'standard', ordering: 'strict', compactBy: 'key' },
  { type: 'fifo', ordering: 'pipelined', compactBy: 'key' },
];

/**
 * Random runs, of at most `most` commands each: `short` of them, `long` with MILLRACE_LONG=1, or MILLRACE_ROUNDS.
 * One that fails is told with its seed, which MILLRACE_SEED repeats.
 */
export async function runModel(
  queue: ModelledQueue,
  open: () => Promise<SteppedQueues> | SteppedQueues,
  { short, long, most }: { readonly short: number; readonly long: number; readonly most: number },
): Promise<void> {
  const runs = MILLRACE_ROUNDS === undefined ? (MILLRACE_LONG === '1' ? long : short) : Number(MILLRACE_ROUNDS);
  const commands: fc.Arbitrary<Command[]> = fc.array(commandArbitrary, { maxLength: most, size: 'max' });
  await fc.assert(
    fc.asyncProperty(commands, async (list) => {
      const world = await open();
      try {
        await new QueueModel(world, queue).play(list);
      } finally {
        await world.dispose();
      }
    }),
    { numRuns: runs, ...(MILLRACE_SEED === undefined ? {} : { seed: Number(MILLRACE_SEED) }) },
  );
}
