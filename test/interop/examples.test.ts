/** The programs in `examples`, as their readers run them: against the built broker with its default configuration, and with theirs. */
import { mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type BrokerProgram, buildPrograms, ROOT, startBroker } from './broker-program.js';
import { until } from './interop-broker.js';
import { endPrograms, type Program, runProgram, startProgram } from './run-program.js';

interface Line {
  readonly id: string;
  readonly topic: string;
  readonly celsius: number;
}

const EXAMPLES = join(ROOT, 'build', 'examples');
const WORKERS = [
  ['worker-mqtt.ts', process.execPath, [join(EXAMPLES, 'worker-mqtt.js')]],
  ['worker_mqtt.py', '/usr/bin/python3', ['-B', join(ROOT, 'examples', 'worker_mqtt.py')]],
] as const;

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

function start(command: string, args: readonly string[]): Program {
  return startProgram(command, args, 40_000, { MQTT_URL: broker.url, MQTT_PORT: broker.port });
}

async function startWorker(command: string, args: readonly string[]): Promise<Program> {
  const worker = start(command, [...args, file]);
  await seen(worker, 'taking from $queue/telemetry');
  return worker;
}

async function seen(program: Program, text: string, timeoutMs = 10_000): Promise<void> {
  const isSeen = until(`"${text}"`, () => `${program.output}${program.errors}`.includes(text), timeoutMs);
  await Promise.race([isSeen, program.endsTooEarly]);
}

/** Ends it as an operator does. */
async function stopInOrder(program: Program): Promise<void> {
  program.end('SIGTERM');
  const { exitCode, errors } = await program.finished;
  expect([exitCode, errors]).toEqual([0, expect.not.stringContaining('Traceback')]);
}

async function publish(device: number, ...payloads: readonly string[]): Promise<void> {
  for (const payload of payloads) {
    const topic = `devices/${device}/telemetry`;
    const { exitCode } = await runProgram('mosquitto_pub', ['-p', broker.port, '-t', topic, '-q', '1', '-m', payload]);
    expect(exitCode).toBe(0);
  }
}

/** One message for each line, from one client. */
async function publishMany(count: number): Promise<void> {
  const lines = Array.from({ length: count }, (_, celsius) => JSON.stringify({ celsius })).join('\\n');
  const publisher = `printf '${lines}\\n' | mosquitto_pub -p ${broker.port} -t devices/1/telemetry -q 1 -l`;
  expect((await runProgram('sh', ['-c', publisher])).exitCode).toBe(0);
}

function written(): Line[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}

/** Takes one message from a queue, without an answer that keeps it: it is shown as `format` says. */
async function take(queue: string, format: string): Promise<string> {
  const options = ['-p', broker.port, '-V', '5', '-q', '1', '-C', '1', '-W', '10'];
  const { output } = await runProgram('mosquitto_sub', [...options, '-t', `$queue/${queue}`, '-F', format]);
  return output;
}

describe.each(WORKERS)('%s', (_name, command, args) => {
  it('works on what devices publish', async () => {
    await publish(7, '{"celsius": 21.5}');
    const worker = await startWorker(command, args);
    await publish(8, '{"celsius": -3}');
    await seen(worker, 'done: devices/8/telemetry, attempt 1');
    expect(written()).toMatchObject([
      { topic: 'devices/7/telemetry', celsius: 21.5 },
      { topic: 'devices/8/telemetry', celsius: -3 },
    ]);
    await stopInOrder(worker);
  });

  it('gets again what it has refused', async () => {
    mkdirSync(file);
    const worker = await startWorker(command, args);
    await publish(7, '{"celsius": 21.5}');
    await seen(worker, 'refused: devices/7/telemetry, attempt 1');
    rmdirSync(file);
    await seen(worker, 'done: devices/7/telemetry, attempt 2');
    expect(written()).toMatchObject([{ topic: 'devices/7/telemetry', celsius: 21.5 }]);
    await stopInOrder(worker);
  });

  it('sends to the dead letters what nobody can work on', async () => {
    const worker = await startWorker(command, args);
    await publish(7, 'rubbish', '{"celsius": "warm"}', '{"celsius": 21.5}');
    await seen(worker, 'done: devices/7/telemetry, attempt 1');
    const letters = [await take('telemetry-dlq', '%p %P'), await take('telemetry-dlq', '%p %P')];
    expect(letters[0]).toMatch(/^rubbish q-id:.* q-dead-queue:telemetry q-dead-reason:rejected q-dead-receives:1 /);
    expect(letters[1]).toMatch(/^{"celsius": "warm"} /);
    await stopInOrder(worker);
  });

  it('loses nothing and does nothing twice when it is told to end in the middle of its work', async () => {
    await publishMany(200);
    for (let i = 0; i < 3; i++) {
      const worker = await startWorker(command, args);
      await seen(worker, 'done: ');
      await stopInOrder(worker);
    }
    const worker = await startWorker(command, args);
    await until('all readings', () => written().length >= 200);
    await stopInOrder(worker);
    // What a worker gives back when it ends may come after what it had not got yet: a standard queue promises no order then.
    expect(
      written()
        .map(({ celsius }) => celsius)
        .toSorted((a, b) => a - b),
    ).toEqual(Array.from({ length: 200 }, (_, n) => n));
    expect(new Set(written().map(({ id }) => id)).size).toBe(200);
  });

  it('loses nothing when it is killed, and does little twice', async () => {
    await publishMany(200);
    const first = await startWorker(command, args);
    await seen(first, 'done: ');
    first.end('SIGKILL');
    await first.finished;
    const second = await startWorker(command, args);
    await until('all readings', () => new Set(written().map(({ celsius }) => celsius)).size === 200);
    await stopInOrder(second);
    expect(written().length).toBeLessThan(220);
  });
});

describe('worker-mqtt.ts', () => {
  it('says so if there is no such queue', async () => {
    const { exitCode, errors } = await startProgram(process.execPath, [join(EXAMPLES, 'worker-mqtt.js')], 20_000, {
      MQTT_URL: broker.url,
      QUEUE: 'unknown',
    }).finished;
    expect([exitCode, errors]).toEqual([1, expect.stringContaining('cannot take from $queue/unknown')]);
  });
});

describe('request.ts', () => {
  it('gets its answer from responder.ts', async () => {
    const request = start(process.execPath, [join(EXAMPLES, 'request.js')]);
    const responder = start(process.execPath, [join(EXAMPLES, 'responder.js')]);
    expect(await request.finished).toMatchObject({ exitCode: 0, output: '{"fahrenheit":70.7}\n' });
    const wrong = await start(process.execPath, [join(EXAMPLES, 'request.js'), 'rubbish']).finished;
    expect(wrong).toMatchObject({ exitCode: 0, output: '{"error":"no JSON object"}\n' });
    await publish(7, '{"celsius": 21.5}');
    await seen(responder, 'rejected: devices/7/telemetry, attempt 1: nobody to answer');
    await stopInOrder(responder);
  });

  it('gives up after its time', async () => {
    const { exitCode, errors } = await start(process.execPath, [join(EXAMPLES, 'request.js')]).finished;
    expect([exitCode, errors]).toEqual([1, 'no answer within 10 s\n']);
  });
});

describe('queues.yaml', () => {
  it('tells a device when its order is done, or has become a dead letter', async () => {
    await broker.stop();
    broker = await startBroker('--config', join(ROOT, 'examples', 'queues.yaml'));
    const order = () => {
      const answer = ['-e', 'devices/7/receipts', '-W', '10'];
      return start('mosquitto_rr', [
        '-p',
        broker.port,
        '-V',
        '5',
        '-q',
        '1',
        '-t',
        'devices/7/orders',
        ...answer,
        '-m',
        'x',
      ]);
    };
    const first = order();
    expect(await take('orders', '%t')).toBe('devices/7/orders\n');
    expect(JSON.parse((await first.finished).output)).toMatchObject({ queue: 'orders', result: 'done' });
    const worker = startProgram(process.execPath, [join(EXAMPLES, 'worker-mqtt.js'), file], 20_000, {
      MQTT_URL: broker.url,
      QUEUE: 'orders',
    });
    await seen(worker, 'taking from $queue/orders');
    expect(JSON.parse((await order().finished).output)).toMatchObject({ queue: 'orders', result: 'dead-letter' });
    await stopInOrder(worker);
  });
});
