/** From the rows of a scenario to what is drawn: lines along its axis, or bars beside each other. Plain data, which goes into the page as JSON. */
import { type BedRow, isSameTrial, isSameVariant } from '../bed/bed-rows.js';
import type { BedScenario } from '../bed/bed-scenario.js';
import { describeVariant } from '../variant.js';

export interface Chart {
  readonly kind: 'lines' | 'bars';
  readonly title: string;
  /** What is on the x axis: of lines. */
  readonly axis: string;
  /** The points of lines, or the numbers of the groups of bars. */
  readonly x: readonly number[];
  /** Names of the groups of bars. */
  readonly labels: readonly string[];
  readonly series: readonly Series[];
}

export interface Series {
  readonly label: string;
  /** Null where nothing is known. */
  readonly values: readonly (number | null)[];
}

/** One chart for each figure that the scenario wants drawn and of which something is known. */
export function chartsOf(scenario: BedScenario, rows: readonly BedRow[]): readonly Chart[] {
  const figures = [...(scenario.cost === undefined ? [] : [scenario.cost]), ...(scenario.drawn ?? [])];
  return [...new Set(figures)]
    .map((figure) => (scenario.axis === undefined ? bars(scenario, rows, figure) : lines(scenario, rows, figure)))
    .filter(({ series }) => series.some(({ values }) => values.some((value) => value !== null)));
}

/** A line for each peer, variant and QoS. */
function lines(scenario: BedScenario, rows: readonly BedRow[], figure: string): Chart {
  const x = [...new Set(rows.map(({ at }) => at ?? 0))].sort((a, b) => a - b);
  const firsts = rows.filter(
    (row, number) => rows.findIndex((other) => other.qos === row.qos && isSameEntrant(row, other)) === number,
  );
  const series = firsts.map((first) => ({
    label: labelOf(scenario, first, rows),
    values: x.map((at) => {
      const row = rows.find((other) => other.at === at && other.qos === first.qos && isSameEntrant(first, other));
      return drawable(scenario, row, figure);
    }),
  }));
  const axis = scenario.axis?.heading ?? '';
  return { kind: 'lines', title: titleOf(scenario, figure), axis, x, labels: [], series };
}

/** A group of bars for each trial, in it one for each peer and variant. */
function bars(scenario: BedScenario, rows: readonly BedRow[], figure: string): Chart {
  const trials = rows.filter((row, number) => rows.findIndex((other) => isSameTrial(row, other)) === number);
  const entrants = rows.filter((row, number) => rows.findIndex((other) => isSameEntrant(row, other)) === number);
  const series = entrants.map((entrant) => ({
    label: labelOf(scenario, entrant, rows),
    values: trials.map((trial) => {
      const row = rows.find((other) => isSameTrial(trial, other) && isSameEntrant(entrant, other));
      return drawable(scenario, row, figure);
    }),
  }));
  const labels = trials.map(({ qos }) => (qos === undefined ? '' : `QoS ${qos}`));
  return { kind: 'bars', title: titleOf(scenario, figure), axis: '', x: trials.map((_, at) => at), labels, series };
}

function isSameEntrant(one: BedRow, other: BedRow): boolean {
  return one.peer === other.peer && isSameVariant(one, other);
}

function titleOf({ columns }: BedScenario, figure: string): string {
  return columns.find((column) => column.figure === figure)?.heading ?? figure;
}

/** With what tells it from the other rows, and nothing else. */
function labelOf({ axis, variesBy }: BedScenario, row: BedRow, rows: readonly BedRow[]): string {
  // Of bars, each QoS has a group of its own.
  const qos = axis !== undefined && rows.some((other) => other.qos !== row.qos) ? `, QoS ${row.qos}` : '';
  const variant = rows.some((other) => !isSameVariant(row, other)) ? `, ${describeVariant(row.variant, variesBy)}` : '';
  return `${row.peer}${qos}${variant}`;
}

/** In the unit that the title names. */
function drawable({ columns }: BedScenario, row: BedRow | undefined, figure: string): number | null {
  const value = row?.figures[figure];
  if (value === undefined || Number.isNaN(value)) return null;
  return value / (columns.find((column) => column.figure === figure)?.unit ?? 1);
}
