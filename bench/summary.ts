/** From the runs of one case to one row per peer: medians over the rounds, sums of what went wrong. */
import type { Run } from './benchmark.js';
import type { IdleResult, LoadResult } from './generator/job.js';
import { medianOf } from './median.js';
import { MILLRACE } from './peers/millrace.js';
import { IDLE, scenarioByName } from './scenarios.js';

/** From this share of its core on, a process is what limits the rate. */
export const BUSY = 0.95;
/** Below this share of its core the broker was not measured at its limit. */
export const SATURATED = 0.9;

export interface LoadRow {
  readonly scenario: string;
  readonly qos: number;
  readonly peer: string;
  readonly deliveriesPerSecond: number;
  readonly publishedPerSecond: number;
  /** 0 at QoS 0. */
  readonly acknowledgedPerSecond: number;
  /** Microseconds of broker CPU time per message or delivery, as the scenario says. */
  readonly cpuMicroseconds: number | undefined;
  readonly generatorCpuMicroseconds: number;
  readonly brokerBusy: number | undefined;
  readonly generatorBusy: number;
  readonly peakResidentBytes: number | undefined;
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly foreign: number;
  readonly unfinished: number;
  readonly failures: readonly string[];
}

export interface IdleRow {
  readonly scenario: typeof IDLE;
  readonly peer: string;
  readonly connections: number;
  readonly residentBytesBefore: number | undefined;
  readonly residentBytesAfter: number | undefined;
  readonly bytesPerConnection: number | undefined;
  readonly connectionsPerSecond: number;
  readonly failures: readonly string[];
}

export function loadRows(runs: readonly Run[]): LoadRow[] {
  return byPeer(runs).map(([peer, own]) => {
    const { scenario, qos } = own[0] as Run;
    const results = own.map((run) => run.outcome).filter((outcome): outcome is LoadResult => outcome.kind === 'load');
    const countOf = (result: LoadResult): number =>
      scenarioByName(scenario).costPer === 'delivery' ? result.delivered : result.published;
    const median = (measure: (result: LoadResult) => number): number => medianOf(results.map(measure)) ?? Number.NaN;
    const sum = (measure: (result: LoadResult) => number): number =>
      results.reduce((total, result) => total + measure(result), 0);
    return {
      scenario,
      qos: qos ?? 0,
      peer,
      deliveriesPerSecond: median((result) => result.delivered / result.seconds),
      publishedPerSecond: median((result) => result.published / result.seconds),
      acknowledgedPerSecond: median((result) => result.acknowledged / result.seconds),
      cpuMicroseconds: medianOf(known(results, (r) => scaled(r.brokerCpuMs, 1000 / countOf(r)))),
      generatorCpuMicroseconds: median((result) => (result.generatorCpuMs * 1000) / countOf(result)),
      brokerBusy: medianOf(known(results, (r) => scaled(r.brokerCpuMs, 0.001 / r.seconds))),
      generatorBusy: median((result) => result.generatorCpuMs / 1000 / result.seconds),
      peakResidentBytes: medianOf(known(results, (r) => r.peakResidentBytes)),
      lost: sum((result) => result.lost),
      duplicated: sum((result) => result.duplicated),
      reordered: sum((result) => result.reordered),
      foreign: sum((result) => result.foreign),
      unfinished: sum((result) => result.unfinished),
      failures: failuresOf(own),
    };
  });
}

export function idleRows(runs: readonly Run[]): IdleRow[] {
  return byPeer(runs).map(([peer, own]) => {
    const results = own.map((run) => run.outcome).filter((outcome): outcome is IdleResult => outcome.kind === 'idle');
    return {
      scenario: IDLE,
      peer,
      connections: results[0]?.connections ?? 0,
      residentBytesBefore: medianOf(known(results, (r) => r.residentBytesBefore)),
      residentBytesAfter: medianOf(known(results, (r) => r.residentBytesAfter)),
      bytesPerConnection: medianOf(known(results, bytesPerConnection)),
      connectionsPerSecond: medianOf(results.map((r) => r.connections / r.connectSeconds)) ?? Number.NaN,
      failures: failuresOf(own),
    };
  });
}

/** How many times Millrace's value this one is; undefined when either is not known. */
export function timesMillrace<Row extends { readonly peer: string }>(
  row: Row,
  rows: readonly Row[],
  measure: (row: Row) => number | undefined,
): number | undefined {
  const own = rows.find((candidate) => candidate.peer === MILLRACE);
  const base = own && measure(own);
  const value = measure(row);
  return base === undefined || value === undefined ? undefined : value / base;
}

/** The generator was at its limit while the broker was not: the rate is the generator's, not the broker's. */
export function limitedByGenerator(row: LoadRow): boolean {
  return row.generatorBusy > BUSY && (row.brokerBusy ?? 0) <= BUSY;
}

/** Neither was at its limit: something else had the processor, or the window is too small for this broker. */
export function limitedByNeither(row: LoadRow): boolean {
  return row.brokerBusy !== undefined && row.brokerBusy < SATURATED && row.generatorBusy <= BUSY;
}

function byPeer(runs: readonly Run[]): [string, Run[]][] {
  const names = [...new Set(runs.map((run) => run.peer))];
  return names.map((name) => [name, runs.filter((run) => run.peer === name)]);
}

function failuresOf(runs: readonly Run[]): string[] {
  return runs.flatMap((run) => (run.outcome.kind === 'failed' ? [`round ${run.round}: ${run.outcome.reason}`] : []));
}

function bytesPerConnection(result: IdleResult): number | undefined {
  const { residentBytesBefore: before, residentBytesAfter: after } = result;
  return before === undefined || after === undefined ? undefined : (after - before) / result.connections;
}

function scaled(value: number | undefined, factor: number): number | undefined {
  return value === undefined ? undefined : value * factor;
}

function known<Item>(items: readonly Item[], measure: (item: Item) => number | undefined): number[] {
  return items.map(measure).filter((value): value is number => value !== undefined);
}
