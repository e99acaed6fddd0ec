import { expect } from 'vitest';
import { publishPacket } from '../../support/publish-packet.js';
import type { RawClient } from '../../support/raw-client.js';
import { persistent, type TestBroker } from '../../support/test-broker.js';
import { sequence } from '../sequence.js';

/** Publishes `count` QoS 1 messages to `t`, numbered on from `from`, and waits for their PUBACKs. */
async function publishNumbers(publisher: RawClient, from: number, count: number): Promise<void> {
  const AT_ONCE = 1000;
  for (let sent = 0; sent < count; sent += AT_ONCE) {
    const length = Math.min(AT_ONCE, count - sent);
    publisher.sendTogether(
      Array.from({ length }, (_, i) => publishPacket('t', String(from + sent + i), { qos: 1, messageId: i + 1 })),
    );
    await publisher.expectPackets('puback', length);
  }
}

/** A session that is subscribed at QoS 1 and away. */
async function leaveSubscribed(test: TestBroker, version: 4 | 5): Promise<void> {
  const subscriber = await test.connect('s', persistent(version));
  await subscriber.subscribe('t', 1);
  await test.drop(subscriber, 's');
}

sequence(
  {
    versions: [4, 5],
    shows: { 4: ['MQTT-4.5.0-1+', 'MQTT-4.6.0-6+', 'MQTT-2.3.1-4+'], 5: ['MQTT-4.5.0-1+', 'MQTT-4.6.0-5+'] },
    title: 'more messages wait than there are packet identifiers, and all arrive in order',
  },
  async ({ test, version }) => {
    await leaveSubscribed(test, version);
    const total = 66_000;
    await publishNumbers(await test.connect('p', { version }), 0, total);
    const back = await test.open(version);
    back.acknowledgesByItself = true;
    await back.connect({ clientId: 's', ...persistent(version) });
    for (let i = 0; i < total; i++) {
      const { payload, dup } = await back.expectPacket('publish');
      if (payload.toString() !== String(i) || dup) expect([payload.toString(), dup]).toEqual([String(i), false]);
    }
    await back.expectNothing();
  },
);

sequence(
  {
    versions: [4, 5],
    shows: { 4: ['MQTT-2.3.1-4+', 'MQTT-4.3.2-1+'], 5: ['MQTT-2.2.1-4+', 'MQTT-4.3.2-1+'] },
    title: 'packet identifiers start anew behind 65,535, without 0 and without those that are in use',
  },
  async ({ test, version }) => {
    const subscriber = await test.connect('s', { version });
    await subscriber.subscribe('t', 1);
    const publisher = await test.connect('p', { version });
    await publishNumbers(publisher, 0, 1);
    // Stays unacknowledged: its identifier is in use all the time.
    expect((await subscriber.expectPacket('publish')).messageId).toBe(1);
    subscriber.acknowledgesByItself = true;
    let previous = 1;
    let startedAnew = 0;
    for (let round = 0; round < 66; round++) {
      await publishNumbers(publisher, 0, 1000);
      for (const { messageId = 0 } of await subscriber.expectPackets('publish', 1000)) {
        if (messageId < 2 || messageId > 65_535) expect.unreachable(`identifier ${messageId}`);
        if (messageId < previous) startedAnew++;
        previous = messageId;
      }
    }
    expect(startedAnew).toBe(1);
  },
);

sequence(
  {
    versions: [4, 5],
    shows: { 4: ['MQTT-4.3.3-1+', 'MQTT-4.3.3-2-'], 5: ['MQTT-4.3.3-4+', 'MQTT-4.3.3-10-', 'MQTT-4.6.0-5+'] },
    title: 'a hundred QoS 2 publishers into one subscriber: every message once, each publisher in its order',
    broker: { limits: { maximumInflight: 10 } },
  },
  async ({ test, version }) => {
    const PUBLISHERS = 100;
    const EACH = 10;
    const subscriber = await test.connect('s', { version });
    await subscriber.subscribe('t/+', 2);
    subscriber.acknowledgesByItself = true;
    const publishers = await Promise.all(
      Array.from({ length: PUBLISHERS }, (_, n) => test.connect(`p${n}`, { version })),
    );
    publishers.forEach((publisher, n) => {
      publisher.sendTogether(
        Array.from({ length: EACH }, (_, i) => publishPacket(`t/${n}`, String(i), { qos: 2, messageId: i + 1 })),
      );
    });
    await Promise.all(publishers.map((publisher) => releaseAll(publisher, EACH)));
    const nextOf = new Map<string, number>();
    for (let left = PUBLISHERS * EACH; left > 0; ) {
      const packet = await subscriber.expectAny();
      if (packet.cmd !== 'publish') continue;
      expect(packet).toMatchObject({ qos: 2, dup: false });
      const next = nextOf.get(packet.topic) ?? 0;
      expect(packet.payload.toString(), packet.topic).toBe(String(next));
      nextOf.set(packet.topic, next + 1);
      left--;
    }
    await subscriber.barrier();
    expect(subscriber.takeAll().filter(({ cmd }) => cmd === 'publish')).toEqual([]);
  },
);

async function releaseAll(publisher: RawClient, count: number): Promise<void> {
  for (const { messageId } of await publisher.expectPackets('pubrec', count)) {
    publisher.send({ cmd: 'pubrel', messageId: messageId ?? 0 });
  }
  await publisher.expectPackets('pubcomp', count);
}

sequence(
  {
    versions: [4, 5],
    shows: {
      4: ['MQTT-4.6.0-5+', 'MQTT-4.6.0-6+'],
      5: ['MQTT-4.6.0-5+', 'MQTT-4.6.0-6+', 'MQTT-3.3.4-9-'],
    },
    title: 'order holds over a full window, acknowledgements in another order, and a time away',
    broker: { limits: { maximumInflight: 3 } },
  },
  async ({ test, version }) => {
    let subscriber = await test.connect('s', persistent(version));
    await subscriber.subscribe('t', 1);
    const publisher = await test.connect('p', { version });
    await publishNumbers(publisher, 0, 10);
    const [zero, one, two] = await takeThree(subscriber, 0, false);
    for (const messageId of [two, zero, one]) subscriber.send({ cmd: 'puback', messageId });
    await takeThree(subscriber, 3, false);
    await subscriber.expectNothing();
    await test.drop(subscriber, 's');
    await publishNumbers(publisher, 10, 2);
    subscriber = await test.connect('s', persistent(version));
    const repeated = await takeThree(subscriber, 3, true);
    await subscriber.expectNothing();
    for (const messageId of repeated.reverse()) subscriber.send({ cmd: 'puback', messageId });
    const next = await takeThree(subscriber, 6, false);
    for (const messageId of next) subscriber.send({ cmd: 'puback', messageId });
    await takeThree(subscriber, 9, false);
  },
);

/** Three messages, numbered on from `from`. @returns their packet identifiers */
async function takeThree(subscriber: RawClient, from: number, dup: boolean): Promise<[number, number, number]> {
  const packets = await subscriber.expectPackets('publish', 3);
  expect(packets.map((packet) => [packet.payload.toString(), packet.dup])).toEqual(
    [from, from + 1, from + 2].map((number) => [String(number), dup]),
  );
  return packets.map(({ messageId }) => messageId ?? 0) as [number, number, number];
}

sequence(
  {
    versions: [3, 4, 5],
    shows: ['MQTT-4.5.0-1+'],
    title: 'a payload of 3 MB passes, whole, at QoS 2',
    broker: { limits: { maximumPacketSize: 4_000_000 } },
  },
  async ({ test, version }) => {
    const payload = Buffer.alloc(3_000_000, 'telemetry');
    const client = await test.connect('c', { version });
    await client.subscribe('t', 2);
    client.send(publishPacket('t', payload, { qos: 2, messageId: 7 }));
    const publish = await client.expectPacket('publish');
    expect(payload.equals(publish.payload as Buffer)).toBe(true);
    expect((await client.expectPacket('pubrec')).messageId).toBe(7);
  },
);
