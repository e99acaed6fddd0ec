import { expect } from 'vitest';
import { publishPacket } from '../../support/publish-packet.js';
import { persistent } from '../../support/test-broker.js';
import { sequence } from '../sequence.js';

const COUNT = 5000;
const limits = { maximumFiltersPerPacket: COUNT };

sequence(
  {
    versions: [4, 5],
    shows: {
      4: ['MQTT-3.8.4-4+', 'MQTT-3.8.4-5+', 'MQTT-3.9.3-1+', 'MQTT-3.10.4-6+'],
      5: ['MQTT-3.8.4-5+', 'MQTT-3.8.4-6+', 'MQTT-3.9.3-1+', 'MQTT-3.10.4-6+', 'MQTT-3.11.3-1+'],
    },
    title: 'five thousand filters in one SUBSCRIBE are granted, matched and taken away one by one',
    broker: { limits },
  },
  async ({ test, version }) => {
    const client = await test.connect('c', { version });
    const qosOf = (i: number) => (i % 3) as 0 | 1 | 2;
    const subscriptions = Array.from({ length: COUNT }, (_, i) => ({ topic: `t/${i}/+`, qos: qosOf(i) }));
    client.send({ cmd: 'subscribe', messageId: 1, subscriptions });
    const { granted } = await client.expectPacket('suback');
    expect(granted).toEqual(subscriptions.map(({ qos }) => qos));
    expect(test.broker.subscriptionCount).toBe(COUNT);
    for (const i of [0, 1, 2, 2499, COUNT - 1]) {
      test.broker.publish({ topic: `t/${i}/x`, payload: 'x', qos: 2 });
      expect(await client.expectPacket('publish')).toMatchObject({ topic: `t/${i}/x`, qos: qosOf(i) });
    }
    const unsubscriptions = subscriptions.filter((_, i) => i % 2 === 0).map(({ topic }) => topic);
    client.send({ cmd: 'unsubscribe', messageId: 2, unsubscriptions: [...unsubscriptions, 'never'] });
    const { granted: codes } = await client.expectPacket('unsuback');
    if (version === 5) expect(codes).toEqual([...unsubscriptions.map(() => 0), 0x11]);
    test.broker.publish({ topic: 't/2498/x', payload: 'x' });
    test.broker.publish({ topic: 't/2499/x', payload: 'x' });
    expect((await client.expectPacket('publish')).topic).toBe('t/2499/x');
    await client.expectNothing();
  },
);

sequence(
  {
    versions: [4, 5],
    shows: { 4: ['MQTT-3.8.4-3+'], 5: ['MQTT-3.8.4-4+', 'MQTT-3.8.4-3+'] },
    title: 'a filter that is subscribed again and again while messages flow loses none of them and doubles none',
  },
  async ({ test, version }) => {
    const count = 300;
    const client = await test.connect('c', persistent(version));
    client.acknowledgesByItself = true;
    await client.subscribe('t', 1);
    const publisher = await test.connect('p', { version });
    for (let i = 0; i < count; i++) {
      publisher.send(publishPacket('t', String(i), { qos: 1, messageId: i + 1 }));
      if (i % 3 === 0) {
        const subscriptions = [{ topic: 't', qos: (1 + (i % 2)) as 1 | 2 }];
        client.send({ cmd: 'subscribe', messageId: client.nextPacketId(), subscriptions });
      }
    }
    await publisher.expectPackets('puback', count);
    await client.barrier();
    const payloads = client.takeAll().flatMap((packet) => (packet.cmd === 'publish' ? packet.payload.toString() : []));
    expect(payloads).toEqual(Array.from({ length: count }, (_, i) => String(i)));
  },
);
