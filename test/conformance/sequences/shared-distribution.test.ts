import { expect } from 'vitest';
import type { PacketOf, RawClient } from '../../support/raw-client.js';
import { persistent } from '../../support/test-broker.js';
import { sequence } from '../sequence.js';

const FILTER = '$share/g/t';

function publishesOf(client: RawClient): PacketOf<'publish'>[] {
  return client.takeAll().flatMap((packet) => (packet.cmd === 'publish' ? packet : []));
}

sequence(
  {
    versions: [4, 5],
    shows: { 4: ['MQTT-4.5.0-1+'], 5: ['MQTT-4.8.2-3+', 'MQTT-4.5.0-1+'] },
    title: 'a thousand messages and three members of different QoS: each goes to one, at its QoS, in turn',
  },
  async ({ test, version }) => {
    const members: RawClient[] = [];
    for (const qos of [0, 1, 2] as const) {
      const member = await test.connect(`m${qos}`, { version });
      member.acknowledgesByItself = true;
      await member.subscribe(FILTER, qos);
      members.push(member);
    }
    for (let i = 0; i < 999; i++) test.broker.publish({ topic: 't', payload: String(i), qos: 2 });
    for (const member of members) await member.barrier();
    const received = members.map(publishesOf);
    expect(received.map(({ length }) => length)).toEqual([333, 333, 333]);
    for (const [qos, publishes] of received.entries()) {
      expect(new Set(publishes.map((publish) => publish.qos))).toEqual(new Set([qos]));
    }
    const payloads = received.flat().map(({ payload }) => Number(payload.toString()));
    expect(payloads.sort((a, b) => a - b)).toEqual(Array.from({ length: 999 }, (_, i) => i));
  },
);

sequence(
  {
    versions: [5],
    shows: ['MQTT-4.8.2-4+', 'MQTT-4.8.2-5-'],
    title:
      'QoS 2 messages begun with a member that is taken over are completed on its new connection, and nowhere else',
  },
  async ({ test }) => {
    const first = await test.connect('a', persistent(5));
    await first.subscribe(FILTER, 2);
    for (const payload of ['1', '2']) test.broker.publish({ topic: 't', payload, qos: 2 });
    const begun = await first.expectPackets('publish', 2);
    first.send({ cmd: 'pubrec', messageId: begun[0]?.messageId ?? 0 });
    await first.expectPacket('pubrel');
    const other = await test.connect('b', persistent(5));
    await other.subscribe(FILTER, 2);
    const second = await test.connect('a', persistent(5));
    const again = [await second.expectAny(), await second.expectAny()];
    expect(again).toMatchObject([
      { cmd: 'pubrel', messageId: begun[0]?.messageId },
      { cmd: 'publish', messageId: begun[1]?.messageId, dup: true, qos: 2 },
    ]);
    await other.expectNothing();
    await first.expectDisconnect(0x8e);
  },
);
