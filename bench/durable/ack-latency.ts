/** How long a PUBACK takes at a fixed rate into one persistent session that is away, in milliseconds and in fsyncs. */
import { type BedScenario, count, decimals, errors, type Figures, share, times } from '../bed/bed-scenario.js';
import { usageFigures } from '../bed/usage-figures.js';
import { findCoreTicks, stolenShare } from './stolen-time.js';

const PUBLISHERS = 100;

export const ackLatency: BedScenario = {
  name: 'ack-latency',
  peers: 'durable',
  connections: () => PUBLISHERS,
  columns: [
    count('asked/s', 'askedPerSecond'),
    count('acknowledged/s', 'perSecond'),
    decimals('p50 ms', 'p50Ms'),
    decimals('p99 ms', 'p99Ms'),
    decimals('p99.9 ms', 'p999Ms'),
    decimals('longest ms', 'longestMs'),
    decimals('fsync ms before', 'fsyncBeforeMs'),
    decimals('after', 'fsyncAfterMs'),
    times('p50', 'p50Fsyncs'),
    times('p99', 'p99Fsyncs'),
    decimals('generator late p99 ms', 'lateP99Ms'),
    share('cores stolen', 'stolen'),
    errors('unacknowledged', 'unfinished'),
    decimals('CPU µs/msg', 'cpuMicroseconds'),
    share('broker busy', 'brokerBusy'),
  ],
  run: async (bed, options): Promise<Figures> => {
    await bed.start();
    const ticksBefore = findCoreTicks();
    const result = await bed.run<'latency'>({
      kind: 'latency',
      publishers: PUBLISHERS,
      messagesPerSecond: options.messagesPerSecond,
      payloadBytes: options.payloadBytes,
      warmUpMs: options.warmUpMs,
      measuredMs: options.measuredMs,
      fsyncDirectory: bed.directory,
    });
    const { p50Ms, p99Ms, p999Ms, longestMs, lateP99Ms, fsyncBeforeMs, fsyncAfterMs } = result;
    const fsyncMs = (fsyncBeforeMs + fsyncAfterMs) / 2;
    return {
      ...usageFigures(result, result.acknowledged),
      askedPerSecond: options.messagesPerSecond,
      p50Ms,
      p99Ms,
      p999Ms,
      longestMs,
      lateP99Ms,
      stolen: stolenShare(ticksBefore, findCoreTicks()),
      fsyncBeforeMs,
      fsyncAfterMs,
      p50Fsyncs: p50Ms / fsyncMs,
      p99Fsyncs: p99Ms / fsyncMs,
      unfinished: result.unfinished + result.notSent,
    };
  },
};
