import { defineConfig } from 'vitest/config';
import { reporters } from './vitest.reporters.config.js';

/** Every test that needs nothing but Node, the attacks and the crashes excepted: they are run by themselves. */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/interop/**', 'test/robustness/**', 'test/durability/**', 'test/deployment/**'],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    ...reporters('tests'),
  },
});
