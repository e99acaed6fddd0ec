/** The package's own tests run in a process of their own, since they need `node --test`; here they are asked how it went. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const TYPESCRIPT = 'node_modules/typescript/bin/tsc';
const SUITE = 'build/contract/test/contract/aedes-persistence/run-abstract-suite.js';
/** Of 50 that the package has for each of the two ways to run them; two are left out, with the reason, by the suite. */
const TESTS = 2 * 48;

function runNode(...parameters: string[]): { readonly status: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, parameters, { cwd: ROOT, encoding: 'utf8' });
  return { status, output: stdout + stderr };
}

/** The failed tests of a TAP report, each with what it says of the failure. */
function failuresOf(tap: string): string[] {
  return tap.split(/^(?=(?:not )?ok |# Subtest)/m).filter((part) => part.startsWith('not ok'));
}

it("our store keeps the contract of aedes-persistence, by the package's own tests", { timeout: 120_000 }, () => {
  expect(runNode(TYPESCRIPT, '-p', 'test/contract/aedes-persistence')).toEqual({ status: 0, output: '' });
  const { status, output } = runNode('--test', '--test-reporter=tap', SUITE);
  expect(failuresOf(output)).toEqual([]);
  expect(output).toContain(`\n# pass ${TESTS}\n`);
  expect(status).toBe(0);
});
