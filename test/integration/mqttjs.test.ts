import { connectAsync, connect as connectNow, type IClientOptions, type MqttClient } from 'mqtt';
import { describe, expect, it, onTestFinished } from 'vitest';
import { TestBroker } from '../support/test-broker.js';

async function connect(url: string, options: IClientOptions): Promise<MqttClient> {
  const client = await connectAsync(url, { reconnectPeriod: 0, ...options });
  onTestFinished(async () => {
    await client.endAsync(true);
  });
  return client;
}

/** The next messages of a client. */
function messages(client: MqttClient, count: number): Promise<string[]> {
  return new Promise((resolve) => {
    const seen: string[] = [];
    client.on('message', (topic, payload) => {
      seen.push(`${topic} ${payload.toString()}`);
      if (seen.length === count) resolve(seen);
    });
  });
}

describe.each([
  ['tcp', 4],
  ['tcp', 5],
  ['ws', 4],
  ['ws', 5],
] as const)('MQTT.js over %s, MQTT %i', (carrier, protocolVersion) => {
  const urlOf = (test: TestBroker) => (carrier === 'ws' ? test.wsUrl : `mqtt://127.0.0.1:${test.tcpPort}`);

  it.each([0, 1, 2] as const)('publishes and receives at QoS %i', async (qos) => {
    const test = await TestBroker.start();
    const subscriber = await connect(urlOf(test), { protocolVersion, clientId: 's' });
    const publisher = await connect(urlOf(test), { protocolVersion, clientId: 'p' });
    const granted = await subscriber.subscribeAsync('a/+', { qos });
    expect(granted[0]?.qos).toBe(qos);
    const received = messages(subscriber, 100);
    for (let i = 0; i < 100; i++) await publisher.publishAsync('a/b', String(i), { qos });
    expect(await received).toEqual(Array.from({ length: 100 }, (_, i) => `a/b ${i}`));
    await subscriber.unsubscribeAsync('a/+');
    await publisher.endAsync();
    await test.gone('p');
  });

  it('comes back to its session', async () => {
    const test = await TestBroker.start();
    const options: IClientOptions = {
      protocolVersion,
      clientId: 's',
      clean: false,
      ...(protocolVersion === 5 ? { properties: { sessionExpiryInterval: 100 } } : {}),
    };
    const first = await connect(urlOf(test), options);
    await first.subscribeAsync('t', { qos: 2 });
    await first.endAsync();
    await test.gone('s');
    for (let i = 0; i < 50; i++) test.broker.publish({ topic: 't', payload: String(i), qos: 2 });
    // The handler has to be there before the first packet comes.
    const second = connectNow(urlOf(test), { ...options, reconnectPeriod: 0 });
    onTestFinished(async () => {
      await second.endAsync(true);
    });
    const seen = await messages(second, 50);
    expect(seen).toEqual(Array.from({ length: 50 }, (_, i) => `t ${i}`));
  });
});

describe('MQTT.js with the features of MQTT 5', () => {
  it('uses topic aliases, user properties and subscription identifiers', async () => {
    const test = await TestBroker.start();
    const client = await connect(`mqtt://127.0.0.1:${test.tcpPort}`, {
      protocolVersion: 5,
      clientId: 'c',
      autoAssignTopicAlias: true,
      properties: { topicAliasMaximum: 10 },
    });
    await client.subscribeAsync('a/#', { qos: 1, properties: { subscriptionIdentifier: 12 } });
    const seen: { topic: string; identifier: unknown; user: unknown }[] = [];
    const done = new Promise<void>((resolve) => {
      client.on('message', (topic, _payload, packet) => {
        const { subscriptionIdentifier, userProperties } = packet.properties ?? {};
        seen.push({ topic, identifier: subscriptionIdentifier, user: userProperties?.['k'] });
        if (seen.length === 10) resolve();
      });
    });
    for (let i = 0; i < 10; i++) {
      await client.publishAsync('a/b', 'x', { qos: 1, properties: { userProperties: { k: 'v' } } });
    }
    await done;
    expect(seen.every((one) => one.topic === 'a/b' && one.identifier === 12 && one.user === 'v')).toBe(true);
  });
});
