/** `npm run bench`: measures the broker beside its peers. docs/benchmarks.md says what the figures mean. */
import { writeFileSync } from 'node:fs';
import { BenchFailure } from './bench-failure.js';
import type { BenchOptions } from './bench-options.js';
import { describeMachine } from './machine.js';
import { parseOptions, USAGE } from './options.js';
import { pinning } from './pinning.js';
import { type BenchResult, runBench } from './run-bench.js';
import { TOPICS } from './scenario-list.js';
import { runTopicMatching } from './topic-matching.js';

async function bench(options: BenchOptions): Promise<void> {
  if (options.scenarios.includes(TOPICS)) await runTopicMatching((line) => console.log(line));
  if (options.scenarios.every((name) => name === TOPICS)) return;
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
  if (hasFailed(result)) process.exitCode = 1;
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
