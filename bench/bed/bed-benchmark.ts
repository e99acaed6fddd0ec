/**
 * The rounds of one scenario: for each trial (QoS, point of the axis) as many rounds as asked for, and in each round every peer in every
 * variant once, so that whatever disturbs the machine disturbs all of them alike. Every second round goes backwards: what comes first has
 * no advantage. Every run has a fresh broker, a fresh directory and fresh generators.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchOptions } from '../bench-options.js';
import { type BrokerSetting, withDirectory } from '../broker-process.js';
import { passwordFileText } from '../password-file.js';
import { findObstacle, type PeerChoice } from '../peers/choose-peers.js';
import type { Peer } from '../peers/peer.js';
import type { Pinning } from '../pinning.js';
import { distinctVariants, type Variant } from '../variant.js';
import type { BedScenario, Figures, Trial } from './bed-scenario.js';
import { TestBed } from './test-bed.js';

/** Descriptors a process needs besides the connections of the run; a store has files open, too. */
const SPARE_FILE_DESCRIPTORS = 2000;

export interface BedRun extends Trial {
  readonly scenario: string;
  readonly peer: string;
  readonly variant: Variant;
  readonly round: number;
  /** Undefined when it failed. */
  readonly figures: Figures | undefined;
  readonly failure: string | undefined;
}

/** One peer in one variant. */
export interface Entrant {
  readonly peer: Peer;
  readonly variant: Variant;
}

export function trialsOf(scenario: BedScenario, options: BenchOptions): readonly Trial[] {
  const levels = scenario.qos === undefined ? [undefined] : options.qos.filter((qos) => scenario.qos?.includes(qos));
  const points = scenario.axis === undefined ? [undefined] : scenario.axis.points(options);
  return levels.flatMap((qos) => points.map((at) => ({ qos, at })));
}

/** @param leftOut called for each peer and variant that cannot take part, with the reason */
export function entrantsOf(
  scenario: BedScenario,
  peers: PeerChoice,
  options: BenchOptions,
  leftOut: (peer: string, reason: string) => void,
): readonly Entrant[] {
  const needs = [
    ...(scenario.needs ?? []),
    ...(scenario.configuration === undefined ? [] : ['our configuration' as const]),
  ];
  const variants = distinctVariants(options.variants, scenario.variesBy);
  return peers[scenario.peers].flatMap((peer) =>
    variants.flatMap((variant) => {
      const obstacle = findObstacle(peer, variant, needs);
      if (obstacle === undefined) return [{ peer, variant }];
      leftOut(peer.name, obstacle);
      return [];
    }),
  );
}

/** @param onRun called after each run */
export async function runTrial(
  scenario: BedScenario,
  trial: Trial,
  entrants: readonly Entrant[],
  options: BenchOptions,
  pinned: Pinning,
  onRun: (run: BedRun) => void,
): Promise<readonly BedRun[]> {
  const able = entrants.filter(({ peer }) => trial.qos === undefined || peer.qos.includes(trial.qos));
  const runs: BedRun[] = [];
  for (let round = 1; round <= options.runs; round++) {
    for (const entrant of round % 2 === 1 ? able : able.toReversed()) {
      const outcome = await runOnce(scenario, trial, entrant, { ...options, ...entrant.variant }, pinned);
      const { peer, variant } = entrant;
      const run = { scenario: scenario.name, ...trial, peer: peer.name, variant, round, ...outcome };
      runs.push(run);
      onRun(run);
    }
  }
  // In the order of the first round, whichever way the last one went.
  return able.flatMap(({ peer, variant }) => runs.filter((run) => run.peer === peer.name && run.variant === variant));
}

async function runOnce(
  scenario: BedScenario,
  trial: Trial,
  { peer, variant }: Entrant,
  options: BenchOptions,
  pinned: Pinning,
): Promise<Pick<BedRun, 'figures' | 'failure'>> {
  try {
    const figures = await withDirectory(options.dataDirectory, async (directory) => {
      const fileDescriptors = scenario.connections(options, trial) + SPARE_FILE_DESCRIPTORS;
      const { protocol, transport } = variant;
      const files = await writeFiles(scenario, options, directory);
      const setting = { protocol, transport, fileDescriptors, prefix: pinned.brokerPrefix, directory, ...files };
      const bed = new TestBed(peer, setting, pinned.generatorPrefix);
      try {
        return await scenario.run(bed, options, trial);
      } finally {
        await bed.end();
      }
    });
    return { figures, failure: undefined };
  } catch (error) {
    return { figures: undefined, failure: error instanceof Error ? error.message : String(error) };
  }
}

/** What the broker is started with. */
async function writeFiles(
  { configuration, passwords }: BedScenario,
  options: BenchOptions,
  directory: string,
): Promise<Pick<BrokerSetting, 'configurationFile' | 'passwordFile'>> {
  const configurationFile = join(directory, 'bench.yaml');
  if (configuration !== undefined) writeFileSync(configurationFile, configuration);
  const passwordFile = join(directory, 'passwords');
  if (passwords !== undefined) writeFileSync(passwordFile, await passwordFileText(passwords(options)), { mode: 0o600 });
  return {
    ...(configuration !== undefined && { configurationFile }),
    ...(passwords !== undefined && { passwordFile }),
  };
}
