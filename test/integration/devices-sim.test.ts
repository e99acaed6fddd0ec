/** The compiled simulator (the pretest script builds it) as a process of its own, against a real broker. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { connectAsync } from 'mqtt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningBroker, startBroker } from '../support/start-broker.js';

const SIMULATOR = fileURLToPath(new URL('../../build/devices-sim/main.js', import.meta.url));

interface Finished {
  readonly exitCode: number | null;
  readonly output: string;
}

/** Once the output has `stopAt`, the simulator gets one Ctrl-C. */
function simulate(words: string[], stopAt?: string): Promise<Finished> {
  const child = spawn(process.execPath, [SIMULATOR, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let stopped = false;
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (stopAt === undefined || stopped || !output.includes(stopAt)) return;
      stopped = child.kill('SIGINT');
    });
  }
  return new Promise((resolve) => child.once('close', (exitCode) => resolve({ exitCode, output })));
}

/** Retained messages below devices/. */
async function retainedStatus(url: string): Promise<string[]> {
  const client = await connectAsync(url);
  const found: string[] = [];
  client.on('message', (topic, payload) => found.push(`${topic} ${payload}`));
  await client.subscribeAsync('devices/#', { qos: 1 });
  // retained messages of the subscription come before the answer to a later publish on this connection
  await client.publishAsync('devices-sim-test/end', '', { qos: 1 });
  await client.endAsync();
  return found;
}

describe('npm run sim against a broker', () => {
  let broker: RunningBroker;
  beforeEach(async () => {
    broker = await startBroker();
  });
  afterEach(() => broker.close());

  it('delivers every reading and leaves nothing retained', async () => {
    const words = ['--url', broker.url, '--protocol', '4', '--devices', '80', '--readings', '10', '--speed', 'max'];
    const { exitCode, output } = await simulate(words);
    expect(output).toMatch(
      /every reading was delivered: (\d+) sent, \1 received, 0 lost, 0 duplicated, 0 out of order/,
    );
    expect(exitCode).toBe(0);
    expect(await retainedStatus(broker.url)).toEqual([]);
  });

  it('leaves the status of each device when told to', async () => {
    const words = ['--url', broker.url, '--protocol', '4', '--devices', '1', '--readings', '1', '--speed', 'max'];
    await simulate([...words, '--run', 'kept', '--keep-status']);
    expect(await retainedStatus(broker.url)).toEqual(['devices/sim-kept-seattle-2012-q1/status offline']);
  });

  it('stops on Ctrl-C with the report of what was sent', async () => {
    const words = ['--url', broker.url, '--protocol', '4', '--devices', '5', '--rate', '20', '--loop'];
    const { exitCode, output } = await simulate(words, '1 s: ');
    expect(output).toContain('stopped on request after');
    expect(output).toContain('every reading was delivered');
    expect(exitCode).toBe(0);
    expect(await retainedStatus(broker.url)).toEqual([]);
  });

  it('advises --protocol 4 when the broker does not speak MQTT 5', async () => {
    const { exitCode, output } = await simulate(['--url', broker.url, '--protocol', '5']);
    expect(output).toContain('try --protocol 4');
    expect(exitCode).toBe(1);
  });
});

describe('npm run sim when things are wrong', () => {
  it('finds out a broker that loses a message, and names the device', async () => {
    const broker = await startBroker({
      authorizeForward: (_client, packet) => (String(packet.payload).includes('"sequence":3,') ? null : packet),
    });
    try {
      const words = ['--url', broker.url, '--protocol', '4', '--devices', '2', '--readings', '5', '--speed', 'max'];
      const { exitCode, output } = await simulate([...words, '--patience', '0.5', '--run', 'lossy']);
      expect(output).toContain('NOT every reading was delivered as it should be: 10 sent, 8 received, 2 lost');
      expect(output).toContain('sim-lossy-seattle-2012-q1: 5 sent, 4 received, 1 lost');
      expect(exitCode).toBe(1);
    } finally {
      await broker.close();
    }
  });

  it('says how to start a broker when none answers', async () => {
    const broker = await startBroker();
    await broker.close();
    const { exitCode, output } = await simulate(['--url', broker.url]);
    expect(output).toContain('(connection refused). Start one in another terminal with "npm start"');
    expect(exitCode).toBe(1);
  });

  it('exits with 2 for wrong flags and for a target elsewhere', async () => {
    expect(await simulate(['--qos', '7'])).toMatchObject({ exitCode: 2 });
    expect(await simulate(['--url', 'mqtt://192.0.2.1'])).toMatchObject({ exitCode: 2 });
  });
});
