/** The queue drained by clients of SQS; what of that is HTTP; and what it does to MQTT beside it. */

import { type BedScenario, count, decimals, type Figures, megabytes, share, times } from '../bed/bed-scenario.js';
import type { TestBed } from '../bed/test-bed.js';
import { usageFigures } from '../bed/usage-figures.js';
import type { BenchOptions } from '../bench-options.js';
import type { SqsJob, SqsKey, SqsResult } from '../generator/sqs-job.js';
import { WORK_QUEUE } from '../generator/work-queue.js';
import { sqsPortOf } from '../peers/millrace.js';
import { pinning } from '../pinning.js';
import { startBareHttp } from './bare-http.js';

const CONNECTIONS = 16;
const BODY_BYTES = 256;
const MQTT_PER_SECOND = 5000;
/** Enough that the queue is not empty before the window ends. */
const MOST_PER_SECOND = 40_000;
const MESSAGES_PER_REQUEST = 10;
const REQUESTS_PER_BATCH = 2;

const KEY: SqsKey = { id: 'BENCH', secret: 'the-secret-of-the-benchmark' };
const SECRET_VARIABLE = 'MILLRACE_BENCH_SQS_SECRET';

const queues = { [WORK_QUEUE]: { maxMessages: 100_000_000, maxBytes: '1TiB', maxInFlight: 1_000_000 } };
const accessKeys = [
  { id: KEY.id, secretEnvironment: SECRET_VARIABLE, permissions: [{ queues: '*', allow: ['receive', 'send'] }] },
];

export const QUEUE_SQS: readonly BedScenario[] = [
  scenarioOf('queue-sqs', undefined, { queues, sqs: {} }),
  scenarioOf('queue-sqs-signed', KEY, { queues, sqs: { accessKeys } }),
];

function scenarioOf(name: string, key: SqsKey | undefined, configuration: object): BedScenario {
  return {
    name,
    peers: 'durable',
    configuration: JSON.stringify(configuration),
    method:
      `${CONNECTIONS} clients of SQS, ${key === undefined ? 'unsigned' : 'signed'}, empty a queue of ${BODY_BYTES}-byte messages with ` +
      `ReceiveMessage and DeleteMessageBatch of ${MESSAGES_PER_REQUEST}; the same requests with GetQueueUrl show what HTTP costs, and the ` +
      'same to a bare server of node:http, with answers of the same length, what that costs at these minutes; ' +
      `then ${MQTT_PER_SECOND} MQTT messages a second to one subscriber, alone and beside the clients`,
    connections: () => CONNECTIONS + 2,
    columns: [
      count('msgs/s', 'perSecond'),
      count('msgs/s per core', 'perCore'),
      decimals('CPU µs/msg', 'cpuMicroseconds'),
      decimals('of it HTTP', 'httpMicroseconds'),
      decimals('of it queue', 'queueMicroseconds'),
      decimals('bare http µs/request', 'bareMicroseconds'),
      times('× bare http', 'bareFactor'),
      share('broker busy', 'brokerBusy'),
      share('generator busy', 'generatorBusy'),
      count('empty receives', 'empty'),
      decimals('MQTT p99 ms quiet', 'quietP99Ms'),
      decimals('p99 beside', 'besideP99Ms'),
      times('p99', 'p99Factor'),
      decimals('generator late p99 ms', 'lateP99Ms'),
      count('drained beside/s', 'besidePerSecond'),
      megabytes('RSS peak MB', 'peakResidentBytes'),
    ],
    run: async (bed, options): Promise<Figures> => {
      process.env[SECRET_VARIABLE] = KEY.secret;
      await bed.start();
      const seconds = (options.warmUpMs + options.measuredMs) / 1000;
      const run = (own: Partial<SqsJob>): Promise<SqsResult> => runSqs(bed, options, key, own);
      const fill = (): Promise<SqsResult> => run({ does: 'fill', messages: Math.ceil(MOST_PER_SECOND * seconds) });
      // A broker that has just been started compiles what it needs, for seconds: that is not what is compared.
      await run({ does: 'ask' });
      const asked = await run({ does: 'ask' });
      await fill();
      await run({ does: 'drain' });
      await fill();
      const drained = await run({ does: 'drain' });
      const bare = await runBare(options, run);
      await fill();
      const quiet = await run({ connections: 0, messagesPerSecond: MQTT_PER_SECOND });
      const beside = await run({ does: 'drain', messagesPerSecond: MQTT_PER_SECOND });
      return { ...costsOf(drained, asked, bare), ...delaysOf(quiet, beside) };
    },
  };
}

function runSqs(
  bed: TestBed,
  options: BenchOptions,
  key: SqsKey | undefined,
  own: Partial<SqsJob>,
): Promise<SqsResult> {
  return bed.run<'sqs'>({
    kind: 'sqs',
    sqsPort: sqsPortOf(bed.address.port),
    ...(key === undefined ? {} : { key }),
    connections: CONNECTIONS,
    does: 'drain',
    messages: 0,
    messagesPerSecond: 0,
    payloadBytes: BODY_BYTES,
    warmUpMs: options.warmUpMs,
    measuredMs: options.measuredMs,
    ...own,
  });
}

/** Between two drains of the queue, so that what else the machine does is in all of them. */
async function runBare(options: BenchOptions, run: (own: Partial<SqsJob>) => Promise<SqsResult>): Promise<SqsResult> {
  const { brokerPrefix } = pinning(options.pin);
  const server = await startBareHttp(brokerPrefix, BODY_BYTES);
  try {
    return await run({ does: 'drain', sqsPort: server.port, serverPid: server.pid });
  } finally {
    await server.stop();
  }
}

function costsOf(drained: SqsResult, asked: SqsResult, bare: SqsResult): Figures {
  const usage = usageFigures(drained, drained.messages);
  const cpuMicroseconds = usage['cpuMicroseconds'];
  const perRequest = usageFigures(asked, asked.requests)['cpuMicroseconds'];
  const httpMicroseconds =
    perRequest === undefined ? undefined : (perRequest * REQUESTS_PER_BATCH) / MESSAGES_PER_REQUEST;
  return {
    ...usage,
    perCore: cpuMicroseconds === undefined ? undefined : 1_000_000 / cpuMicroseconds,
    httpMicroseconds,
    queueMicroseconds:
      cpuMicroseconds === undefined || httpMicroseconds === undefined ? undefined : cpuMicroseconds - httpMicroseconds,
    ...bareFigures(drained, bare),
    empty: drained.empty,
  };
}

/** For one request: a receive and a deletion of ten messages are two. */
function bareFigures(drained: SqsResult, bare: SqsResult): Figures {
  const perRequest = usageFigures(drained, drained.requests)['cpuMicroseconds'];
  const bareMicroseconds = usageFigures(bare, bare.requests)['cpuMicroseconds'];
  const bareFactor =
    perRequest === undefined || bareMicroseconds === undefined ? undefined : perRequest / bareMicroseconds;
  return { bareMicroseconds, bareFactor };
}

function delaysOf(quiet: SqsResult, beside: SqsResult): Figures {
  return {
    quietP99Ms: quiet.p99Ms,
    besideP99Ms: beside.p99Ms,
    p99Factor: beside.p99Ms / quiet.p99Ms,
    lateP99Ms: Math.max(quiet.lateP99Ms, beside.lateP99Ms),
    besidePerSecond: beside.messages / beside.seconds,
  };
}
