/**
 * How long a broker takes until it accepts a connection when it has much to bring back: first after it was told to end,
 * then after it was killed. And what the queued messages cost in memory while it holds them.
 */

import { type BedScenario, count, decimals, errors, type Figures, megabytes, share } from '../bed/bed-scenario.js';
import type { TestBed } from '../bed/test-bed.js';
import { usageFigures } from '../bed/usage-figures.js';
import type { BenchOptions } from '../bench-options.js';
import type { OfflineQueues } from '../generator/offline-queues.js';
import { DURABLE_FAN_IN } from '../load-scenarios.js';

const SESSIONS = 100;
const PAYLOAD_BYTES = 150;
const WINDOW_MESSAGES = 100;
const BATCH_MESSAGES = 50;
/** Before memory is read for the first time: what is compiled and allocated once is not what queued messages cost. */
const WARM_UP_MS = 3000;
const LONGEST_FILL_MS = 120_000;
const LONGEST_DRAIN_MS = 120_000;
const LONGEST_STORE_MS = 300_000;
const SESSION_PLACES = 200;
const CHECKED_SESSIONS = 1000;

const startColumns = [
  decimals('start s after stop', 'startSecondsAfterStop'),
  decimals('after kill -9', 'startSecondsAfterKill'),
];

export const restartMessages: BedScenario = {
  name: 'restart-messages',
  peers: 'durable',
  connections: () => SESSIONS + 1,
  columns: [
    count('queued', 'queued'),
    ...startColumns,
    megabytes('RSS MB before', 'residentBefore'),
    megabytes('queued', 'residentQueued'),
    megabytes('growth', 'residentGrowth'),
    megabytes('restarted', 'residentRestarted'),
    count('queued/s', 'queuedPerSecond'),
    errors('lost', 'lost'),
    errors('dup', 'duplicated'),
    errors('reordered', 'reordered'),
    errors('left', 'left'),
  ],
  run: async (bed, options): Promise<Figures> => {
    const queues: OfflineQueues = { sessions: SESSIONS, publishers: SESSIONS, each: 'own' };
    await bed.start();
    await warmUp(bed);
    await settle(options);
    const residentBefore = bed.residentBytes();
    const filled = await bed.run<'queue'>({
      kind: 'queue',
      queues,
      payloadBytes: PAYLOAD_BYTES,
      windowMessages: WINDOW_MESSAGES,
      batchMessages: BATCH_MESSAGES,
      warmUpMs: options.warmUpMs,
      totalMessages: bed.shareOf(options.queued),
      longestMs: LONGEST_FILL_MS,
    });
    await settle(options);
    const residentQueued = bed.residentBytes();
    const restarted = await restart(bed);
    const drained = await bed.run<'drain'>({
      kind: 'drain',
      queues,
      drained: SESSIONS,
      sent: filled.sent,
      longestMs: LONGEST_DRAIN_MS,
    });
    return {
      ...restarted,
      queued: filled.queued,
      queuedPerSecond: filled.acknowledged / filled.seconds,
      residentBefore,
      residentQueued,
      residentGrowth:
        residentBefore === undefined || residentQueued === undefined ? undefined : residentQueued - residentBefore,
      lost: drained.lost,
      duplicated: drained.duplicated + drained.foreign,
      reordered: drained.reordered,
      left: drained.left,
    };
  },
};

export const restartSessions: BedScenario = {
  name: 'restart-sessions',
  peers: 'durable',
  connections: () => SESSION_PLACES,
  columns: [
    count('sessions', 'sessions'),
    ...startColumns,
    count('stored/s', 'perSecond'),
    decimals('CPU µs/session', 'cpuMicroseconds'),
    share('broker busy', 'brokerBusy'),
    megabytes('RSS MB stored', 'residentStored'),
    megabytes('restarted', 'residentRestarted'),
    errors(`absent of ${CHECKED_SESSIONS}`, 'absent'),
  ],
  run: async (bed, options): Promise<Figures> => {
    const sessions = bed.shareOf(options.storedSessions);
    await bed.start();
    const stored = await bed.run<'store-sessions'>({ kind: 'store-sessions', sessions, longestMs: LONGEST_STORE_MS });
    const residentStored = bed.residentBytes();
    const restarted = await restart(bed);
    const { absent } = await bed.run<'check-sessions'>({ kind: 'check-sessions', sessions, sample: CHECKED_SESSIONS });
    return { ...usageFigures(stored, sessions), ...restarted, sessions, residentStored, absent };
  },
};

/** Traffic through a connected persistent session, which is discarded afterwards. */
async function warmUp(bed: TestBed): Promise<void> {
  await bed.run<'load'>({
    kind: 'load',
    scenario: DURABLE_FAN_IN,
    qos: 1,
    payloadBytes: PAYLOAD_BYTES,
    userProperties: 0,
    windowMessages: WINDOW_MESSAGES,
    batchMessages: BATCH_MESSAGES,
    warmUpMs: 1,
    measuredMs: WARM_UP_MS,
  });
}

async function restart(bed: TestBed): Promise<Figures> {
  await bed.stop();
  const afterStopMs = await bed.start();
  await bed.kill();
  const afterKillMs = await bed.start();
  return {
    startSecondsAfterStop: afterStopMs / 1000,
    startSecondsAfterKill: afterKillMs / 1000,
    residentRestarted: bed.residentBytes(),
  };
}

function settle(options: BenchOptions): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, options.settleMs));
}
