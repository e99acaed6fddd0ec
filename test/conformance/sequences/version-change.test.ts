/** A session that MQTT 5 has made and MQTT 3.1.1 goes on with, with the broker started anew in between. */
import { expect } from 'vitest';
import { DurableBroker } from '../../support/durable-broker.js';
import { publishPacket } from '../../support/publish-packet.js';
import { persistent } from '../../support/test-broker.js';
import { sequence } from '../sequence.js';

sequence(
  {
    versions: [4],
    shows: ['MQTT-3.3.1-9-'],
    title: 'Retain As Published and a Subscription Identifier of MQTT 5 are not for MQTT 3.1.1, after a restart either',
  },
  async () => {
    const first = await DurableBroker.start();
    const subscriber = await first.test.connect('s', persistent(5));
    subscriber.send({
      cmd: 'subscribe',
      messageId: 1,
      subscriptions: [{ topic: 't', qos: 1, rap: true }],
      properties: { subscriptionIdentifier: 7 },
    });
    await subscriber.expectPacket('suback');
    await first.test.drop(subscriber, 's');
    const publisher = await first.test.connect('p', { version: 5 });
    publisher.send(publishPacket('t', 'waits', { qos: 1, messageId: 1, retain: true }));
    await publisher.expectPacket('puback');
    const second = await first.restart();
    const older = await second.test.connect('s', persistent(4));
    const waited = await older.expectPacket('publish');
    expect(waited).toMatchObject({ payload: Buffer.from('waits'), retain: false });
    older.send({ cmd: 'puback', messageId: waited.messageId as number });
    const other = await second.test.connect('p', { version: 5 });
    other.send(publishPacket('t', 'live', { qos: 0, retain: true }));
    expect(await older.expectPacket('publish')).toMatchObject({ payload: Buffer.from('live'), retain: false });
    await second.test.drop(older, 's');
    const third = await second.restart();
    const back = await third.test.connect('s', persistent(5));
    const last = await third.test.connect('p', { version: 5 });
    last.send(publishPacket('t', 'again', { qos: 0, retain: true }));
    expect(await back.expectPacket('publish')).toMatchObject({
      payload: Buffer.from('again'),
      retain: true,
      properties: { subscriptionIdentifier: 7 },
    });
  },
);
