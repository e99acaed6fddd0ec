import { defineConfig } from 'vitest/config';

/** The checks that need programs beside Node: run by .ci/run, which installs them. */
export default defineConfig({
  test: {
    include: ['test/interop/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    fileParallelism: false,
  },
});
