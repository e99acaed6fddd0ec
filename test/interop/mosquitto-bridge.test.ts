/** A mosquitto broker (Debian: mosquitto) that is bridged to ours with `topic # both 2`. */
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { connectAsync, type MqttClient } from 'mqtt';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createTemporaryDirectory } from '../support/temporary-directory.js';
import { InteropBroker, until } from './interop-broker.js';
import { endPrograms, startProgram } from './run-program.js';

let ours: InteropBroker;

beforeAll(async () => {
  ours = await InteropBroker.start();
});

afterEach(() => endPrograms());

afterAll(() => ours.stop());

/** mosquitto needs to be told a port. */
async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts mosquitto with a bridge to ours, and waits until the bridge has subscribed there. */
async function startMosquitto(bridgeId: string, protocol: string) {
  const port = await findFreePort();
  const configuration = join(await createTemporaryDirectory(), 'mosquitto.conf');
  writeFileSync(
    configuration,
    `listener ${port} 127.0.0.1
allow_anonymous true
connection ours
address 127.0.0.1:${ours.port}
remote_clientid ${bridgeId}
bridge_protocol_version ${protocol}
cleansession false
restart_timeout 1
topic # both 2
`,
  );
  const start = async () => {
    const program = startProgram('mosquitto', ['-c', configuration], 50_000);
    await Promise.race([ours.subscribed(bridgeId, '#'), program.endsTooEarly]);
    return program;
  };
  return { url: `mqtt://127.0.0.1:${port}`, program: await start(), start };
}

/** A client at one of the two brokers that writes down what it gets. */
class Observer {
  readonly client: MqttClient;
  readonly seen: string[] = [];

  private constructor(client: MqttClient) {
    this.client = client;
    client.on('message', (topic, payload, { qos, retain }) =>
      this.seen.push(`${topic} ${payload} ${qos}${retain ? ' retained' : ''}`),
    );
  }

  static async start(url: string, filter: string): Promise<Observer> {
    const observer = new Observer(await connectAsync(url, { protocolVersion: 5 }));
    onTestFinished(() => observer.client.endAsync(true));
    await observer.client.subscribeAsync(filter, { qos: 2 });
    return observer;
  }

  async publish(topic: string, payload: string, qos: 0 | 1 | 2, retain = false): Promise<void> {
    await this.client.publishAsync(topic, payload, { qos, retain });
  }

  async until(line: string): Promise<void> {
    await until(`"${line}" to come`, () => this.seen.includes(line));
  }
}

const NUMBERS = Array.from({ length: 30 }, (_, i) => i);

describe.each(['mqttv31', 'mqttv311', 'mqttv50'])('a mosquitto bridge with %s', (protocol) => {
  it('carries messages both ways once, and none in a circle', async () => {
    const { url } = await startMosquitto(`bridge-${protocol}`, protocol);
    const here = await Observer.start(ours.url, `${protocol}/#`);
    const there = await Observer.start(url, `${protocol}/#`);
    await Promise.all(
      NUMBERS.map(async (n) => {
        await here.publish(`${protocol}/here`, `${n}`, (n % 3) as 0 | 1 | 2);
        await there.publish(`${protocol}/there`, `${n}`, (n % 3) as 0 | 1 | 2);
      }),
    );
    // What came round would be before these: each way is first in, first out.
    for (const round of [1, 2]) {
      await here.publish(`${protocol}/end/here`, `${round}`, 2);
      await there.until(`${protocol}/end/here ${round} 2`);
      await there.publish(`${protocol}/end/there`, `${round}`, 2);
      await here.until(`${protocol}/end/there ${round} 2`);
      await there.until(`${protocol}/end/there ${round} 2`);
    }
    const expected = ['here', 'there']
      .flatMap((side) => [
        ...NUMBERS.map((n) => `${protocol}/${side} ${n} ${n % 3}`),
        ...[1, 2].map((round) => `${protocol}/end/${side} ${round} 2`),
      ])
      .sort();
    expect([...here.seen].sort()).toEqual(expected);
    expect([...there.seen].sort()).toEqual(expected);
  });

  it('keeps what is retained, on both sides', async () => {
    const { url } = await startMosquitto(`kept-${protocol}`, protocol);
    const here = await Observer.start(ours.url, `kept/${protocol}/#`);
    const there = await Observer.start(url, `kept/${protocol}/#`);
    await here.publish(`kept/${protocol}/here`, 'x', 1, true);
    await there.publish(`kept/${protocol}/there`, 'y', 1, true);
    await there.until(`kept/${protocol}/here x 1`);
    await here.until(`kept/${protocol}/there y 1`);
    for (const lateAt of [ours.url, url]) {
      const late = await Observer.start(lateAt, `kept/${protocol}/#`);
      await late.until(`kept/${protocol}/here x 1 retained`);
      await late.until(`kept/${protocol}/there y 1 retained`);
    }
  });

  it('announces itself, and gets what came while it was away', async () => {
    const bridge = `away-${protocol}`;
    const { url, program, start } = await startMosquitto(bridge, protocol);
    const watcher = await Observer.start(ours.url, `$SYS/broker/connection/${bridge}/state`);
    await until('the bridge to announce itself', () => watcher.seen.some((line) => line.includes('/state 1')));
    program.kill();
    await watcher.until(`$SYS/broker/connection/${bridge}/state 0 1`);
    for (const n of NUMBERS) await watcher.publish(`away/${protocol}`, `${n}`, 2);
    await start();
    const there = await Observer.start(url, `away/${protocol}`);
    await watcher.publish(`away/${protocol}`, 'end', 2);
    await there.until(`away/${protocol} end 2`);
    await watcher.until(`$SYS/broker/connection/${bridge}/state 1 1`);
  });
});
