/**
 * The in-process form for longer than a test takes: the built broker, loaded into this process, watched by V8's coverage.
 * Guided, a sequence that reaches something new becomes a seed for others.
 */
import { pathToFileURL } from 'node:url';
import type { Broker } from '../../../src/broker/broker.js';
import { ManualClock } from '../support/fake-channel.js';
import { CoverageMap } from './coverage-map.js';
import type { Finding } from './finding.js';
import type { FuzzInput } from './fuzz-input.js';
import { InProcessTarget } from './in-process-target.js';
import type { InputMaker } from './input-maker.js';
import { PreciseCoverage } from './precise-coverage.js';

export interface InProcessSettings {
  /** The built `broker/broker.js`. */
  readonly brokerModule: string;
  readonly maker: InputMaker;
  readonly maximumInputs: number;
  readonly maximumMs: number;
  readonly isGuided: boolean;
}

export interface InProcessReport {
  readonly inputs: number;
  readonly seconds: number;
  readonly learned: readonly FuzzInput[];
  readonly coverage: CoverageMap;
  readonly found: readonly { readonly finding: Finding; readonly input: FuzzInput }[];
}

type BrokerClass = new (options: object) => Broker;

const INPUTS_PER_BROKER = 500;
/** Taking the coverage costs more than an input: one input is blamed of several only if several have brought something. */
const INPUTS_PER_LOOK = 10;
const MAXIMUM_FINDINGS = 10;

export async function runInProcess(settings: InProcessSettings): Promise<InProcessReport> {
  const watch = new PreciseCoverage();
  await watch.start();
  const { Broker } = (await import(pathToFileURL(settings.brokerModule).href)) as { Broker: BrokerClass };
  const coverage = new CoverageMap();
  const learned: FuzzInput[] = [];
  const found: { finding: Finding; input: FuzzInput }[] = [];
  const startedAt = performance.now();
  let inputs = 0;
  let target = newTarget(Broker);
  const isOver = () =>
    inputs >= settings.maximumInputs ||
    found.length >= MAXIMUM_FINDINGS ||
    performance.now() - startedAt > settings.maximumMs;
  while (!isOver()) {
    const batch = Array.from({ length: INPUTS_PER_LOOK }, () => settings.maker.make(inputs++));
    for (const input of batch) {
      const finding = await target.play(input);
      if (finding !== undefined) found.push({ finding, input });
    }
    if (coverage.add(await watch.take()) && settings.isGuided) {
      for (const input of batch) {
        for (const { packets } of input.scripts.slice(0, 1)) settings.maker.learn(packets);
        learned.push(input);
      }
    }
    if (inputs % INPUTS_PER_BROKER > 0) continue;
    await target.close();
    target = newTarget(Broker);
  }
  await target.close();
  watch.stop();
  return { inputs, seconds: (performance.now() - startedAt) / 1000, learned, coverage, found };
}

function newTarget(BrokerOfDist: BrokerClass): InProcessTarget {
  const clock = new ManualClock();
  const errors: string[] = [];
  const note = (...details: unknown[]): void => void errors.push(details.map(String).join(' '));
  const silent = (): void => {};
  const logger = { error: note, fatal: note, warn: silent, info: silent, debug: silent, trace: silent };
  const broker = new BrokerOfDist({ clock, logger: { ...logger, child: () => logger } });
  return new InProcessTarget({ broker, clock, errors });
}
