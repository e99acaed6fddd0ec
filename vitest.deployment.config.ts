import { defineConfig } from 'vitest/config';
import { reporters } from './vitest.reporters.config.js';

/** The chart, the image's files and the unit, with programs that .ci/run installs: Helm, bubblewrap, docker-compose. */
export default defineConfig({
  test: {
    include: ['test/deployment/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    fileParallelism: false,
    ...reporters('deployment'),
  },
});
