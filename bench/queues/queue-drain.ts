/** The whole way through a queue: published, stored, acknowledged, given to a worker, acknowledged by it. */
import { type BedScenario, count, decimals, errors, type Figures, megabytes, share } from '../bed/bed-scenario.js';
import { usageFigures } from '../bed/usage-figures.js';
import type { Protocol } from '../generator/frames.js';
import { type QueueSettings, queueConfiguration } from './queue-configuration.js';

const PUBLISHERS = 100;
const WORKERS = 4;
const WINDOW_MESSAGES = 100;
const BATCH_MESSAGES = 50;
const MANY_GROUPS = 10_000;

interface Variant extends QueueSettings {
  readonly name: string;
  readonly workerProtocol: Protocol;
  readonly groups: number;
}

const usual = { type: 'standard', prefetch: 256, grouped: false, workerProtocol: 5, groups: PUBLISHERS } as const;

export const QUEUE_DRAINS: readonly BedScenario[] = [
  scenarioOf({ ...usual, name: 'queue-drain' }),
  scenarioOf({ ...usual, name: 'queue-drain-prefetch-16', prefetch: 16 }),
  scenarioOf({ ...usual, name: 'queue-drain-mqtt3', workerProtocol: 4 }),
  scenarioOf({ ...usual, name: 'queue-drain-groups', grouped: true, groups: MANY_GROUPS }),
  scenarioOf({ ...usual, name: 'queue-drain-fifo', type: 'fifo', grouped: true, groups: MANY_GROUPS }),
];

function scenarioOf(variant: Variant): BedScenario {
  const { name, type, prefetch, groups, grouped, workerProtocol } = variant;
  return {
    name,
    peers: 'durable',
    configuration: queueConfiguration(variant),
    method:
      `${PUBLISHERS} publishers at QoS 1 into one ${type} queue${grouped ? ` in ${groups} groups` : ''}, emptied at the same time by ` +
      `${WORKERS} workers over MQTT ${workerProtocol === 5 ? '5' : '3.1.1'} with prefetch ${prefetch}, a PUBACK for each message`,
    connections: () => PUBLISHERS + WORKERS + 1,
    columns: [
      count('msgs/s', 'perSecond'),
      count('acknowledged/s', 'acknowledgedPerSecond'),
      decimals('CPU µs/msg', 'cpuMicroseconds'),
      errors('lost', 'lost'),
      errors('dup', 'duplicated'),
      // Without order in the queue it means nothing.
      ...(type === 'fifo' ? [errors('reordered', 'reordered')] : []),
      errors('left', 'left'),
      errors('missing', 'missing'),
      share('broker busy', 'brokerBusy'),
      share('generator busy', 'generatorBusy'),
      megabytes('RSS peak MB', 'peakResidentBytes'),
    ],
    run: async (bed, options): Promise<Figures> => {
      await bed.start();
      const result = await bed.run<'work'>({
        kind: 'work',
        publishers: PUBLISHERS,
        groups,
        workers: WORKERS,
        workerProtocol,
        payloadBytes: options.payloadBytes,
        windowMessages: options.windowMessages ?? WINDOW_MESSAGES,
        batchMessages: options.batchMessages ?? BATCH_MESSAGES,
        warmUpMs: options.warmUpMs,
        measuredMs: options.measuredMs,
      });
      const { lost, duplicated, reordered, left, missing } = result;
      // A message counts when both have happened; the queue is as long at the end as it was at the beginning, but for the window.
      const finished = Math.min(result.worked, result.acknowledged);
      const acknowledgedPerSecond = result.acknowledged / result.seconds;
      return { ...usageFigures(result, finished), acknowledgedPerSecond, lost, duplicated, reordered, left, missing };
    },
  };
}
