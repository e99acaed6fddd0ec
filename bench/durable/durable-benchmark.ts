/**
 * The rounds of one durable scenario: in each round every peer once, each with a fresh broker and a fresh directory.
 * And from the runs to one row per peer.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchOptions } from '../bench-options.js';
import { withDirectory } from '../broker-process.js';
import { medianOf } from '../median.js';
import type { Peer } from '../peers/peer.js';
import type { Pinning } from '../pinning.js';
import type { DurableScenario, Figures } from './durable-scenario.js';
import { TestBed } from './test-bed.js';

/** Descriptors a process needs besides the connections of the run; a store has files open, too. */
const SPARE_FILE_DESCRIPTORS = 2000;

export interface DurableRun {
  readonly scenario: string;
  readonly peer: string;
  readonly round: number;
  /** Undefined when it failed. */
  readonly figures: Figures | undefined;
  readonly failure: string | undefined;
}

export interface DurableRow {
  readonly scenario: string;
  readonly peer: string;
  readonly figures: Figures;
  readonly failures: readonly string[];
}

/** @param onRun called after each run */
export async function runDurable(
  scenario: DurableScenario,
  peers: readonly Peer[],
  options: BenchOptions,
  pinned: Pinning,
  onRun: (run: DurableRun) => void,
): Promise<readonly DurableRun[]> {
  const runs: DurableRun[] = [];
  for (let round = 1; round <= options.runs; round++) {
    for (const peer of peers) {
      const outcome = await runOnce(scenario, peer, options, pinned);
      const run = { scenario: scenario.name, peer: peer.name, round, ...outcome };
      runs.push(run);
      onRun(run);
    }
  }
  return runs;
}

async function runOnce(
  scenario: DurableScenario,
  peer: Peer,
  options: BenchOptions,
  pinned: Pinning,
): Promise<Pick<DurableRun, 'figures' | 'failure'>> {
  try {
    const figures = await withDirectory(options.dataDirectory, async (directory) => {
      const fileDescriptors = scenario.connections(options) + SPARE_FILE_DESCRIPTORS;
      const ground = { protocol: options.protocol, fileDescriptors, prefix: pinned.brokerPrefix, directory };
      const { configuration } = scenario;
      const setting =
        configuration === undefined
          ? ground
          : { ...ground, configurationFile: writeConfiguration(directory, configuration) };
      const bed = new TestBed(peer, setting, pinned.generatorPrefix);
      try {
        return await scenario.run(bed, options);
      } finally {
        await bed.end();
      }
    });
    return { figures, failure: undefined };
  } catch (error) {
    return { figures: undefined, failure: error instanceof Error ? error.message : String(error) };
  }
}

/** Those that can take part. */
export function peersOf({ configuration }: DurableScenario, peers: readonly Peer[]): readonly Peer[] {
  return configuration === undefined ? peers : peers.filter(({ takesConfiguration }) => takesConfiguration === true);
}

function writeConfiguration(directory: string, configuration: string): string {
  const file = join(directory, 'bench.yaml');
  writeFileSync(file, configuration);
  return file;
}

export function durableRows(scenario: DurableScenario, runs: readonly DurableRun[]): DurableRow[] {
  const names = [...new Set(runs.map((run) => run.peer))];
  return names.map((peer) => {
    const own = runs.filter((run) => run.peer === peer);
    return {
      scenario: scenario.name,
      peer,
      figures: combined(scenario, own),
      failures: own.flatMap((run) => (run.failure === undefined ? [] : [`round ${run.round}: ${run.failure}`])),
    };
  });
}

function combined(scenario: DurableScenario, runs: readonly DurableRun[]): Figures {
  const entries = scenario.columns.map(({ figure, over }) => {
    const values = runs.map((run) => run.figures?.[figure]).filter((value): value is number => value !== undefined);
    return [figure, over === 'sum' ? sumOf(values) : medianOf(values)] as const;
  });
  return Object.fromEntries(entries);
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
