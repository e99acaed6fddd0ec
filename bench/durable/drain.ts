/** Persistent sessions with full queues come back and take everything: one with all of it, or many with a part each. */

import { type BedScenario, count, decimals, errors, type Figures, megabytes, share } from '../bed/bed-scenario.js';
import { usageFigures } from '../bed/usage-figures.js';
import type { OfflineQueues } from '../generator/offline-queues.js';

const PUBLISHERS = 100;
const WINDOW_MESSAGES = 100;
const BATCH_MESSAGES = 50;
const LONGEST_FILL_MS = 60_000;
const LONGEST_DRAIN_MS = 120_000;
/** A broker that has just taken in half a million messages may still be busy with them. */
const REST_MS = 2000;

export const drainOne: BedScenario = drain('drain', 1, 'everything');
export const drainMany: BedScenario = drain('drain-many', PUBLISHERS, 'own');

function drain(name: string, sessions: number, each: OfflineQueues['each']): BedScenario {
  const queues: OfflineQueues = { sessions, publishers: PUBLISHERS, each };
  return {
    name,
    peers: 'durable',
    connections: () => PUBLISHERS,
    columns: [
      count('sessions', 'sessions'),
      count('queued', 'queued'),
      count('msgs/s', 'perSecond'),
      decimals('CPU µs/msg', 'cpuMicroseconds'),
      count('queued/s', 'queuedPerSecond'),
      errors('lost', 'lost'),
      errors('dup', 'duplicated'),
      errors('reordered', 'reordered'),
      errors('left', 'left'),
      share('broker busy', 'brokerBusy'),
      share('generator busy', 'generatorBusy'),
      megabytes('RSS peak MB', 'peakResidentBytes'),
    ],
    run: async (bed, options): Promise<Figures> => {
      await bed.start();
      const filled = await bed.run<'queue'>({
        kind: 'queue',
        queues,
        payloadBytes: options.payloadBytes,
        windowMessages: options.windowMessages ?? WINDOW_MESSAGES,
        batchMessages: options.batchMessages ?? BATCH_MESSAGES,
        warmUpMs: options.warmUpMs,
        totalMessages: bed.shareOf(options.drained),
        longestMs: LONGEST_FILL_MS,
      });
      await new Promise((resolve) => setTimeout(resolve, REST_MS));
      const drained = await bed.run<'drain'>({
        kind: 'drain',
        queues,
        drained: sessions,
        sent: filled.sent,
        longestMs: LONGEST_DRAIN_MS,
      });
      return {
        ...usageFigures(drained, drained.delivered),
        sessions,
        queued: filled.queued,
        queuedPerSecond: filled.acknowledged / filled.seconds,
        lost: drained.lost,
        duplicated: drained.duplicated + drained.foreign,
        reordered: drained.reordered,
        left: drained.left,
      };
    },
  };
}
