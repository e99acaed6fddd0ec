/** `npm run fuzz`: runs, replays, and writes down what it finds. Exit code 0: nothing found; 1: something; 2: usage. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { CorpusSeeds } from './corpus-seeds.js';
import { CoverageMap, type ScriptCoverage } from './coverage-map.js';
import type { Finding } from './finding.js';
import type { FuzzCase } from './fuzz-input.js';
import { readHexFile, writeHexFile } from './hex-file.js';
import { runInProcess } from './in-process-run.js';
import { InputMaker } from './input-maker.js';
import type { MemoryTrend } from './memory-trend.js';
import { type Options, readOptions, USAGE } from './options.js';
import { OwnSeeds } from './own-seeds.js';
import { type FoundCase, ProcessRun, type RunReport } from './process-run.js';
import { replay } from './replay.js';
import { shrink } from './shrink.js';

/** npm runs this in the folder of the package. */
const MAIN = resolve('dist/cli/main.js');
const BROKER_MODULE = resolve('dist/broker/broker.js');
const CORPUS = resolve('test/robustness/corpus');
const FOUND = resolve('build/fuzz');
const FOLDERS = ['codec', 'broker', 'sessions', 'topics', 'store', 'transport'];
const SHRINK_MS = 90_000;

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options.wantsHelp) {
    console.log(USAGE);
    return 0;
  }
  if (options.replay !== undefined) return replayFile(options.replay);
  return options.isInProcess ? fuzzInProcess(options) : fuzzProcess(options);
}

async function replayFile(file: string): Promise<number> {
  const finding = await replay(readHexFile(readFileSync(file, 'utf8')), MAIN);
  console.log(finding === undefined ? 'nothing found' : `${finding.kind}: ${finding.message}`);
  return finding === undefined ? 0 : 1;
}

function makerOf({ seed }: Options): InputMaker {
  return new InputMaker([...new OwnSeeds().seeds(), ...new CorpusSeeds(CORPUS).seeds()], seed);
}

async function fuzzInProcess(options: Options): Promise<number> {
  const report = await runInProcess({
    brokerModule: BROKER_MODULE,
    maker: makerOf(options),
    maximumInputs: Number.POSITIVE_INFINITY,
    maximumMs: options.minutes * 60_000,
    isGuided: options.isGuided,
  });
  const rate = Math.round(report.inputs / report.seconds);
  console.log(`${report.inputs} inputs, ${rate} a second; ${report.learned.length} learned`);
  printCoverage(report.coverage);
  for (const { finding, input } of report.found) await tell({ finding, fuzzCase: [input] }, options.seed);
  return report.found.length === 0 ? 0 : 1;
}

async function fuzzProcess(options: Options): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-fuzz-'));
  const coverageDirectory = options.wantsCoverage ? join(directory, 'coverage') : undefined;
  try {
    const report = await new ProcessRun({
      main: MAIN,
      dataDirectory: join(directory, 'data'),
      coverageDirectory,
      maker: makerOf(options),
      maximumInputs: Number.POSITIVE_INFINITY,
      maximumMs: options.minutes * 60_000,
      concurrency: options.concurrency,
    }).run();
    printReport(report, options.seed);
    if (coverageDirectory !== undefined) printCoverage(readCoverage(coverageDirectory));
    for (const found of report.found) await tell(found, options.seed);
    return report.found.length === 0 ? 0 : 1;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function printReport(report: RunReport, seed: number): void {
  const { inputs, connections, seconds, courses, used, resident } = report;
  console.log(`seed ${seed}: ${inputs} inputs in ${seconds.toFixed(0)} s, ${(inputs / seconds).toFixed(0)} a second`);
  console.log(`connections: ${connections}; ${[...courses].map(([course, count]) => `${course} ${count}`).join(', ')}`);
  console.log(`held after a collection: ${wordsOf(used)}`);
  console.log(`process: ${wordsOf(resident)}`);
  console.log(`witness: ${report.witnessMessages} messages, ${report.witnessLongestMs.toFixed(0)} ms at most`);
  console.log(report.found.length === 0 ? 'nothing found' : `${report.found.length} found`);
}

function wordsOf({ lastMb, largestMb, slope }: MemoryTrend): string {
  const sizes = `${lastMb.toFixed(1)} MiB at the end, ${largestMb.toFixed(1)} at most`;
  return `${sizes}, ${slope.toFixed(2)} MiB a minute over the last two thirds`;
}

function readCoverage(directory: string): CoverageMap {
  const coverage = new CoverageMap();
  for (const name of readdirSync(directory)) {
    const { result } = JSON.parse(readFileSync(join(directory, name), 'utf8')) as { result: ScriptCoverage[] };
    coverage.add(result);
  }
  return coverage;
}

function printCoverage(coverage: CoverageMap): void {
  for (const { folder, reached, parts } of coverage.figures(FOLDERS)) {
    console.log(
      `reached of src/${folder}: ${reached} of ${parts} (${((100 * reached) / Math.max(1, parts)).toFixed(1)}%)`,
    );
  }
}

/** Shrinks the case, if it fails again, and writes it down. */
async function tell({ finding, fuzzCase }: FoundCase, seed: number): Promise<void> {
  console.log(`\n${finding.kind}: ${finding.message}`);
  const shortest = await shortestOf(fuzzCase, finding);
  const why = `${finding.kind}: ${finding.message}\nseed ${seed}`;
  const text = writeHexFile(shortest ?? fuzzCase, shortest === undefined ? `${why}\nnot seen again` : why);
  mkdirSync(FOUND, { recursive: true });
  const file = join(FOUND, `${finding.kind}-${seed}-${Date.now()}.hex`);
  writeFileSync(file, text);
  if (text.length < 4_000) console.log(text);
  console.log(`again: npm run fuzz -- --replay ${file}`);
}

async function shortestOf(fuzzCase: FuzzCase, { kind }: Finding): Promise<FuzzCase | undefined> {
  const deadline = performance.now() + SHRINK_MS;
  const fails = async (candidate: FuzzCase): Promise<boolean> => (await replay(candidate, MAIN))?.kind === kind;
  if (!(await fails(fuzzCase))) return undefined;
  return shrink(fuzzCase, { fails, isTimeOver: () => performance.now() > deadline });
}

// A signal ends the process by `exit`, which takes the brokers along.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof TypeError || error instanceof RangeError ? error.message : error);
  process.exitCode = 2;
}
