/** Runs all scenarios that the options name, one after the other, and prints each table as soon as it is there. */

import { type BedRun, type Entrant, entrantsOf, runTrial, trialsOf } from './bed/bed-benchmark.js';
import { type BedRow, bedRows } from './bed/bed-rows.js';
import type { BedScenario } from './bed/bed-scenario.js';
import { printed, tableOf } from './bed/bed-table.js';
import { BenchFailure } from './bench-failure.js';
import type { BenchOptions } from './bench-options.js';
import { choosePeers } from './peers/choose-peers.js';
import type { Pinning } from './pinning.js';
import { SCENARIOS } from './scenario-list.js';
import { describeVariant } from './variant.js';

/** One scenario with all that came of it. */
export interface ScenarioReport {
  readonly scenario: BedScenario;
  readonly rows: readonly BedRow[];
}

export interface BenchResult {
  readonly reports: readonly ScenarioReport[];
  readonly runs: readonly BedRun[];
}

export interface BenchOutput {
  /** Tables, and what was left out. */
  print(text: string): void;
  /** What has just been done. */
  tell(line: string): void;
}

interface Plan {
  readonly scenario: BedScenario;
  readonly entrants: readonly Entrant[];
}

/** @throws BenchFailure when there is nobody to measure */
export async function runBench(options: BenchOptions, pinned: Pinning, output: BenchOutput): Promise<BenchResult> {
  const plans = plan(options, output);
  const total = plans.reduce((sum, { scenario, entrants }) => sum + runsOf(scenario, entrants, options), 0);
  if (total === 0) throw new BenchFailure('no peer to measure');
  const reports: ScenarioReport[] = [];
  const runs: BedRun[] = [];
  for (const { scenario, entrants } of plans) {
    const rows: BedRow[] = [];
    if (scenario.method !== undefined) output.print(`\n${scenario.name}: ${scenario.method}`);
    for (const trial of trialsOf(scenario, options)) {
      const own = await runTrial(scenario, trial, entrants, options, pinned, (run) => {
        runs.push(run);
        output.tell(`[${runs.length}/${total}] ${describe(run)}`);
      });
      const trialRows = bedRows(scenario, own);
      rows.push(...trialRows);
      // A scenario with an axis is one table; others are read while the rest still runs.
      if (scenario.axis === undefined) output.print(`\n${printed(tableOf(scenario, trialRows))}`);
    }
    if (scenario.axis !== undefined) output.print(`\n${printed(tableOf(scenario, rows))}`);
    reports.push({ scenario, rows });
  }
  return { reports, runs };
}

function plan(options: BenchOptions, output: BenchOutput): Plan[] {
  const peers = choosePeers(options, (name, reason) => output.print(`skipping ${name}: ${reason}`));
  const told = new Set<string>();
  const scenarios = SCENARIOS.filter(({ name }) => options.scenarios.includes(name));
  return scenarios.map((scenario) => {
    const entrants = entrantsOf(scenario, peers, options, (peer, reason) => {
      const line = `${scenario.name}: without ${peer}, which ${reason}`;
      if (!told.has(line)) output.print(line);
      told.add(line);
    });
    return { scenario, entrants };
  });
}

function runsOf(scenario: BedScenario, entrants: readonly Entrant[], options: BenchOptions): number {
  const trials = trialsOf(scenario, options);
  const able = trials.map(
    ({ qos }) => entrants.filter(({ peer }) => qos === undefined || peer.qos.includes(qos)).length,
  );
  return able.reduce((sum, entrantsOfTrial) => sum + entrantsOfTrial * options.runs, 0);
}

function describe({ scenario, qos, at, peer, variant, failure }: BedRun): string {
  const title = [scenario, qos === undefined ? '' : `QoS ${qos}`, at === undefined ? '' : `at ${at}`, peer];
  return `${title.filter((part) => part !== '').join(' ')} (${describeVariant(variant)}): ${failure ?? 'done'}`;
}
