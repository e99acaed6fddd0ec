import { defineConfig } from 'vitest/config';
import { reporters } from './vitest.reporters.config.js';

/** The attacks. One file after the other: several measure time and memory. MILLRACE_LONG=1 runs the heavier forms. */
export default defineConfig({
  test: {
    include: ['test/robustness/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    fileParallelism: false,
    // Rates and memory are compared on machines whose neighbours cost them a core at times; a collapse fails every time.
    retry: 2,
    ...reporters('robustness'),
  },
});
