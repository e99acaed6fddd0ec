/** What a receive costs when little waits, and when millions do; and what these cost in memory. */

import { type BedScenario, count, decimals, errors, type Figures, megabytes, times } from '../bed/bed-scenario.js';
import type { TestBed } from '../bed/test-bed.js';
import type { BenchOptions } from '../bench-options.js';
import type { OfflineQueues } from '../generator/offline-queues.js';
import type { TakeResult } from '../generator/take-job.js';
import { queueConfiguration } from './queue-configuration.js';
import { readHeapBytes } from './read-heap.js';

const PUBLISHERS = 100;
const WINDOW_MESSAGES = 100;
const BATCH_MESSAGES = 50;
const SHORT = 1000;
const TAKEN = 5000;
const WARM_UP = 500;
const LONGEST_FILL_MS = 300_000;
const LONGEST_TAKE_MS = 60_000;

export const QUEUE: OfflineQueues = { sessions: 0, publishers: PUBLISHERS, each: 'everything' };

export const queueBacklog: BedScenario = {
  name: 'queue-backlog',
  peers: 'durable',
  configuration: queueConfiguration({ type: 'standard', prefetch: 1, grouped: false }),
  method:
    `one worker over MQTT 5 with prefetch 1 takes ${TAKEN} messages, from each PUBACK to the next message: with ${SHORT} waiting behind ` +
    'the last of them, and with the backlog',
  connections: () => PUBLISHERS + 1,
  columns: [
    count('backlog', 'backlog'),
    decimals('p50 ms short', 'shortP50Ms'),
    decimals('p99', 'shortP99Ms'),
    decimals('p50 ms backlog', 'longP50Ms'),
    decimals('p99', 'longP99Ms'),
    times('p50', 'factor'),
    megabytes('RSS MB before', 'residentBefore'),
    megabytes('backlog', 'residentBacklog'),
    megabytes('growth', 'growth'),
    megabytes('heap MB before', 'heapBefore'),
    megabytes('backlog', 'heapBacklog'),
    count('queued/s', 'queuedPerSecond'),
    errors('unacknowledged', 'unfinished'),
  ],
  run: async (bed, options): Promise<Figures> => {
    await bed.start();
    await fill(bed, options, SHORT + TAKEN + WARM_UP);
    const short = await take(bed);
    await settle(options);
    const residentBefore = bed.residentBytes();
    const heapBefore = await readHeapBytes(bed.address);
    const filled = await fill(bed, options, options.backlog);
    await settle(options);
    const residentBacklog = bed.residentBytes();
    const heapBacklog = await readHeapBytes(bed.address);
    const long = await take(bed);
    return {
      backlog: filled.sent.reduce((sum, sent) => sum + sent, 0),
      queuedPerSecond: filled.acknowledged / filled.seconds,
      unfinished: filled.unfinished,
      shortP50Ms: short.p50Ms,
      shortP99Ms: short.p99Ms,
      longP50Ms: long.p50Ms,
      longP99Ms: long.p99Ms,
      factor: long.p50Ms / short.p50Ms,
      residentBefore,
      residentBacklog,
      heapBefore,
      heapBacklog,
      growth:
        residentBefore === undefined || residentBacklog === undefined ? undefined : residentBacklog - residentBefore,
    };
  },
};

/** @param messages over all publishers */
export function fill(
  bed: TestBed,
  options: BenchOptions,
  messages: number,
  work: 'own groups' | 'deep group' = 'own groups',
) {
  return bed.run<'queue'>({
    kind: 'queue',
    queues: QUEUE,
    work,
    payloadBytes: options.payloadBytes,
    windowMessages: options.windowMessages ?? WINDOW_MESSAGES,
    batchMessages: options.batchMessages ?? BATCH_MESSAGES,
    warmUpMs: options.warmUpMs,
    totalMessages: messages,
    longestMs: LONGEST_FILL_MS,
  });
}

export function settle(options: BenchOptions): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, options.settleMs));
}

export function take(bed: TestBed): Promise<TakeResult> {
  return bed.run<'take'>({ kind: 'take', warmUpMessages: WARM_UP, messages: TAKEN, longestMs: LONGEST_TAKE_MS });
}
