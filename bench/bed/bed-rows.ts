/** From the runs of one scenario to one row per trial, peer and variant: medians over the rounds, sums of what went wrong. */
import { medianOf } from '../median.js';
import { MILLRACE } from '../peers/millrace.js';
import { describeVariant, type Variant } from '../variant.js';
import type { BedRun } from './bed-benchmark.js';
import type { BedScenario, Figures, Trial } from './bed-scenario.js';

export interface BedRow extends Trial {
  readonly scenario: string;
  readonly peer: string;
  readonly variant: Variant;
  readonly figures: Figures;
  readonly failures: readonly string[];
}

export function bedRows(scenario: BedScenario, runs: readonly BedRun[]): BedRow[] {
  const groups = new Map<string, BedRun[]>();
  for (const run of runs) {
    const key = JSON.stringify([run.qos, run.at, run.peer, run.variant]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [run]);
    else group.push(run);
  }
  return [...groups.values()].map((own) => {
    const { qos, at, peer, variant } = own[0] as BedRun;
    const failures = own.flatMap((run) => (run.failure === undefined ? [] : [`round ${run.round}: ${run.failure}`]));
    return { scenario: scenario.name, qos, at, peer, variant, figures: combined(scenario, own), failures };
  });
}

/** How many times Millrace's cost in the same trial and variant this one is; undefined when either is not known. */
export function timesMillrace(scenario: BedScenario, row: BedRow, rows: readonly BedRow[]): number | undefined {
  const base = rows.find((other) => other.peer === MILLRACE && isSameTrial(row, other) && isSameVariant(row, other));
  return ratio(scenario, row, base);
}

/** How many times the same peer's cost in the first of the variants this one is. */
export function timesFirstVariant(scenario: BedScenario, row: BedRow, rows: readonly BedRow[]): number | undefined {
  const base = rows.find((other) => other.peer === row.peer && isSameTrial(row, other));
  return ratio(scenario, row, base);
}

export function isSameTrial(one: Trial, other: Trial): boolean {
  return one.qos === other.qos && one.at === other.at;
}

export function isSameVariant(one: BedRow, other: BedRow): boolean {
  return describeVariant(one.variant) === describeVariant(other.variant);
}

function ratio({ cost }: BedScenario, row: BedRow, base: BedRow | undefined): number | undefined {
  const value = cost === undefined ? undefined : row.figures[cost];
  const own = cost === undefined ? undefined : base?.figures[cost];
  return value === undefined || own === undefined || own === 0 ? undefined : value / own;
}

function combined(scenario: BedScenario, runs: readonly BedRun[]): Figures {
  const entries = scenario.columns.map(({ figure, over }) => {
    const values = runs
      .map((run) => run.figures?.[figure])
      .filter((value): value is number => value !== undefined && !Number.isNaN(value));
    return [figure, over === 'sum' ? sumOf(values) : medianOf(values)] as const;
  });
  return Object.fromEntries(entries);
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
