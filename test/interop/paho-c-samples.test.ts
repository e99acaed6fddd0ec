/** The sample programs of Eclipse Paho for C (Debian: paho.mqtt.c-examples), and its persistence on files. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { InteropBroker, until } from './interop-broker.js';
import { endPrograms, runProgram, startProgram } from './run-program.js';

const VERSIONS = ['31', '311', '5'];
const CARRIERS = ['tcp', 'ws'];
const SAMPLES = [
  ['asynchronous', 'paho_c_pub', 'paho_c_sub'],
  ['synchronous', 'paho_cs_pub', 'paho_cs_sub'],
] as const;
const CASES = VERSIONS.flatMap((version) =>
  CARRIERS.flatMap((carrier) => SAMPLES.map(([api, pub, sub]) => ({ version, carrier, api, pub, sub }))),
);

const TEXT = '0123456789'.repeat(50_000);

let broker: InteropBroker;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-paho-c-samples-'));
  writeFileSync(join(folder, 'text'), TEXT);
  broker = await InteropBroker.start();
});

afterEach(() => endPrograms());

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await broker.stop();
});

function urlOf(carrier: string): string {
  return carrier === 'ws' ? broker.wsUrl : broker.url.replace('mqtt', 'tcp');
}

describe.each(CASES)('the $api samples with MQTT $version over $carrier', ({ version, carrier, pub, sub }) => {
  const name = `${sub}-${version}-${carrier}`;
  const common = (topic: string, id: string) => ['-t', topic, '-i', id, '-V', version, '-q', '2'];

  async function subscriber(topic: string, id: string, ...options: string[]) {
    const program = startProgram(sub, [...common(topic, id), '-c', urlOf(carrier), ...options]);
    await Promise.race([broker.subscribed(id, topic), program.endsTooEarly]);
    return program;
  }

  async function publish(topic: string, ...options: string[]): Promise<void> {
    const sent = await runProgram(pub, [...common(topic, `${name}-pub`), '-c', urlOf(carrier), ...options]);
    expect(sent.exitCode).toBe(0);
  }

  it('bring messages of QoS 2 there, a file of 500 kB among them', async () => {
    const program = await subscriber(name, name);
    await publish(name, '-m', 'héllo');
    await publish(name, '-f', join(folder, 'text'));
    await until('the messages', () => program.output.endsWith('9\n'));
    expect(program.output.split('\n')).toEqual(['héllo', TEXT, '']);
  });

  it('get a retained message and a will', async () => {
    await publish(`${name}/kept`, '-r', '-m', 'kept');
    const watcher = await subscriber(`${name}/kept`, `${name}-watcher`);
    const will = ['--will-topic', `${name}/kept`, '--will-payload', 'gone', '--will-qos', '2'];
    const dying = await subscriber('nothing', `${name}-dying`, ...will);
    dying.kill();
    await until('the will', () => watcher.output.includes('gone'));
    expect(watcher.output).toBe('kept\ngone\n');
    await publish(`${name}/kept`, '-r', '-n');
  });
});

it.each(['paho_c_sub', 'paho_cs_sub'])('%s without a client identifier is refused with 2 in MQTT 3.1', async (sub) => {
  const nameless = startProgram(sub, ['-t', 'x', '-i', '', '-V', '31', '-c', urlOf('tcp')]);
  await until('the refusal', () => nameless.errors !== '');
  // Its library has no words for the code.
  expect(nameless.errors).toMatch(/^Connect failed.* Unknown error code 2\n$/);
});

describe('persistence on files', () => {
  const COUNT = 50;
  let program: string;

  beforeAll(async () => {
    program = join(folder, 'persistence');
    const source = fileURLToPath(new URL('paho_c_persistence.c', import.meta.url));
    const built = await runProgram('cc', ['-Wall', '-Werror', '-o', program, source, '-lpaho-mqtt3c']);
    expect(built).toMatchObject({ exitCode: 0, errors: '' });
  });

  it.each(['3', '4', '5'])(
    'completes in version %s what a process that died has sent, each message once',
    async (version) => {
      const id = `persistent-${version}`;
      const args = [urlOf('tcp'), version, id, id, folder];
      const watch = ['-p', broker.port, '-t', id, '-i', `${id}-watcher`, '-q', '2', '-C', `${COUNT + 1}`, '-W', '15'];
      const watcher = startProgram('mosquitto_sub', watch);
      await Promise.race([broker.subscribed(`${id}-watcher`, id), watcher.endsTooEarly]);
      expect(await runProgram(program, [...args, 'send'])).toMatchObject({
        exitCode: 0,
        output: `sent with 0, ${COUNT} pending\n`,
      });
      expect(await runProgram(program, [...args, 'complete'])).toMatchObject({
        exitCode: 0,
        output: `${COUNT} pending, then 0\n`,
      });
      // One that ends on a message of another kind sees a message that comes twice.
      await runProgram('mosquitto_pub', ['-p', broker.port, '-t', id, '-q', '2', '-m', 'end']);
      const { output } = await watcher.finished;
      expect(output.trim().split('\n')).toEqual([...Array.from({ length: COUNT }, (_, i) => `${i}`), 'end']);
    },
  );
});
