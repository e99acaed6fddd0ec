import { expect } from 'vitest';
import { DurableBroker } from '../../support/durable-broker.js';
import { publishPacket } from '../../support/publish-packet.js';
import { persistent } from '../../support/test-broker.js';
import { sequence } from '../sequence.js';

sequence(
  {
    versions: [5],
    shows: ['MQTT-3.3.2-5-', 'MQTT-3.3.2-6+'],
    title: 'the expiry of what waits and of what is retained runs on while the broker is down',
  },
  async ({ version }) => {
    const first = await DurableBroker.start();
    const subscriber = await first.test.connect('s', persistent(version));
    await subscriber.subscribe('t/+', 1);
    await first.test.drop(subscriber, 's');
    const publisher = await first.test.connect('p', { version });
    for (const [messageId, seconds] of [10, 60].entries()) {
      const properties = { messageExpiryInterval: seconds };
      publisher.send(
        publishPacket(`t/${seconds}`, 'x', { qos: 1, messageId: messageId + 1, retain: true, properties }),
      );
      await publisher.expectPacket('puback');
    }
    const second = await first.restart(20_000);
    const back = await second.test.connect('s', persistent(version));
    const waited = await back.expectPacket('publish');
    expect(waited).toMatchObject({ topic: 't/60', retain: false, properties: { messageExpiryInterval: 40 } });
    await back.expectNothing();
    const newcomer = await second.test.connect('n', { version });
    await newcomer.subscribe('t/+', 0);
    const retained = await newcomer.expectPacket('publish');
    expect(retained).toMatchObject({ topic: 't/60', retain: true, properties: { messageExpiryInterval: 40 } });
    await newcomer.expectNothing();
  },
);

sequence(
  {
    versions: [4, 5],
    shows: {
      4: ['MQTT-4.4.0-1+', 'MQTT-3.3.1-1+', 'MQTT-4.3.3-1-'],
      5: ['MQTT-4.4.0-1+', 'MQTT-3.3.1-1+', 'MQTT-4.3.3-6-'],
    },
    title:
      'what was on its way before a restart is sent again, with DUP, its identifier, in order; PUBREL stays PUBREL',
  },
  async ({ version }) => {
    const first = await DurableBroker.start();
    const subscriber = await first.test.connect('s', persistent(version));
    await subscriber.subscribe('t', 2);
    const publisher = await first.test.connect('p', { version });
    for (const [messageId, qos] of [
      [1, 2],
      [2, 1],
      [3, 2],
    ] as const) {
      publisher.send(publishPacket('t', String(messageId), { qos, messageId }));
      await publisher.expectPacket(qos === 1 ? 'puback' : 'pubrec');
      expect(await subscriber.expectPacket('publish')).toMatchObject({ qos, messageId, dup: false });
    }
    subscriber.send({ cmd: 'pubrec', messageId: 1 });
    await subscriber.expectPacket('pubrel');
    const second = await first.restart();
    const back = await second.test.connect('s', persistent(version));
    expect((await back.expectPacket('pubrel')).messageId).toBe(1);
    expect(await back.expectPacket('publish')).toMatchObject({ qos: 1, messageId: 2, dup: true });
    expect(await back.expectPacket('publish')).toMatchObject({ qos: 2, messageId: 3, dup: true });
    await back.expectNothing();
  },
);

sequence(
  {
    versions: [4, 5],
    shows: { 4: ['MQTT-4.3.3-2-'], 5: ['MQTT-4.3.3-10-', 'MQTT-4.3.3-11+'] },
    title: 'a QoS 2 PUBLISH repeated after a restart is not delivered again, and can be released',
  },
  async ({ version }) => {
    const first = await DurableBroker.start();
    const publish = publishPacket('t', 'x', { qos: 2, messageId: 7 });
    const publisher = await first.test.connect('p', persistent(version));
    publisher.send(publish);
    await publisher.expectPacket('pubrec');
    const second = await first.restart();
    const subscriber = await second.test.connect('s', { version });
    await subscriber.subscribe('t', 2);
    const back = await second.test.connect('p', persistent(version));
    back.send({ ...publish, dup: true });
    expect((await back.expectPacket('pubrec')).messageId).toBe(7);
    back.send({ cmd: 'pubrel', messageId: 7 });
    expect((await back.expectPacket('pubcomp')).messageId).toBe(7);
    await subscriber.expectNothing();
    back.send(publish);
    await back.expectPacket('pubrec');
    await subscriber.expectPacket('publish');
  },
);
