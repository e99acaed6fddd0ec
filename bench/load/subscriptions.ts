/** Many subscriptions over the wire: how fast they are made, what they cost in memory, and what a message costs beside them. */

import { type BedScenario, count, decimals, errors, type Figures, share } from '../bed/bed-scenario.js';
import type { TestBed } from '../bed/test-bed.js';
import { usageFigures } from '../bed/usage-figures.js';
import type { BenchOptions } from '../bench-options.js';
import type { SubscribeResult } from '../generator/subscribe-job.js';
import { loadScenarioByName, SPREAD } from '../load-scenarios.js';
import { flowFor } from './load-flow.js';
import { figuresOf, type LoadFigures } from './load-scenario.js';

const LONGEST_MS = 300_000;

export const subscriptions: BedScenario = {
  name: 'subscriptions',
  peers: 'volatile',
  method:
    'subscriptions (--subscriptions), a third each exact, with + and with #, 200 in a SUBSCRIBE; then 100 publishers at QoS 0 on 30,000 topics ' +
    'beside them to one subscriber: first in a fresh broker without the others, then with them',
  cost: 'cpuMicroseconds',
  columns: [
    count('subscriptions', 'subscriptions'),
    count('subscribed/s', 'subscribedPerSecond'),
    decimals('CPU µs each', 'subscribeMicroseconds'),
    count('bytes each', 'bytesEach'),
    decimals('CPU µs/msg without', 'aloneMicroseconds'),
    decimals('CPU µs/msg with', 'cpuMicroseconds'),
    decimals('match µs more', 'moreMicroseconds'),
    errors('lost', 'lost'),
    errors('dup', 'duplicated'),
    errors('reordered', 'reordered'),
    share('broker busy', 'brokerBusy'),
    share('generator busy', 'generatorBusy'),
  ],
  connections: ({ subscriptions: wanted }) => Math.ceil(wanted / 10_000) + 101,
  run: async (bed, options): Promise<Figures> => {
    await bed.start();
    const alone = spreadFigures(await runSubscriptions(bed, options, 0));
    await bed.stop();
    await bed.start();
    const result = await runSubscriptions(bed, options, options.subscriptions);
    const { cpuMicroseconds, lost, duplicated, reordered, brokerBusy, generatorBusy } = spreadFigures(result);
    const own = usageFigures(result, result.subscriptions);
    const { residentBytesBefore: before, residentBytesAfter: after } = result;
    const aloneMicroseconds = alone.cpuMicroseconds;
    return {
      subscriptions: result.subscriptions,
      subscribedPerSecond: own.perSecond,
      subscribeMicroseconds: own.cpuMicroseconds,
      bytesEach: before === undefined || after === undefined ? undefined : (after - before) / result.subscriptions,
      aloneMicroseconds,
      cpuMicroseconds,
      moreMicroseconds:
        cpuMicroseconds === undefined || aloneMicroseconds === undefined
          ? undefined
          : cpuMicroseconds - aloneMicroseconds,
      lost,
      duplicated,
      reordered,
      brokerBusy,
      generatorBusy,
    };
  },
};

export function runSubscriptions(bed: TestBed, options: BenchOptions, wanted: number): Promise<SubscribeResult> {
  const { payloadBytes, userProperties, warmUpMs, measuredMs, settleMs } = options;
  const flow = flowFor(loadScenarioByName(SPREAD), options, payloadBytes);
  return bed.run<'subscribe'>({
    kind: 'subscribe',
    subscriptions: wanted,
    settleMs: wanted === 0 ? 0 : settleMs,
    longestMs: LONGEST_MS,
    load: { kind: 'load', scenario: SPREAD, qos: 0, payloadBytes, userProperties, ...flow, warmUpMs, measuredMs },
  });
}

/** Of the load that went on beside the subscriptions. */
export function spreadFigures({ load }: SubscribeResult): LoadFigures {
  return figuresOf(loadScenarioByName(SPREAD), load);
}
