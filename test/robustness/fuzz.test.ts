/**
 * The short form of the fuzzer (fuzz/README.md): a fixed number of inputs, the same in every run. What fails is printed as
 * a case that `npm run fuzz -- --replay FILE` plays; MILLRACE_FUZZ_SEED takes another seed, MILLRACE_LONG more inputs.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { TemporaryDirectory } from '../durability/support/temporary-directory.js';
import { ConformanceSeeds } from './fuzz/conformance-seeds.js';
import { CorpusSeeds } from './fuzz/corpus-seeds.js';
import type { Finding } from './fuzz/finding.js';
import { type FuzzCase, plainInput } from './fuzz/fuzz-input.js';
import { writeHexFile } from './fuzz/hex-file.js';
import { InProcessTarget } from './fuzz/in-process-target.js';
import { InputMaker } from './fuzz/input-maker.js';
import { OwnSeeds } from './fuzz/own-seeds.js';
import { ProcessRun } from './fuzz/process-run.js';
import { replay } from './fuzz/replay.js';
import { shrink } from './fuzz/shrink.js';
import { ManualClock } from './support/fake-channel.js';
import { quietBroker } from './support/quiet-broker.js';
import { FUZZ_SEED, figure, IS_LONG } from './support/settings.js';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const CORPUS = new CorpusSeeds(fileURLToPath(new URL('./corpus', import.meta.url)));
const CONFORMANCE = await ConformanceSeeds.load(fileURLToPath(new URL('../conformance', import.meta.url)));
const SEED = Number(FUZZ_SEED ?? 1);
const IN_PROCESS_INPUTS = IS_LONG ? 400_000 : 6_000;
const PROCESS_INPUTS = IS_LONG ? 50_000 : 1_200;
/** Sessions are kept across that many inputs, so that they meet what others left. */
const INPUTS_PER_BROKER = 500;
const SHRINK_MS = 20_000;

function newTarget(): InProcessTarget {
  const clock = new ManualClock();
  // Queues and windows small enough to be full at times.
  const limits = { queueMaximumMessages: 50, maximumInflight: 20, outboundHardLimitBytes: 2_200_000 };
  return new InProcessTarget({ ...quietBroker(limits, { clock }), clock });
}

function newMaker(): InputMaker {
  return new InputMaker([...new OwnSeeds().seeds(), ...CORPUS.seeds(), ...CONFORMANCE.seeds()], SEED);
}

async function playInProcess(fuzzCase: FuzzCase): Promise<Finding | undefined> {
  const target = newTarget();
  for (const input of fuzzCase) {
    const finding = await target.play(input);
    if (finding !== undefined) return finding;
  }
  return target.close();
}

describe('in process', () => {
  it.each(new OwnSeeds().seeds())('$name is answered', async ({ packets }) => {
    expect(await playInProcess([plainInput(packets)])).toBeUndefined();
  });

  it.each(CORPUS.cases())('$name is answered', async ({ fuzzCase }) => {
    expect(await playInProcess(fuzzCase)).toBeUndefined();
  });

  it('mutations end in answers and orderly closes', { timeout: 1_200_000 }, async () => {
    const maker = newMaker();
    for (let first = 0; first < IN_PROCESS_INPUTS; first += INPUTS_PER_BROKER) {
      const inputs = Array.from({ length: INPUTS_PER_BROKER }, (_, index) => maker.make(first + index));
      const finding = await playInProcess(inputs);
      if (finding !== undefined) throw new Error(await explain(finding, inputs));
    }
  });
});

describe('the built broker', () => {
  it.each(CORPUS.cases())('answers $name', async ({ fuzzCase }) => {
    expect(await replay(fuzzCase, MAIN)).toBeUndefined();
  });

  it('stands mutations, serves a witness meanwhile, and is left with nothing', { timeout: 600_000 }, async () => {
    using directory = new TemporaryDirectory('fuzz');
    const report = await new ProcessRun({
      main: MAIN,
      dataDirectory: join(directory.path, 'data'),
      maker: newMaker(),
      maximumInputs: PROCESS_INPUTS,
      maximumMs: 300_000,
      concurrency: 16,
    }).run();
    figure('fuzz:', report.inputs, 'inputs in', report.seconds, 's; witness at most', report.witnessLongestMs, 'ms');
    expect(report.found.map(({ finding, fuzzCase }) => writeHexFile(fuzzCase, finding.message))).toEqual([]);
    expect(report.witnessMessages).toBeGreaterThan(0);
  });
});

async function explain(finding: Finding, inputs: FuzzCase): Promise<string> {
  const deadline = performance.now() + SHRINK_MS;
  const shortest = await shrink(inputs, {
    fails: async (candidate) => (await playInProcess(candidate))?.kind === finding.kind,
    isTimeOver: () => performance.now() > deadline,
  });
  return writeHexFile(shortest, `${finding.kind}: ${finding.message}\nseed ${SEED}`);
}
