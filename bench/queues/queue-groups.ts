/** Ten thousand groups with a message now and then, alone, and beside one group in which a million wait. */

import { type BedScenario, count, decimals, errors, type Figures, share, times } from '../bed/bed-scenario.js';
import type { TestBed } from '../bed/test-bed.js';
import type { BenchOptions } from '../bench-options.js';
import type { WorkLatencyResult } from '../generator/work-latency-job.js';
import { fill, settle } from './queue-backlog.js';
import { queueConfiguration } from './queue-configuration.js';

const PUBLISHERS = 100;
const GROUPS = 10_000;
const WORKERS = 4;
const MESSAGES_PER_SECOND = 2000;
/** Long enough for the workers, and not the broker, to be what the deep group waits for. */
const WORK_MS = 5;

export const queueGroups: BedScenario = {
  name: 'queue-groups',
  peers: 'durable',
  configuration: queueConfiguration({ type: 'fifo', prefetch: 16, grouped: true }),
  method:
    `${MESSAGES_PER_SECOND} messages a second in turn into ${GROUPS} groups of a fifo queue, ${WORKERS} workers over MQTT 5 that take ` +
    `${WORK_MS} ms for each message; from when a message was due to its arrival at a worker, alone and beside the deep group`,
  connections: () => PUBLISHERS + WORKERS + 1,
  columns: [
    count('deep group', 'deep'),
    decimals('p50 ms alone', 'aloneP50Ms'),
    decimals('p99', 'aloneP99Ms'),
    decimals('p50 ms beside', 'besideP50Ms'),
    decimals('p99', 'besideP99Ms'),
    times('p50', 'p50Factor'),
    times('p99', 'p99Factor'),
    decimals('generator late p99 ms', 'lateP99Ms'),
    count('of deep/s', 'backgroundPerSecond'),
    errors('lost', 'lost'),
    errors('dup', 'duplicated'),
    errors('reordered', 'reordered'),
    errors('missing', 'missing'),
    share('broker busy', 'brokerBusy'),
  ],
  run: async (bed, options): Promise<Figures> => {
    await bed.start();
    // A broker that has just been started compiles what it needs: that is not what is compared.
    await measure(bed, options);
    const alone = await measure(bed, options);
    const filled = await fill(bed, options, options.queued, 'deep group');
    await settle(options);
    const beside = await measure(bed, options);
    return {
      deep: filled.sent.reduce((sum, sent) => sum + sent, 0),
      aloneP50Ms: alone.p50Ms,
      aloneP99Ms: alone.p99Ms,
      besideP50Ms: beside.p50Ms,
      besideP99Ms: beside.p99Ms,
      p50Factor: beside.p50Ms / alone.p50Ms,
      p99Factor: beside.p99Ms / alone.p99Ms,
      lateP99Ms: Math.max(alone.lateP99Ms, beside.lateP99Ms),
      backgroundPerSecond: beside.background / ((options.warmUpMs + options.measuredMs) / 1000),
      lost: alone.lost + beside.lost,
      duplicated: alone.duplicated + beside.duplicated,
      reordered: alone.reordered + beside.reordered,
      missing: alone.missing,
      brokerBusy: beside.brokerCpuMs === undefined ? undefined : beside.brokerCpuMs / 1000 / beside.seconds,
    };
  },
};

function measure(bed: TestBed, options: BenchOptions): Promise<WorkLatencyResult> {
  return bed.run<'work-latency'>({
    kind: 'work-latency',
    publishers: PUBLISHERS,
    groups: GROUPS,
    workers: WORKERS,
    workMs: WORK_MS,
    messagesPerSecond: MESSAGES_PER_SECOND,
    payloadBytes: options.payloadBytes,
    warmUpMs: options.warmUpMs,
    measuredMs: options.measuredMs,
  });
}
