/** Payloads of 10 MB through the broker at every QoS, and the refusal of what is above the default limit. */
import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, connectAsync } from 'mqtt';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createTemporaryDirectory } from '../support/temporary-directory.js';
import { InteropBroker } from './interop-broker.js';
import { nextEvent } from './next-event.js';
import { endPrograms, runProgram, startProgram } from './run-program.js';

const MiB = 1024 * 1024;
const PAYLOAD = randomBytes(10_000_000);
const DIGEST = createHash('sha256').update(PAYLOAD).digest('hex');
const TOO_LARGE = randomBytes(2 * MiB);

let roomy: InteropBroker;
let ordinary: InteropBroker;

beforeAll(async () => {
  roomy = await InteropBroker.start({ maximumPacketSize: 16 * MiB, outboundHardLimitBytes: 64 * MiB });
  ordinary = await InteropBroker.start();
});

afterEach(() => endPrograms());

afterAll(async () => {
  await Promise.all([roomy.stop(), ordinary.stop()]);
});

async function fileOf(payload: Buffer): Promise<string> {
  const file = join(await createTemporaryDirectory(), 'payload');
  writeFileSync(file, payload);
  return file;
}

describe.each([0, 1, 2] as const)('10 MB at QoS %i', (qos) => {
  it.each(['mqttv31', 'mqttv311', 'mqttv5'])(
    'pass through mosquitto_pub and mosquitto_sub with %s',
    async (version) => {
      const topic = `large/${version}/${qos}`;
      const common = ['-p', roomy.port, '-V', version, '-t', topic, '-q', `${qos}`];
      const folder = await createTemporaryDirectory();
      const command = `mosquitto_sub ${common.join(' ')} -i ${version}-${qos} -C 1 -N -W 20 > ${folder}/received`;
      const subscriber = startProgram('sh', ['-c', `exec ${command}`]);
      await Promise.race([roomy.subscribed(`${version}-${qos}`, topic), subscriber.endsTooEarly]);
      const sent = await runProgram('mosquitto_pub', [...common, '-f', await fileOf(PAYLOAD)]);
      expect(sent).toMatchObject({ exitCode: 0, errors: '' });
      expect((await subscriber.finished).exitCode).toBe(0);
      const { output } = await runProgram('sha256sum', [`${folder}/received`]);
      expect(output.split(' ')[0]).toBe(DIGEST);
    },
  );

  it.each([
    ['tcp', 4],
    ['tcp', 5],
    ['ws', 4],
    ['ws', 5],
  ] as const)('pass through MQTT.js over %s with MQTT %i', async (carrier, protocolVersion) => {
    const client = await connectAsync(carrier === 'ws' ? roomy.wsUrl : roomy.url, { protocolVersion });
    onTestFinished(() => client.endAsync(true));
    const topic = `large/js/${carrier}/${protocolVersion}/${qos}`;
    await client.subscribeAsync(topic, { qos });
    const received = nextEvent(client, 'message');
    await client.publishAsync(topic, PAYLOAD, { qos });
    const [, payload] = await received;
    expect(PAYLOAD.equals(payload)).toBe(true);
  });
});

it('10 MB wait for an absent session, and stay retained', async () => {
  const session = { clientId: 'large-absent', clean: false, protocolVersion: 4, reconnectPeriod: 0 } as const;
  const absent = await connectAsync(roomy.url, session);
  await absent.subscribeAsync('large/absent', { qos: 2 });
  await absent.endAsync();
  const publisher = await connectAsync(roomy.url, { protocolVersion: 5 });
  onTestFinished(() => publisher.endAsync(true));
  await publisher.publishAsync('large/absent', PAYLOAD, { qos: 2, retain: true });
  const back = connect(roomy.url, session);
  onTestFinished(() => back.endAsync(true));
  const [, waited] = await nextEvent(back, 'message');
  expect(PAYLOAD.equals(waited)).toBe(true);
  const retained = nextEvent(publisher, 'message');
  await publisher.subscribeAsync('large/absent', { qos: 0 });
  const [, kept, packet] = await retained;
  expect(PAYLOAD.equals(kept)).toBe(true);
  expect(packet.retain).toBe(true);
});

describe('above the default limit of 1 MiB', () => {
  it('an MQTT 5 client knows it from CONNACK, and mosquitto_pub does not send', async () => {
    const file = await fileOf(TOO_LARGE);
    const sent = await runProgram('mosquitto_pub', [
      ...['-d', '-p', ordinary.port, '-V', '5', '-t', 'large', '-q', '1', '-f', file],
    ]);
    expect(sent.output).toContain('received CONNACK (0)');
    expect(sent.output).not.toContain('sending PUBLISH');
  });

  it('a client that sends it all the same is told 0x95', async () => {
    const client = await connectAsync(ordinary.url, { protocolVersion: 5, reconnectPeriod: 0 });
    onTestFinished(() => client.endAsync(true));
    const disconnected = nextEvent(client, 'disconnect');
    client.on('error', () => {});
    client.publish('large', TOO_LARGE, { qos: 0 }, () => {});
    const [packet] = await disconnected;
    expect(packet).toMatchObject({ reasonCode: 0x95, properties: { reasonString: expect.stringMatching(/maximum/) } });
  });

  it.each(['mqttv31', 'mqttv311'])('a client of %s is disconnected', async (version) => {
    const file = await fileOf(TOO_LARGE);
    const closes = ordinary.broker.metrics.closesOf('packet-too-large');
    const pub = startProgram('mosquitto_pub', [
      ...['-p', ordinary.port, '-V', version, '-t', 'large', '-q', '1', '-f', file],
    ]);
    expect((await pub.finished).exitCode).not.toBe(0);
    expect(ordinary.broker.metrics.closesOf('packet-too-large')).toBe(closes + 1);
  });
});
