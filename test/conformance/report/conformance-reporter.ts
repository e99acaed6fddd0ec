/**
 * Collects what the tests claim and how they went, prints the table of statements, writes docs/conformance.md and fails
 * the run as long as a statement of the server's is not shown. A run of some of the tests prints and writes nothing.
 */
import { writeFileSync } from 'node:fs';
import type { Reporter, TestCase, TestModule, Vitest } from 'vitest/node';
import '../corpus/claim.js';
import { STATED_VERSIONS, versionName } from '../corpus/statement-list.js';
import { coverageOf, lackOf, summaryOf, type TestResult } from './coverage.js';
import { coverageDocument } from './coverage-document.js';
import { coverageTable } from './coverage-table.js';

const DOCUMENT = new URL('../../../docs/conformance.md', import.meta.url);

export class ConformanceReporter implements Reporter {
  #vitest: Vitest | undefined;

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  async onTestRunEnd(modules: readonly TestModule[]): Promise<void> {
    const files = await this.#vitest?.globTestSpecifications();
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const isSkipped = tests.some((test) => test.result().state === 'skipped');
    const isBroken = modules.some((module) => module.errors().length > 0);
    if (modules.length !== files?.length || isSkipped || isBroken) {
      console.log('Some tests were not run: no table of statements.');
      return;
    }
    const results = tests.flatMap(resultOf);
    const coverages = new Map(STATED_VERSIONS.map((version) => [version, coverageOf(version, results)]));
    for (const [version, coverage] of coverages) console.log(`\n${coverageTable(version, coverage)}`);
    console.log();
    for (const [version, coverage] of coverages) {
      console.log(`${versionName(version)}: ${summaryOf(coverage)}`);
      const lacking = coverage.filter((entry) => lackOf(entry) !== '');
      if (lacking.length === 0) continue;
      console.log(`  not shown: ${lacking.map(({ statement }) => statement.id).join(', ')}`);
      process.exitCode = 1;
    }
    writeFileSync(DOCUMENT, coverageDocument(coverages));
  }
}

function resultOf(test: TestCase): TestResult[] {
  const claims = test.meta().conformance;
  return claims === undefined ? [] : [{ ...claims, hasPassed: test.result().state === 'passed' }];
}
