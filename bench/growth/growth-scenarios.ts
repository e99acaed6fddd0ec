/** What a message costs as something grows: the same load at each point, a fresh broker each, to be drawn as a line. */

import {
  type Axis,
  type BedScenario,
  count,
  decimals,
  errors,
  type FigureColumn,
  type Figures,
  megabytes,
  share,
  type Trial,
} from '../bed/bed-scenario.js';
import { usageFigures } from '../bed/usage-figures.js';
import type { BenchOptions } from '../bench-options.js';
import { figuresOf, runLoadJob } from '../load/load-scenario.js';
import { PACED_COLUMNS, pacedFigures } from '../load/paced.js';
import { accountsOf, lookUp, UNLIMITED } from '../load/retained.js';
import { runSubscriptions, spreadFigures } from '../load/subscriptions.js';
import { loadScenarioByName } from '../load-scenarios.js';
import { fill, take } from '../queues/queue-backlog.js';
import { queueConfiguration } from '../queues/queue-configuration.js';

const LOAD = 'fan-in';
const LONGEST_MS = 300_000;
const RETAINED_BYTES = 30;
/** Of all connections together: what a core takes easily when each message is a read of its own. */
const PACED_PER_SECOND = 10_000;
const TEN_FOLD = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000];

const COLUMNS: readonly FigureColumn[] = [
  decimals('CPU µs/msg', 'cpuMicroseconds'),
  count('msgs/s', 'deliveredPerSecond'),
  errors('lost', 'lost'),
  errors('dup', 'duplicated'),
  errors('reordered', 'reordered'),
  share('broker busy', 'brokerBusy'),
  share('generator busy', 'generatorBusy'),
  megabytes('RSS peak MB', 'peakResidentBytes'),
];

const common = { peers: 'volatile', cost: 'cpuMicroseconds', columns: COLUMNS } as const;

const connections: BedScenario = {
  ...common,
  name: 'growth-connections',
  axis: axis('connections', [1, 10, 100, 1000, 5000, 10_000, 15_000]),
  method: `${PACED_PER_SECOND.toLocaleString('en-US')} messages a second at QoS 0, evenly over so many connections, a write for each, to one subscriber`,
  drawn: ['p99Ms'],
  columns: PACED_COLUMNS,
  connections: (_options, { at }) => pointOf(at) + 1,
  run: async (bed, options, { at }): Promise<Figures> => {
    await bed.start();
    const { payloadBytes, userProperties, warmUpMs, measuredMs } = options;
    const load = { qos: 0, payloadBytes, userProperties, warmUpMs, measuredMs } as const;
    const pace = { publishers: pointOf(at), messagesPerSecond: PACED_PER_SECOND };
    return pacedFigures(await bed.run<'paced'>({ kind: 'paced', ...pace, ...load }));
  },
};

const subscriptions: BedScenario = {
  ...common,
  name: 'growth-subscriptions',
  axis: axis('subscriptions', TEN_FOLD),
  method:
    '100 publishers at QoS 0 on 30,000 topics to one subscriber, beside so many subscriptions to other topics of the same tree',
  saturates: true,
  connections: (_options, { at }) => Math.ceil(pointOf(at) / 10_000) + 101,
  run: async (bed, options, { at }): Promise<Figures> => {
    await bed.start();
    return spreadFigures(await runSubscriptions(bed, { ...options, settleMs: 0 }, pointOf(at)));
  },
};

const retained: BedScenario = {
  ...common,
  name: 'growth-retained',
  variesBy: ['protocol', 'transport'],
  // From a hundred on: of fewer, one write would ask for the same topic twice, which a broker may answer once.
  axis: axis('retained messages', TEN_FOLD.slice(2)),
  method: `SUBSCRIBEs to one topic each, with a retained message of ${RETAINED_BYTES} bytes, of so many; and publishing them`,
  drawn: ['retainMicroseconds'],
  columns: [
    decimals('CPU µs/look-up', 'cpuMicroseconds'),
    decimals('CPU µs/retained', 'retainMicroseconds'),
    errors('missing', 'missing'),
    errors('foreign', 'foreign'),
  ],
  connections: () => 12,
  run: async (bed, options, { at }): Promise<Figures> => {
    await bed.start(UNLIMITED);
    // What is compiled once is not what the first points cost.
    await lookUp(bed, options, 1, 'absent');
    const messages = pointOf(at);
    const retain = { kind: 'retain', messages, payloadBytes: RETAINED_BYTES, longestMs: LONGEST_MS } as const;
    const kept = usageFigures(await bed.run<'retain'>(retain), messages);
    const asked = await lookUp(bed, options, messages, 'exact');
    const { cpuMicroseconds } = usageFigures(asked, asked.subscribes);
    // Processor time is known to 10 ms: of fewer messages it says nothing.
    const retainMicroseconds = messages < 10_000 ? undefined : kept.cpuMicroseconds;
    return { cpuMicroseconds, retainMicroseconds, ...accountsOf([asked]) };
  },
};

const sessions: BedScenario = {
  ...common,
  name: 'growth-sessions',
  axis: axis('sessions', TEN_FOLD.slice(0, -1)),
  method: 'the load of fan-in at QoS 1, beside so many persistent sessions of three subscriptions each that are away',
  saturates: true,
  connections: () => 201,
  run: async (bed, options, { at }): Promise<Figures> => {
    await bed.start();
    await bed.run<'store-sessions'>({ kind: 'store-sessions', sessions: pointOf(at), longestMs: LONGEST_MS });
    return loadFigures(await runLoadJob(bed, options, LOAD, { qos: 1, at }));
  },
};

const payload: BedScenario = {
  ...common,
  name: 'growth-payload',
  variesBy: ['protocol', 'transport', 'userProperties'],
  axis: axis('bytes of payload', [16, 64, 256, 1024, 4096, 16_384, 65_536]),
  qos: [0, 1],
  method: 'the load of fan-in with payloads of so many bytes; of large ones fewer are on the way at once',
  drawn: ['megabytesPerSecond'],
  saturates: true,
  columns: [...COLUMNS, decimals('MB/s', 'megabytesPerSecond')],
  connections: () => 101,
  run: async (bed, options, trial): Promise<Figures> => {
    await bed.start();
    const payloadBytes = pointOf(trial.at);
    const figures = loadFigures(await runLoadJob(bed, options, LOAD, trial, { payloadBytes }));
    return { ...figures, megabytesPerSecond: (figures.deliveredPerSecond * payloadBytes) / 1_000_000 };
  },
};

const backlog: BedScenario = {
  ...common,
  name: 'growth-backlog',
  peers: 'durable',
  axis: axis('messages in the queue', TEN_FOLD.slice(3)),
  configuration: queueConfiguration({ type: 'standard', prefetch: 1, grouped: false }),
  method:
    'one worker with prefetch 1 takes 5,000 messages of a work queue, from each PUBACK to the next message, with so many behind them',
  drawn: ['p50Ms', 'p99Ms'],
  columns: [
    decimals('CPU µs/msg', 'cpuMicroseconds'),
    count('msgs/s', 'perSecond'),
    decimals('p50 ms', 'p50Ms'),
    decimals('p99 ms', 'p99Ms'),
    megabytes('RSS peak MB', 'peakResidentBytes'),
  ],
  connections: () => 101,
  run: async (bed, options, { at }): Promise<Figures> => {
    await bed.start();
    await fill(bed, options, pointOf(at) + TAKEN);
    const taken = await take(bed);
    return { ...usageFigures(taken, taken.taken), p50Ms: taken.p50Ms, p99Ms: taken.p99Ms };
  },
};

/** What `take` takes, with its warm-up: so many more are put in, so that the backlog is still there at its end. */
const TAKEN = 5500;

export const GROWTHS: readonly BedScenario[] = [connections, subscriptions, retained, sessions, payload, backlog];

function axis(heading: string, points: readonly number[]): Axis {
  return { heading, points: ({ largest }: BenchOptions) => points.filter((point) => point <= largest) };
}

function pointOf(at: Trial['at']): number {
  return at ?? 1;
}

function loadFigures(result: Parameters<typeof figuresOf>[1]): ReturnType<typeof figuresOf> {
  return figuresOf(loadScenarioByName(LOAD), result);
}
