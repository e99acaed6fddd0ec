/** The load scenarios as scenarios of the test bed: one job, and the figures of its window. */

import {
  type BedScenario,
  count,
  decimals,
  errors,
  type FigureColumn,
  megabytes,
  share,
  type Trial,
} from '../bed/bed-scenario.js';
import type { TestBed } from '../bed/test-bed.js';
import { type UsageFigures, usageFigures } from '../bed/usage-figures.js';
import type { BenchOptions } from '../bench-options.js';
import type { LoadResult } from '../generator/load-job.js';
import { DURABLE_FAN_IN, LOAD_SCENARIOS, type LoadScenario, loadScenarioByName, SPREAD } from '../load-scenarios.js';
import { flowFor } from './load-flow.js';

export const LOAD_COLUMNS: readonly FigureColumn[] = [
  count('msgs/s', 'deliveredPerSecond'),
  count('acknowledged/s', 'acknowledgedPerSecond'),
  decimals('CPU µs/msg', 'cpuMicroseconds'),
  errors('lost', 'lost'),
  errors('dup', 'duplicated'),
  errors('reordered', 'reordered'),
  errors('foreign', 'foreign'),
  errors('unfinished', 'unfinished'),
  share('broker busy', 'brokerBusy'),
  megabytes('RSS peak MB', 'peakResidentBytes'),
  decimals('generator µs/msg', 'generatorMicroseconds'),
  share('generator busy', 'generatorBusy'),
];

/** What a load can be given beside what its scenario and the options say. */
export interface LoadChanges {
  readonly payloadBytes?: number;
  readonly probeFile?: string;
}

export const LOADS: readonly BedScenario[] = LOAD_SCENARIOS.filter(({ name }) => name !== SPREAD).map(scenarioOf);

function scenarioOf(load: LoadScenario): BedScenario {
  return {
    name: load.name,
    peers: load.name === DURABLE_FAN_IN ? 'durable' : 'volatile',
    qos: load.name === DURABLE_FAN_IN ? [1] : [0, 1, 2],
    ...(load.delivery === 'one of all' && { needs: ['shared subscriptions'] }),
    saturates: true,
    cost: 'cpuMicroseconds',
    drawn: ['deliveredPerSecond'],
    columns: LOAD_COLUMNS,
    connections: () => load.publishers + load.subscribers,
    run: async (bed, options, trial) => {
      await bed.start();
      return figuresOf(load, await runLoadJob(bed, options, load.name, trial));
    },
  };
}

/** What a window of load says. */
export type LoadFigures = UsageFigures & {
  readonly deliveredPerSecond: number;
  readonly publishedPerSecond: number;
  /** Undefined at QoS 0. */
  readonly acknowledgedPerSecond: number | undefined;
  readonly generatorMicroseconds: number | undefined;
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly foreign: number;
  readonly unfinished: number;
};

/** @throws BenchFailure when the job failed */
export function runLoadJob(
  bed: TestBed,
  options: BenchOptions,
  name: string,
  { qos }: Trial,
  changes: LoadChanges = {},
): Promise<LoadResult> {
  const payloadBytes = changes.payloadBytes ?? options.payloadBytes;
  return bed.run<'load'>({
    kind: 'load',
    scenario: name,
    qos: qos ?? 0,
    payloadBytes,
    userProperties: options.userProperties,
    ...flowFor(loadScenarioByName(name), options, payloadBytes),
    warmUpMs: options.warmUpMs,
    measuredMs: options.measuredMs,
    ...changes,
  });
}

export function figuresOf(load: LoadScenario, result: LoadResult): LoadFigures {
  const { seconds, published, delivered, acknowledged, lost, duplicated, reordered, foreign, unfinished } = result;
  const messages = load.costPer === 'delivery' ? delivered : published;
  return {
    ...usageFigures(result, messages),
    deliveredPerSecond: delivered / seconds,
    publishedPerSecond: published / seconds,
    acknowledgedPerSecond: acknowledged === 0 ? undefined : acknowledged / seconds,
    generatorMicroseconds: messages === 0 ? undefined : (result.generatorCpuMs * 1000) / messages,
    lost,
    duplicated,
    reordered,
    foreign,
    unfinished,
  };
}
