/** The workers in `examples` that speak SQS, as their readers run them: against the built broker with its default configuration. */
import { mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type BrokerProgram, buildPrograms, ROOT, startBroker } from './broker-program.js';
import { until } from './interop-broker.js';
import { endPrograms, type Program, runProgram, startProgram } from './run-program.js';

const EXAMPLES = join(ROOT, 'build', 'examples');
const WORKERS = [
  ['worker-sqs.ts', process.execPath, [join(EXAMPLES, 'worker-sqs.js')]],
  ['worker-sqs-consumer.ts', process.execPath, [join(EXAMPLES, 'worker-sqs-consumer.js')]],
  ['worker_sqs.py', '/usr/bin/python3', ['-B', join(ROOT, 'examples', 'worker_sqs.py')]],
] as const;
const MQTT_WORKER = [join(EXAMPLES, 'worker-mqtt.js')];

let broker: BrokerProgram;
let file: string;

beforeAll(() => buildPrograms());

beforeEach(async () => {
  broker = await startBroker();
  file = join(broker.folder, 'readings.ndjson');
});

afterEach(async () => {
  endPrograms();
  await broker.stop();
});

async function startWorker(command: string, args: readonly string[]): Promise<Program> {
  const environment = { SQS_URL: broker.sqsUrl, MQTT_URL: broker.url };
  const worker = startProgram(command, [...args, file], 50_000, environment);
  await seen(worker, 'taking from ');
  return worker;
}

async function seen(program: Program, text: string): Promise<void> {
  const isSeen = until(`"${text}"`, () => `${program.output}${program.errors}`.includes(text), 15_000);
  await Promise.race([isSeen, program.endsTooEarly]);
}

async function stopInOrder(program: Program): Promise<void> {
  program.end('SIGTERM');
  const { exitCode, errors } = await program.finished;
  expect([exitCode, errors]).toEqual([0, expect.not.stringContaining('Traceback')]);
}

/** One reading for each number, from one client. */
async function publish(from: number, to: number): Promise<void> {
  const lines = Array.from({ length: to - from }, (_, at) => JSON.stringify({ celsius: from + at })).join('\\n');
  const publisher = `printf '${lines}\\n' | mosquitto_pub -p ${broker.port} -t devices/7/telemetry -q 1 -l`;
  expect((await runProgram('sh', ['-c', publisher])).exitCode).toBe(0);
}

function written(): { id: string; topic: string; celsius: number }[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, number) => number);

describe.each(WORKERS)('%s', (_name, command, args) => {
  it('works on what devices publish', async () => {
    await publish(0, 25);
    const worker = await startWorker(command, args);
    await until('all readings', () => worker.output.split('done: ').length > 25, 15_000);
    await publish(25, 26);
    await until('one more', () => worker.output.split('done: ').length > 26, 15_000);
    await stopInOrder(worker);
    expect(
      written()
        .map(({ celsius }) => celsius)
        .sort((one, other) => one - other),
    ).toEqual(numbers(26));
    expect(written()[0]?.topic).toBe('devices/7/telemetry');
  });

  it('gets again what it could not do', async () => {
    mkdirSync(file);
    const worker = await startWorker(command, args);
    await publish(0, 1);
    await seen(worker, 'not done: devices/7/telemetry');
    rmdirSync(file);
    await seen(worker, '\ndone: devices/7/telemetry');
    await stopInOrder(worker);
    expect(written()).toMatchObject([{ celsius: 0 }]);
  });

  it('takes over from a worker that speaks MQTT, and that from it, with nothing drained, lost or done twice', async () => {
    await publish(0, 300);
    const overMqtt = await startWorker(process.execPath, MQTT_WORKER);
    await seen(overMqtt, 'done: ');
    const overSqs = await startWorker(command, args);
    await stopInOrder(overMqtt);
    // While the other one was starting, this one may have done everything.
    await publish(300, 400);
    await seen(overSqs, 'done: ');
    await stopInOrder(overSqs);
    const last = await startWorker(process.execPath, MQTT_WORKER);
    // What was on its way to the one that stopped is hidden for 30 s.
    await until('all readings', () => written().length >= 400, 50_000);
    await stopInOrder(last);
    expect(
      written()
        .map(({ celsius }) => celsius)
        .sort((one, other) => one - other),
    ).toEqual(numbers(400));
    expect(new Set(written().map(({ id }) => id)).size).toBe(400);
  }, 100_000);
});
