import { defineConfig } from 'vitest/config';
import { reporters } from './vitest.reporters.config.js';

/** The checks that need programs beside Node: run by .ci/run, which installs them. */
export default defineConfig({
  test: {
    include: ['test/interop/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    fileParallelism: false,
    ...reporters('interop'),
  },
});
