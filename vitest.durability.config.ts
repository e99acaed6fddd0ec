import { defineConfig } from 'vitest/config';
import { reporters } from './vitest.reporters.config.js';

/**
 * The proofs that an acknowledgement is kept, against the built command. One file after the other: each keeps the disk
 * and both cores busy. MILLRACE_LONG=1 runs more rounds, MILLRACE_ROUNDS sets their number, MILLRACE_SEED repeats one.
 */
export default defineConfig({
  test: {
    include: ['test/durability/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    fileParallelism: false,
    ...reporters('durability'),
  },
});
