/** mosquitto_pub and mosquitto_sub (Debian: mosquitto-clients) against the broker. */
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Broker } from '../../src/broker/broker.js';
import { endPrograms, runProgram, startProgram } from './run-program.js';

let broker: Broker;
let port: string;

beforeAll(async () => {
  broker = await Broker.start({ listeners: [{ name: 'tcp', kind: 'tcp', host: '127.0.0.1', port: 0 }] });
  port = String(broker.listeners[0]?.port);
});

afterAll(async () => {
  endPrograms();
  await broker.stop(1000);
});

const VERSIONS = ['mqttv31', 'mqttv311', 'mqttv5'];
const CROSSINGS = VERSIONS.flatMap((from) => VERSIONS.flatMap((to) => [0, 1, 2].map((qos) => ({ from, to, qos }))));

/** Starts a subscriber that ends after `count` messages, and waits for its SUBACK. */
async function subscriber(topic: string, count: number, ...options: string[]) {
  const isSubscribed = once(broker.events, 'subscribed');
  const program = startProgram('mosquitto_sub', ['-p', port, '-t', topic, '-C', String(count), ...options]);
  await isSubscribed;
  return program;
}

const worker = () => subscriber('$share/group/work', 10, '-V', '5', '-F', 'got %p');

describe('mosquitto clients', () => {
  it.each(CROSSINGS)('cross from $from to $to at QoS $qos', async ({ from, to, qos }) => {
    const topic = `cross/${from}/${to}/${qos}`;
    const received = await subscriber(topic, 1, '-V', to, '-q', String(qos), '-F', '%t|%q|%p');
    const sent = await runProgram('mosquitto_pub', [
      '-p',
      port,
      '-V',
      from,
      '-t',
      topic,
      '-q',
      String(qos),
      '-m',
      'héllo',
    ]);
    expect(sent.exitCode).toBe(0);
    const { output, exitCode } = await received.finished;
    expect(exitCode).toBe(0);
    expect(output).toContain(`${topic}|${qos}|héllo`);
  });

  it('carry MQTT 5 properties through', async () => {
    const received = await subscriber('properties', 1, '-V', 'mqttv5', '-F', '%P|%C|%R|%D|%E|%F|%p');
    const properties = [
      ['content-type', 'text/plain'],
      ['response-topic', 'answers/here'],
      ['correlation-data', 'c0ffee'],
      ['message-expiry-interval', '600'],
      ['payload-format-indicator', '1'],
    ].flatMap(([name, value]) => ['-D', 'publish', name as string, value as string]);
    const users = ['-D', 'publish', 'user-property', 'b', '1', '-D', 'publish', 'user-property', 'a', '2'];
    await runProgram('mosquitto_pub', ['-p', port, '-V', '5', '-t', 'properties', '-m', 'x', ...properties, ...users]);
    const { output } = await received.finished;
    expect(output).toContain('b:1 a:2|text/plain|answers/here|c0ffee|600|1|x');
  });

  it('get retained messages, and none once they are removed', async () => {
    const publish = (...args: string[]) => runProgram('mosquitto_pub', ['-p', port, '-t', 'kept/1', '-r', ...args]);
    await publish('-m', 'value', '-q', '1');
    const first = await runProgram('mosquitto_sub', ['-p', port, '-t', 'kept/+', '-C', '1', '-F', '%r|%p', '-W', '5']);
    expect(first.output.trim()).toBe('1|value');
    await publish('-n', '-q', '1');
    const second = await runProgram('mosquitto_sub', ['-p', port, '-t', 'kept/+', '-C', '1', '-W', '1']);
    expect(second.output).toBe('');
    expect(second.exitCode).toBe(27); // its own code for a time-out
  });

  it('leave a will when they die', async () => {
    const received = await subscriber('wills/1', 1, '-F', '%p');
    const isSubscribed = once(broker.events, 'subscribed');
    const will = ['--will-topic', 'wills/1', '--will-payload', 'gone', '--will-qos', '1'];
    const dying = startProgram('mosquitto_sub', ['-p', port, '-t', 'nothing', ...will]);
    await isSubscribed;
    // A client that is told to stop says goodbye; one that is killed does not.
    dying.kill();
    const { output } = await received.finished;
    expect(output).toContain('gone');
  });

  it('find what was queued for a persistent session', async () => {
    const session = ['-i', 'mosquitto-persistent', '-c', '-q', '1', '-t', 'queue/#'];
    const first = startProgram('mosquitto_sub', ['-p', port, ...session, '-E']);
    await first.finished;
    for (const message of ['one', 'two', 'three']) {
      await runProgram('mosquitto_pub', ['-p', port, '-t', 'queue/x', '-q', '1', '-m', message]);
    }
    const again = await runProgram('mosquitto_sub', ['-p', port, ...session, '-C', '3', '-W', '5']);
    expect(again.output.trim().split('\n')).toEqual(['one', 'two', 'three']);
  });

  it('share a subscription', async () => {
    const members = [await worker(), await worker()];
    const lines = Array.from({ length: 20 }, (_, i) => ['-m', `job ${i}`]);
    for (const line of lines) await runProgram('mosquitto_pub', ['-p', port, '-t', 'work', '-q', '1', ...line]);
    const outputs = await Promise.all(members.map(async (member) => (await member.finished).output));
    const got = outputs.flatMap((output) => output.match(/got job \d+/g) ?? []);
    expect(new Set(got).size).toBe(20);
    expect(got).toHaveLength(20);
  });

  it('request and respond with mosquitto_rr', async () => {
    const responder = await subscriber('requests', 1, '-V', '5', '-F', '%R');
    const request = startProgram('mosquitto_rr', [
      '-p',
      port,
      '-V',
      '5',
      '-t',
      'requests',
      '-e',
      'answers/7',
      '-m',
      'ask',
    ]);
    const { output } = await responder.finished;
    expect(output).toContain('answers/7');
    await runProgram('mosquitto_pub', ['-p', port, '-t', 'answers/7', '-m', 'answer']);
    expect((await request.finished).output).toContain('answer');
  });

  it('read $SYS', async () => {
    const { output } = await runProgram('mosquitto_sub', [
      '-p',
      port,
      '-t',
      '$SYS/broker/version',
      '-C',
      '1',
      '-W',
      '5',
    ]);
    expect(output).toMatch(/^millrace version /);
  });
});
