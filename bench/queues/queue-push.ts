/** Through a queue and out of it by HTTP: published, stored, acknowledged, sent to a webhook, done when that has answered. */
import { type BedScenario, count, decimals, errors, type Figures, megabytes, share } from '../bed/bed-scenario.js';
import { usageFigures } from '../bed/usage-figures.js';
import { queueConfiguration } from './queue-configuration.js';

const PUBLISHERS = 100;
const WINDOW_MESSAGES = 20;
const BATCH_MESSAGES = 10;

/** The broker is told before the webhook is there. */
const TARGET_PORT = 47_319;

export const QUEUE_PUSHES: readonly BedScenario[] = [
  scenarioOf('queue-push', 16, true),
  scenarioOf('queue-push-64', 64, true),
  scenarioOf('queue-push-unsigned', 16, false),
];

function scenarioOf(name: string, concurrency: number, isSigned: boolean): BedScenario {
  const secrets = isSigned ? [`whsec_${Buffer.alloc(32, 1).toString('base64')}`] : [];
  const push = { url: `http://127.0.0.1:${TARGET_PORT}/`, concurrency, secrets };
  return {
    name,
    peers: 'durable',
    configuration: queueConfiguration({ type: 'standard', prefetch: 16, grouped: false, push }),
    method:
      `${PUBLISHERS} publishers at QoS 1 into one queue, sent at the same time to a webhook on this machine that answers 204 at once, ` +
      `${concurrency} requests at a time over kept connections, ${isSigned ? 'each signed' : 'unsigned'}`,
    connections: () => PUBLISHERS + 1,
    columns: [
      count('msgs/s', 'perSecond'),
      decimals('CPU µs/msg', 'cpuMicroseconds'),
      count('connections', 'connections'),
      errors('lost', 'lost'),
      errors('dup', 'duplicated'),
      errors('left', 'left'),
      errors('missing', 'missing'),
      share('broker busy', 'brokerBusy'),
      share('generator busy', 'generatorBusy'),
      megabytes('RSS peak MB', 'peakResidentBytes'),
    ],
    run: async (bed, options): Promise<Figures> => {
      await bed.start();
      const result = await bed.run<'push'>({
        kind: 'push',
        publishers: PUBLISHERS,
        groups: PUBLISHERS,
        targetPort: TARGET_PORT,
        payloadBytes: options.payloadBytes,
        windowMessages: options.windowMessages ?? WINDOW_MESSAGES,
        batchMessages: options.batchMessages ?? BATCH_MESSAGES,
        warmUpMs: options.warmUpMs,
        measuredMs: options.measuredMs,
      });
      const { lost, duplicated, left, missing, connections } = result;
      const finished = Math.min(result.worked, result.acknowledged);
      return { ...usageFigures(result, finished), connections, lost, duplicated, left, missing };
    },
  };
}
