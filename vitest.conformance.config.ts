import { defineConfig } from 'vitest/config';
import { ConformanceReporter } from './test/conformance/report/conformance-reporter.js';

/**
 * What shows that the broker keeps the specifications, and the table of their statements. The same tests are part of
 * `npm test`, which counts them: here they leave no report.
 */
export default defineConfig({
  test: {
    include: ['test/conformance/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    reporters: ['dot', new ConformanceReporter()],
  },
});
