/** What MQTT 5 alone has, with MQTT.js against the broker. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { IClientOptions } from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InteropBroker, until } from './interop-broker.js';
import { payloadsOf, startClient } from './mqttjs-client.js';

const FIVE = ['0', '1', '2', '3', '4'];

let broker: InteropBroker;

beforeAll(async () => {
  broker = await InteropBroker.start();
});

afterAll(() => broker.stop());

describe.each(['tcp', 'ws'])('MQTT.js over %s, MQTT 5', (carrier) => {
  const start = (name: string, options: IClientOptions = {}) =>
    startClient(carrier === 'ws' ? broker.wsUrl : broker.url, {
      protocolVersion: 5,
      clientId: `${carrier}-${name}`,
      ...options,
    });

  const kept: IClientOptions = { clean: false, properties: { sessionExpiryInterval: 300 } };

  it.each([
    [1, 1],
    [1, 10],
    [2, 1],
    [2, 10],
  ] as const)(
    'at QoS %i with Receive Maximum %i gets no more than that ahead of its acknowledgement',
    async (qos, receiveMaximum) => {
      const topic = `${carrier}/window/${qos}/${receiveMaximum}`;
      const { client } = await start(`window-${qos}-${receiveMaximum}`, { properties: { receiveMaximum } });
      let wire = '';
      client.stream.on('data', (chunk: Buffer) => {
        wire += chunk.toString('latin1');
      });
      const ahead: number[] = [];
      // PUBACK, and PUBCOMP at QoS 2, go out with the callback.
      client.handleMessage = (_packet, callback) => {
        setTimeout(() => {
          ahead.push(wire.split('marker').length - 1 - ahead.length);
          callback();
        }, 30);
      };
      await client.subscribeAsync(topic, { qos });
      const publisher = await start(`window-publisher-${qos}-${receiveMaximum}`);
      await Promise.all(FIVE.map((n) => publisher.client.publishAsync(topic, `marker ${n}`, { qos })));
      await until('all of them', () => ahead.length === FIVE.length);
      if (receiveMaximum === 1) expect(ahead).toEqual([1, 1, 1, 1, 1]);
      else expect(Math.max(...ahead)).toBeGreaterThan(1);
    },
  );

  it.each([
    [1, 0x83],
    [1, 0x97],
    [2, 0x83],
    [2, 0x99],
  ] as const)('at QoS %i refuses a message with %i for good, and the next one has its place', async (qos, code) => {
    const topic = `${carrier}/refused/${qos}/${code}`;
    const id = `refusing-${qos}-${code}`;
    const options: IClientOptions = {
      clean: false,
      properties: { sessionExpiryInterval: 300, receiveMaximum: 1 },
      customHandleAcks: (_topic, message, _packet, done) => done(message.toString() === 'bad' ? code : 0),
    };
    const { client, received } = await start(id, options);
    const releases: (number | undefined)[] = [];
    client.on('packetreceive', (packet) => {
      if (packet.cmd === 'pubrel') releases.push(packet.messageId);
    });
    await client.subscribeAsync(topic, { qos });
    const publisher = await start(`${id}-publisher`);
    for (const payload of ['bad', 'good', 'bad', 'bad', 'last']) {
      await publisher.client.publishAsync(topic, payload, { qos });
    }
    await until('what is not refused', () => received.length === 2);
    expect(received.map(({ payload }) => payload)).toEqual(['good', 'last']);
    // [MQTT-4.3.3-4] what has been refused in PUBREC is not released.
    expect(releases).toHaveLength(qos === 2 ? 2 : 0);
    await client.endAsync();
    await broker.connected(`${carrier}-${id}`, false);
    const back = await start(id, options);
    await publisher.client.publishAsync(topic, 'new', { qos });
    await until('what is new', () => back.received.length > 0);
    expect(payloadsOf(back)).toEqual(['new']);
  });

  it('gets no message that has expired, and is told what is left of the others', async () => {
    const topic = `${carrier}/expiry`;
    const first = await start('expiry', kept);
    await first.client.subscribeAsync(topic, { qos: 1 });
    await first.client.endAsync();
    await broker.connected(`${carrier}-expiry`, false);
    const { client } = await start('expiry-publisher');
    const lasting = (messageExpiryInterval: number) => ({ qos: 1, properties: { messageExpiryInterval } }) as const;
    await client.publishAsync(topic, 'short', lasting(1));
    await client.publishAsync(topic, 'long', lasting(100));
    await client.publishAsync(topic, 'never', { qos: 1 });
    await sleep(1200);
    const back = await start('expiry', kept);
    await until('the others', () => back.received.length === 2);
    expect(payloadsOf(back)).toEqual(['long', 'never']);
    const [long, never] = back.received.map(({ packet }) => packet.properties?.messageExpiryInterval);
    expect(long).toBeLessThan(100);
    expect(long).toBeGreaterThan(90);
    expect(never).toBeUndefined();
  });

  it('says with its subscription which retained messages it wants', async () => {
    const prefix = `${carrier}/handling`;
    const handling = await start('handling');
    const { client } = handling;
    await client.publishAsync(`${prefix}/kept`, 'kept', { qos: 1, retain: true });
    const brings = async (filter: string, rh: 0 | 1 | 2) => {
      handling.received.length = 0;
      await client.subscribeAsync(`${prefix}/${filter}`, { qos: 1, rh });
      await client.publishAsync(`${prefix}/end`, 'end', { qos: 1 });
      await until('the end', () => payloadsOf(handling).includes('end'));
      return payloadsOf(handling).filter((payload) => payload !== 'end');
    };
    expect(await brings('+', 1)).toEqual(['kept']);
    expect(await brings('+', 1)).toEqual([]);
    expect(await brings('+', 0)).toEqual(['kept']);
    expect(await brings('#', 2)).toEqual([]);
  });

  it('keeps the flag of a retained message with Retain As Published', async () => {
    const topic = `${carrier}/as/published`;
    const as = await start('as-published');
    await as.client.subscribeAsync(topic, { qos: 1, rap: true });
    const plain = await start('as-forwarded');
    await plain.client.subscribeAsync(topic, { qos: 1 });
    await as.client.publishAsync(topic, 'x', { qos: 1, retain: true });
    await until('the message', () => as.received.length + plain.received.length === 2);
    expect(as.received[0]?.packet.retain).toBe(true);
    expect(plain.received[0]?.packet.retain).toBe(false);
  });

  it('leaves its will after the delay, unless it comes back before', async () => {
    const prefix = `${carrier}/delayed`;
    const watcher = await start('delay-watcher');
    await watcher.client.subscribeAsync(`${prefix}/+`, { qos: 1 });
    const withWill = (name: string): IClientOptions => ({
      ...kept,
      will: {
        topic: `${prefix}/${name}`,
        payload: Buffer.from(name),
        qos: 1,
        retain: false,
        properties: { willDelayInterval: 1, contentType: 'text/will', userProperties: { k: 'v' } },
      },
    });
    for (const name of ['absent', 'returning']) (await start(name, withWill(name))).client.stream.destroy();
    await broker.connected(`${carrier}-absent`, false);
    const diedAt = performance.now();
    await broker.connected(`${carrier}-returning`, false);
    const returned = await start('returning', withWill('returning'));
    expect(returned.connack.sessionPresent).toBe(true);
    await until('the will', () => watcher.received.length > 0);
    expect(performance.now() - diedAt).toBeGreaterThan(900);
    const properties = watcher.received[0]?.packet.properties;
    expect(properties).toMatchObject({ contentType: 'text/will', userProperties: { k: 'v' } });
    await sleep(300);
    expect(payloadsOf(watcher)).toEqual(['absent']);
  });

  it('asks for Response Information, and finds the answer to its request by it', async () => {
    const asking = await start('asking', { properties: { requestResponseInformation: true } });
    const responseTopic = `${asking.connack.properties?.responseInformation}/answers`;
    await asking.client.subscribeAsync(responseTopic, { qos: 1 });
    const answering = await start('answering');
    expect(answering.connack.properties?.responseInformation).toBeUndefined();
    await answering.client.subscribeAsync(`${carrier}/requests`, { qos: 1 });
    answering.client.on('message', (_topic, payload, { properties }) => {
      const correlationData = properties?.correlationData as Buffer;
      const answer = `answer to ${payload}`;
      answering.client.publish(`${properties?.responseTopic}`, answer, { qos: 1, properties: { correlationData } });
    });
    for (const n of FIVE) {
      const properties = { responseTopic, correlationData: Buffer.from(n) };
      await asking.client.publishAsync(`${carrier}/requests`, n, { qos: 1, properties });
    }
    await until('the answers', () => asking.received.length === FIVE.length);
    expect(payloadsOf(asking)).toEqual(FIVE.map((n) => `answer to ${n}`));
    const correlations = asking.received.map(({ packet }) => packet.properties?.correlationData?.toString());
    expect(correlations).toEqual(FIVE);
  });
});
