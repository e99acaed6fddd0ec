/** Publishers into many persistent sessions that are away, all on one filter; a few of them are then read to the end. */

import { type BedScenario, count, decimals, errors, type Figures, megabytes, share } from '../bed/bed-scenario.js';
import { usageFigures } from '../bed/usage-figures.js';
import type { OfflineQueues } from '../generator/offline-queues.js';

const PUBLISHERS = 100;
const WINDOW_MESSAGES = 100;
const BATCH_MESSAGES = 50;
/** Sessions whose queue is read and compared, message by message. */
const CHECKED_SESSIONS = 2;
const CHECK_MS = 60_000;

export const durableFanOut: BedScenario = {
  name: 'durable-fan-out',
  peers: 'durable',
  connections: (options) => Math.max(options.offlineSessions, PUBLISHERS),
  columns: [
    count('sessions', 'sessions'),
    count('acknowledged/s', 'perSecond'),
    decimals('CPU µs/msg', 'cpuMicroseconds'),
    count('published', 'published'),
    errors('unacknowledged', 'unfinished'),
    count('checked', 'checked'),
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
    const queues: OfflineQueues = { sessions: options.offlineSessions, publishers: PUBLISHERS, each: 'everything' };
    const filled = await bed.run<'queue'>({
      kind: 'queue',
      queues,
      payloadBytes: options.payloadBytes,
      windowMessages: bed.shareOf(options.windowMessages ?? WINDOW_MESSAGES),
      batchMessages: bed.shareOf(options.batchMessages ?? BATCH_MESSAGES),
      warmUpMs: options.warmUpMs,
      totalMessages: options.published,
      longestMs: options.measuredMs,
    });
    const checked = await bed.run<'drain'>({
      kind: 'drain',
      queues,
      drained: Math.min(CHECKED_SESSIONS, queues.sessions),
      sent: filled.sent,
      longestMs: CHECK_MS,
    });
    const { lost, duplicated, reordered, left } = checked;
    return {
      ...usageFigures(filled, filled.acknowledged),
      sessions: queues.sessions,
      published: filled.sent.reduce((sum, sent) => sum + sent, 0),
      unfinished: filled.unfinished,
      checked: checked.delivered,
      lost,
      duplicated: duplicated + checked.foreign,
      reordered,
      left,
    };
  },
};
