/** `npm run bench`: measures the broker beside its peers. docs/benchmarks.md says what the figures mean. */
import { writeFileSync } from 'node:fs';
import { BenchFailure } from './bench-failure.js';
import type { BenchOptions } from './bench-options.js';
import { htmlReport, readChartLibrary } from './html/html-report.js';
import { describeMachine } from './machine.js';
import { parseOptions, USAGE } from './options.js';
import { pinning } from './pinning.js';
import { type BenchResult, runBench } from './run-bench.js';
import { TOPICS } from './scenario-list.js';
import { runTopicMatching } from './topic-matching.js';
import { describeVariant } from './variant.js';

async function bench(options: BenchOptions): Promise<void> {
  if (options.scenarios.includes(TOPICS)) await runTopicMatching((line) => console.log(line));
  if (options.scenarios.every((name) => name === TOPICS)) return;
  // Before anything is measured: a run of an hour is not to end without its page.
  const library = options.htmlFile === undefined ? undefined : readChartLibrary();
  const machine = describeMachine();
  const pinned = pinning(options.pin);
  console.log(`${machine.cpuModel}, ${machine.cores} cores, ${machine.system}, Node ${machine.node}; ${machine.date}`);
  console.log(pinned.description);
  const result = await runBench(options, pinned, {
    print: (text) => console.log(text),
    tell: (line) => console.error(line),
  });
  if (options.jsonFile !== undefined) {
    const method = { ...options, pinning: pinned.description };
    const medians = result.reports.flatMap(({ rows }) => rows);
    writeFileSync(options.jsonFile, `${JSON.stringify({ machine, method, medians, runs: result.runs }, null, 2)}\n`);
  }
  if (options.htmlFile !== undefined && library !== undefined) {
    const method = describeMethod(options, pinned.description);
    writeFileSync(options.htmlFile, htmlReport({ machine, method, reports: result.reports }, library));
  }
  if (hasFailed(result)) process.exitCode = 1;
}

function describeMethod(options: BenchOptions, pinned: string): [string, string][] {
  const { runs, measuredMs, warmUpMs, variants } = options;
  return [
    ['processes', pinned],
    ['rounds', `${runs}, every second one backwards; a fresh broker and a fresh generator for every run`],
    ['window', `${measuredMs / 1000} s after ${warmUpMs / 1000} s of warm-up`],
    ['variants', variants.map((variant) => describeVariant(variant)).join('; ')],
  ];
}

function hasFailed({ runs }: BenchResult): boolean {
  return runs.some((run) => run.failure !== undefined);
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options === undefined) console.log(USAGE);
  else await bench(options);
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = error instanceof BenchFailure || error instanceof TypeError ? 2 : 1;
}
