import { expect } from 'vitest';
import { DurableBroker } from '../../support/durable-broker.js';
import { publishPacket } from '../../support/publish-packet.js';
import { persistent } from '../../support/test-broker.js';
import { sequence } from '../sequence.js';

/** Filters with the QoS that is asked for; identifiers are their places, from 1 on. */
const SUBSCRIPTIONS = [
  ['t', 1],
  ['+', 2],
  ['$share/g/t', 1],
  ['$share/h/#', 2],
] as const;

/** What one message comes as. */
const COPIES = [
  { qos: 1, identifiers: [3] },
  { qos: 2, identifiers: [1, 2] },
  { qos: 2, identifiers: [4] },
];

for (const end of ['restart', 'crash'] as const) {
  sequence(
    {
      versions: [5],
      shows: ['MQTT-4.8.2-3+', 'MQTT-3.3.4-3+', 'MQTT-3.3.4-4+'],
      title: `each of two groups, and the ordinary subscriptions together, bring a message of their own across a ${end}`,
    },
    async ({ version }) => {
      const first = await DurableBroker.start();
      const subscriber = await first.test.connect('s', persistent(version));
      for (const [at, [filter, qos]] of SUBSCRIPTIONS.entries()) {
        const properties = { subscriptionIdentifier: at + 1 };
        const subscriptions = [{ topic: filter, qos }];
        subscriber.send({ cmd: 'subscribe', messageId: at + 1, subscriptions, properties });
        await subscriber.expectPacket('suback');
      }
      await first.test.drop(subscriber, 's');
      const publisher = await first.test.connect('p', { version });
      for (const messageId of [1, 2, 3]) {
        publisher.send(publishPacket('t', String(messageId), { qos: 2, messageId }));
        await publisher.expectPacket('pubrec');
      }
      // Comes back, takes one of the three copies of the first message, and is cut off.
      const hasty = await first.test.open(version);
      const properties = { sessionExpiryInterval: 3600, receiveMaximum: 1 };
      hasty.sendConnect({ clientId: 's', clean: false, properties });
      await hasty.expectPacket('connack');
      const taken = await hasty.expectPacket('publish');
      hasty.send({ cmd: taken.qos === 1 ? 'puback' : 'pubrec', messageId: taken.messageId ?? 0 });
      await hasty.expectAny();
      await first.settle();

      const second = await first[end]();
      const back = await second.test.connect('s', persistent(version));
      const packets = [taken];
      while (packets.length < 9) {
        const packet = await back.expectAny();
        if (packet.cmd === 'publish') packets.push(packet);
      }
      for (const payload of ['1', '2', '3']) {
        const copies = packets.filter((packet) => packet.payload.toString() === payload);
        expect(
          copies.map(({ qos, properties }) => ({ qos, identifiers: listed(properties) })).sort(byIdentifiers),
        ).toEqual([...COPIES].sort(byIdentifiers));
      }
      const inOrder = packets.map(({ payload }) => Number(payload.toString()));
      expect(inOrder).toEqual(inOrder.toSorted((a, b) => a - b));
      await back.expectNothing();
    },
  );
}

function listed(properties: { readonly subscriptionIdentifier?: number | number[] } | undefined): number[] {
  return [properties?.subscriptionIdentifier ?? []].flat().sort((a, b) => a - b);
}

function byIdentifiers(one: { identifiers: number[] }, other: { identifiers: number[] }): number {
  return (one.identifiers[0] ?? 0) - (other.identifiers[0] ?? 0);
}
