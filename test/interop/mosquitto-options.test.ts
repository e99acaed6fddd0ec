/** The options of mosquitto_pub and mosquitto_sub that reach the broker: sessions, wills, properties, lines, retained messages. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { InteropBroker } from './interop-broker.js';
import { endPrograms, runProgram, startProgram } from './run-program.js';

const VERSIONS = ['mqttv31', 'mqttv311', 'mqttv5'];
const COUNT = 1000;
const NUMBERS = Array.from({ length: COUNT }, (_, i) => String(i + 1));
const NO_SUBSCRIBER = 'RC:16'; // 0x10, as mosquitto_pub prints it

let broker: InteropBroker;

beforeAll(async () => {
  broker = await InteropBroker.start();
});

afterEach(() => endPrograms());

afterAll(() => broker.stop());

/** Starts mosquitto_sub, and waits until it has subscribed. */
async function subscriber(clientId: string, topic: string, ...options: string[]) {
  const program = startProgram('mosquitto_sub', [
    '-p',
    broker.port,
    '-i',
    clientId,
    '-t',
    topic,
    '-W',
    '15',
    ...options,
  ]);
  await Promise.race([broker.subscribed(clientId, topic), program.endsTooEarly]);
  return program;
}

async function publish(topic: string, ...options: string[]): Promise<string> {
  const { output, errors, exitCode } = await runProgram('mosquitto_pub', ['-p', broker.port, '-t', topic, ...options]);
  expect({ exitCode, errors }).toMatchObject({ exitCode: 0 });
  return output;
}

/** Runs mosquitto_sub to its end. */
async function received(topic: string, ...options: string[]): Promise<string[]> {
  const { output } = await runProgram('mosquitto_sub', ['-p', broker.port, '-t', topic, '-W', '15', ...options]);
  return linesOf(output);
}

function linesOf(output: string): string[] {
  return output.split('\n').filter((line) => line !== '');
}

/** `-D COMMAND NAME VALUE` for each property. */
function properties(command: string, ...each: string[]): string[] {
  return each.flatMap((property) => ['-D', command, ...property.split(' ')]);
}

describe.each(VERSIONS)('with %s', (version) => {
  it.each([0, 1, 2])(`-l sends ${COUNT} lines at QoS %i, in order`, async (qos) => {
    const topic = `lines/${version}/${qos}`;
    const common = ['-V', version, '-q', `${qos}`];
    const lines = await subscriber(`lines-${version}-${qos}`, topic, ...common, '-C', `${COUNT}`);
    const pub = ['mosquitto_pub', '-p', broker.port, '-t', topic, ...common, '-l'].join(' ');
    const sent = await runProgram('sh', ['-c', `seq ${COUNT} | ${pub}`]);
    expect(sent).toMatchObject({ exitCode: 0, errors: '' });
    expect(linesOf((await lines.finished).output)).toEqual(NUMBERS);
  });

  it('--repeat with a window of 200 brings each message of QoS 2 once', async () => {
    const topic = `repeat/${version}`;
    // One that ends on a message of another kind sees a message that comes twice.
    const repeats = await subscriber(`repeat-${version}`, topic, '-V', version, '-q', '2', '-C', `${COUNT + 1}`);
    await publish(topic, '-V', version, '-q', '2', '-M', '200', '--repeat', `${COUNT}`, '-m', 'again');
    await publish(topic, '-V', version, '-q', '2', '-m', 'end');
    const got = linesOf((await repeats.finished).output);
    expect(got.slice(0, -1).every((line) => line === 'again')).toBe(true);
    expect(got.at(-1)).toBe('end');
  });

  it('a will has its QoS and is retained, and stays away after a normal end', async () => {
    const topic = `will/${version}`;
    const will = ['--will-topic', topic, '--will-payload', 'gone', '--will-qos', '2', '--will-retain'];
    const watcher = await subscriber(
      `watcher-${version}`,
      topic,
      '-V',
      version,
      '-q',
      '2',
      '-C',
      '2',
      '-F',
      '%q|%r|%p',
    );
    const polite = ['-i', `polite-${version}`, '-V', version, '-E'];
    await received('nothing', ...polite, ...will);
    await broker.connected(`polite-${version}`, false);
    await publish(topic, '-q', '1', '-m', 'no will so far');
    const dying = await subscriber(`dying-${version}`, 'nothing', '-V', version, ...will);
    dying.kill();
    expect(linesOf((await watcher.finished).output)).toEqual(['1|0|no will so far', '2|0|gone']);
    expect(await received(topic, '-q', '2', '-C', '1', '-F', '%q|%r|%p')).toEqual(['2|1|gone']);
  });

  it('-R, --retained-only and --remove-retained do as they say', async () => {
    const topic = `kept/${version}`;
    const common = ['-V', version, '-q', '1'];
    for (const name of ['a', 'b', 'c']) await publish(`${topic}/${name}`, ...common, '-r', '-m', name);
    const fresh = await subscriber(`fresh-${version}`, `${topic}/+`, ...common, '-R', '-C', '1');
    const retained = await subscriber(`retained-${version}`, `${topic}/+`, ...common, '--retained-only');
    await publish(`${topic}/a`, ...common, '-m', 'fresh');
    expect(linesOf((await fresh.finished).output)).toEqual(['fresh']);
    expect(linesOf((await retained.finished).output).sort()).toEqual(['a', 'b', 'c']);
    const remove = ['-T', `${topic}/b`, '--remove-retained', '-W', '1'];
    expect((await received(`${topic}/+`, ...common, ...remove)).sort()).toEqual(['a', 'c']);
    expect(await received(`${topic}/+`, ...common, '-W', '1')).toEqual(['b']);
  });
});

it('a device of MQTT 3.1 may have a name of more than 23 bytes', async () => {
  const id = 'a device of MQTT 3.1 whose name is as long as it pleases';
  const long = await subscriber(id, 'long', '-V', 'mqttv31', '-c', '-q', '1', '-C', '1');
  await publish('long', '-i', `${id}, twice`, '-V', 'mqttv31', '-q', '1', '-m', 'x');
  expect(linesOf((await long.finished).output)).toEqual(['x']);
});

describe('with MQTT 5', () => {
  const v5 = ['-V', 'mqttv5', '-q', '1'];

  const session = (id: string, ...options: string[]) =>
    received(`session/${id}`, ...v5, '-i', id, '-c', '-E', ...options);
  const hasSubscriber = async (topic: string) =>
    !(await publish(topic, ...v5, '-d', '-m', 'x')).includes(NO_SUBSCRIBER);

  it('-x says how long a session lasts, and a property of DISCONNECT says it anew', async () => {
    await session('lasting', '-x', '300');
    await session('short', '-x', '1');
    await session('none', '-x', '0');
    await session('ended', '-x', '300', ...properties('disconnect', 'session-expiry-interval 0'));
    await session('prolonged', '-x', '1', ...properties('disconnect', 'session-expiry-interval 300'));
    expect(await hasSubscriber('session/none')).toBe(false);
    expect(await hasSubscriber('session/ended')).toBe(false);
    await sleep(1600);
    expect(await hasSubscriber('session/short')).toBe(false);
    for (const id of ['lasting', 'prolonged']) {
      expect(await hasSubscriber(`session/${id}`)).toBe(true);
      const again = ['-i', id, '-c', '-x', '300', '-C', '1'];
      expect(await received(`session/${id}`, ...v5, ...again)).toEqual(['x']);
    }
  });

  it('a will waits for its delay, and has its properties', async () => {
    const format = ['-F', '%P|%C|%R|%D|%E|%F|%p'];
    const watcher = await subscriber('delay-watcher', 'delayed', ...v5, '-C', '1', ...format);
    const will = ['--will-topic', 'delayed', '--will-payload', 'late', '--will-qos', '1', '-x', '300'];
    const ofWill = properties(
      'will',
      ...['will-delay-interval 1', 'content-type text/will', 'response-topic answers', 'correlation-data c0ffee'],
      ...['message-expiry-interval 600', 'payload-format-indicator 1', 'user-property k v'],
    );
    const dying = await subscriber('delay-dying', 'nothing', ...v5, ...will, ...ofWill);
    dying.kill();
    await broker.connected('delay-dying', false);
    const diedAt = performance.now();
    expect(linesOf((await watcher.finished).output)).toEqual(['k:v|text/will|answers|c0ffee|600|1|late']);
    expect(performance.now() - diedAt).toBeGreaterThan(900);
  });

  it('properties of CONNECT, SUBSCRIBE and UNSUBSCRIBE are taken', async () => {
    const ofConnect = properties(
      'connect',
      ...['receive-maximum 1', 'maximum-packet-size 100', 'request-problem-information 0'],
      ...['request-response-information 1', 'user-property k v'],
    );
    const others = [...properties('subscribe', 'user-property k v'), ...properties('unsubscribe', 'user-property k v')];
    const options = [...ofConnect, ...others, '-U', 'never/subscribed', '-C', '6', '-F', '%t %p'];
    const limited = await subscriber('limited', 'limited/#', ...v5, ...options);
    await publish('limited/a', ...v5, '-m', 'above the maximum'.repeat(10));
    for (const message of ['1', '2']) {
      for (const name of ['a', 'b', 'c']) await publish(`limited/${name}`, ...v5, '-m', message);
    }
    const expected = ['1', '2'].flatMap((message) => ['a', 'b', 'c'].map((name) => `limited/${name} ${message}`));
    expect(linesOf((await limited.finished).output)).toEqual(expected);
  });

  it('a topic alias of the publisher stands for its topic', async () => {
    const aliased = await subscriber('aliased', 'aliased/+', ...v5, '-C', '20', '-F', '%t %p');
    await publish('aliased/a', ...v5, ...properties('publish', 'topic-alias 1'), '--repeat', '20', '-m', 'x');
    expect(linesOf((await aliased.finished).output)).toEqual(Array.from({ length: 20 }, () => 'aliased/a x'));
  });

  it('--retain-as-published keeps the flag', async () => {
    const published = await subscriber(
      'as-published',
      'as/published',
      ...v5,
      '--retain-as-published',
      '-C',
      '2',
      '-F',
      '%r',
    );
    const forwarded = await subscriber('forwarded', 'as/published', ...v5, '-C', '2', '-F', '%r');
    await publish('as/published', ...v5, '-r', '-m', 'x');
    await publish('as/published', ...v5, '-m', 'x');
    expect(linesOf((await published.finished).output)).toEqual(['1', '0']);
    expect(linesOf((await forwarded.finished).output)).toEqual(['0', '0']);
    await publish('as/published', ...v5, '-r', '-n');
  });

  it('mosquitto_rr is answered with its correlation data', async () => {
    const responder = await subscriber('responder', 'ask/me', ...v5, '-C', '1', '-F', '%R %D');
    const request = startProgram('mosquitto_rr', [
      ...['-p', broker.port, '-i', 'asker', ...v5, '-t', 'ask/me', '-e', 'answer/me', '-m', 'ask', '-F', '%D %p'],
      ...properties('publish', 'correlation-data c0ffee'),
    ]);
    const [topic, correlation] = linesOf((await responder.finished).output)[0]?.split(' ') ?? [];
    await publish(`${topic}`, ...v5, '-m', 'answer', ...properties('publish', `correlation-data ${correlation}`));
    expect(linesOf((await request.finished).output)).toEqual(['c0ffee answer']);
  });
});
