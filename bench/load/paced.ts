/** A fleet of devices that send once a second each. */
import {
  type BedScenario,
  count,
  decimals,
  errors,
  type FigureColumn,
  type Figures,
  megabytes,
  share,
} from '../bed/bed-scenario.js';
import { usageFigures } from '../bed/usage-figures.js';
import type { PacedResult } from '../generator/paced-job.js';

export const PACED_COLUMNS: readonly FigureColumn[] = [
  count('msgs/s', 'perSecond'),
  decimals('CPU µs/msg', 'cpuMicroseconds'),
  share('broker busy', 'brokerBusy'),
  decimals('p50 ms', 'p50Ms'),
  decimals('p99 ms', 'p99Ms'),
  decimals('p99.9 ms', 'p999Ms'),
  decimals('longest ms', 'longestMs'),
  decimals('generator late p99 ms', 'lateP99Ms'),
  errors('lost', 'lost'),
  errors('dup', 'duplicated'),
  errors('reordered', 'reordered'),
  errors('foreign', 'foreign'),
  errors('unfinished', 'unfinished'),
  megabytes('RSS peak MB', 'peakResidentBytes'),
];

export const paced: BedScenario = {
  name: 'paced',
  peers: 'volatile',
  qos: [0, 1],
  method:
    'devices (--devices) send one message a second each, evenly spread, a write for each message, to one subscriber; a latency counts ' +
    'from the moment a message was due to its arrival',
  cost: 'cpuMicroseconds',
  drawn: ['p50Ms', 'p99Ms'],
  columns: PACED_COLUMNS,
  connections: ({ devices }) => devices + 1,
  run: async (bed, options, { qos }): Promise<Figures> => {
    await bed.start();
    const { devices, payloadBytes, userProperties, warmUpMs, measuredMs } = options;
    const load = {
      publishers: devices,
      messagesPerSecond: devices,
      payloadBytes,
      userProperties,
      warmUpMs,
      measuredMs,
    };
    return pacedFigures(await bed.run<'paced'>({ kind: 'paced', ...load, qos: qos ?? 0 }));
  },
};

export function pacedFigures(result: PacedResult): Figures {
  const { p50Ms, p99Ms, p999Ms, longestMs, lateP99Ms, lost, duplicated, reordered, foreign, unfinished } = result;
  const accounts = { lost, duplicated, reordered, foreign, unfinished };
  return { ...usageFigures(result, result.delivered), p50Ms, p99Ms, p999Ms, longestMs, lateP99Ms, ...accounts };
}
