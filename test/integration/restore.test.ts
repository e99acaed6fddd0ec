import { describe, expect, it } from 'vitest';
import { sessionKey, subscriptionKey } from '../../src/store/catalogue-keys.js';
import type { CommittedLevel } from '../../src/store/committed-level.js';
import { MsgpackReader } from '../../src/store/msgpack-reader.js';
import { encodeMap } from '../../src/store/msgpack-writer.js';
import { DurableBroker } from '../support/durable-broker.js';
import { publishPacket } from '../support/publish-packet.js';
import type { ConnectFields, PacketOf, RawClient } from '../support/raw-client.js';
import { persistent } from '../support/test-broker.js';

type Publish = PacketOf<'publish'>;

/** How a broker comes to its end: told to stop, or cut off. */
const ENDS = ['restart', 'crash'] as const;
const HOUR = 3_600_000;

function payloads(packets: readonly Publish[]): string[] {
  return packets.map(({ payload }) => payload.toString());
}

/** A kept session that is subscribed, and disconnected. */
async function away(durable: DurableBroker, clientId: string, filter: string, qos: 0 | 1 | 2 = 2): Promise<void> {
  const client = await durable.test.connect(clientId, persistent(5));
  await client.subscribe(filter, qos);
  await client.disconnect();
  await durable.test.gone(clientId);
}

/** Publishes and waits for what says that it is on the disk. */
async function publish(client: RawClient, topic: string, payload: string, qos: 1 | 2 = 1): Promise<void> {
  client.send(publishPacket(topic, payload, { qos, messageId: client.nextPacketId() }));
  await client.expectPacket(qos === 1 ? 'puback' : 'pubrec');
}

/** Connects the client, which acknowledges everything, and takes the messages that wait for it: so many, and no more. */
async function drain(durable: DurableBroker, clientId: string, count: number) {
  const client = await durable.test.open(5);
  client.acknowledgesByItself = true;
  const connack = await client.connect({ clientId, ...persistent(5) });
  const packets: Publish[] = [];
  while (packets.length < count) {
    const packet = await client.expectAny();
    if (packet.cmd === 'publish') packets.push(packet);
  }
  await client.barrier();
  await durable.settle();
  await client.barrier();
  expect(client.takeAll().filter(({ cmd }) => cmd === 'publish')).toEqual([]);
  return { client, connack, packets };
}

function expectNothingMissing(durable: DurableBroker): void {
  const { accounting } = durable.broker;
  expect(accounting.missing, JSON.stringify(accounting)).toBe(0);
}

describe.each(ENDS)('after a %s', (end) => {
  it('retained messages come behind those that waited, to a client that answers nothing', async () => {
    const first = await DurableBroker.start();
    await away(first, 's', 'queued', 1);
    const publisher = await first.test.connect('p');
    for (let i = 0; i < 20; i++) await publish(publisher, 'queued', String(i));
    publisher.send(publishPacket('kept', 'retained', { qos: 1, retain: true, messageId: 99 }));
    await publisher.expectPacket('puback');
    await first.settle();
    const second = await first[end]();
    const client = await second.test.open(5);
    client.sendConnect({ clientId: 's', ...persistent(5) });
    // In one turn with the CONNECT: what waits has to be read first, and nothing comes from the client afterwards.
    client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'kept', qos: 1 }] });
    await client.expectPacket('connack');
    const packets = [];
    for (let i = 0; i < 22; i++) packets.push(await client.expectAny());
    expect(packets.some((packet) => packet.cmd === 'publish' && packet.topic === 'kept')).toBe(true);
  });

  it('a kept session is there, and a clean one is not', async () => {
    const first = await DurableBroker.start();
    for (const clientId of ['away', 'connected']) await first.test.connect(clientId, persistent(5));
    const gone = await first.test.connect('gone', persistent(5));
    await gone.disconnect(0, { sessionExpiryInterval: 0 });
    await first.test.connect('clean');
    await first.settle();
    const second = await first[end]();
    expect(second.broker.sessionCount).toBe(2);
    for (const [clientId, isPresent] of [
      ['away', true],
      ['connected', true],
      ['gone', false],
      ['clean', false],
    ] as const) {
      const { connack } = await second.test.connectFully(clientId, persistent(5));
      expect([clientId, connack.sessionPresent]).toEqual([clientId, isPresent]);
    }
  });

  it('an MQTT 3 session is there', async () => {
    const first = await DurableBroker.start();
    const client = await first.test.connect('s', persistent(4));
    await client.subscribe('t', 1);
    const second = await first[end]();
    const { client: back, connack } = await second.test.connectFully('s', persistent(4));
    expect(connack.sessionPresent).toBe(true);
    second.broker.publish({ topic: 't', payload: 'x', qos: 1 });
    await back.expectPacket('publish');
  });

  it('subscriptions have all of their options, and overlapping ones theirs', async () => {
    const first = await DurableBroker.start();
    const client = await first.test.connect('s', persistent(5));
    const subscriptions = [
      { topic: 'a/+', qos: 1, nl: false, rap: true, rh: 0, subscriptionIdentifier: 7 },
      { topic: 'a/b', qos: 2, nl: false, rap: false, rh: 2, subscriptionIdentifier: 300_000 },
      { topic: 'own/#', qos: 1, nl: true, rap: false, rh: 1, subscriptionIdentifier: 0 },
      { topic: 'zero', qos: 0, nl: false, rap: false, rh: 0, subscriptionIdentifier: 9 },
    ] as const;
    for (const { subscriptionIdentifier, ...subscription } of subscriptions) {
      client.send({
        cmd: 'subscribe',
        messageId: client.nextPacketId(),
        subscriptions: [subscription],
        ...(subscriptionIdentifier === 0 ? {} : { properties: { subscriptionIdentifier } }),
      });
      await client.expectPacket('suback');
    }
    await client.subscribe('left', 1);
    client.send({ cmd: 'unsubscribe', messageId: client.nextPacketId(), unsubscriptions: ['left'] });
    await client.expectPacket('unsuback');
    const second = await first[end]();
    expect(second.broker.subscriptionCount).toBe(4);
    const back = await second.test.connect('s', persistent(5));
    second.broker.publish({ topic: 'a/b', payload: 'both', qos: 2, retain: true });
    second.broker.publish({ topic: 'a/c', payload: 'one', qos: 2 });
    second.broker.publish({ topic: 'zero', payload: 'zero', qos: 2 });
    back.send(publishPacket('own/x', 'own'));
    const packets = (await back.expectPackets('publish', 3)).map(({ payload, qos, retain, properties }) => ({
      payload: payload.toString(),
      qos,
      retain,
      identifiers: [properties?.subscriptionIdentifier].flat().sort(),
    }));
    packets.sort((a, b) => a.payload.localeCompare(b.payload));
    expect(packets).toEqual([
      { payload: 'both', qos: 2, retain: true, identifiers: [300_000, 7] },
      { payload: 'one', qos: 1, retain: false, identifiers: [7] },
      { payload: 'zero', qos: 0, retain: false, identifiers: [9] },
    ]);
    await back.expectNothing();
  });

  it('a subscription that was known brings no retained messages with Retain Handling 1', async () => {
    const first = await DurableBroker.start();
    first.broker.publish({ topic: 't', payload: 'kept', retain: true });
    const subscriptions: PacketOf<'subscribe'>['subscriptions'] = [{ topic: 't', qos: 1, rh: 1 }];
    const client = await first.test.connect('s', persistent(5));
    client.send({ cmd: 'subscribe', messageId: 1, subscriptions });
    const seen = [await client.expectAny(), await client.expectAny()].map(({ cmd }) => cmd);
    expect(seen.sort()).toEqual(['publish', 'suback']);
    const second = await first[end]();
    expect(second.broker.retainedCount).toBe(1);
    const back = await second.test.connect('s', persistent(5));
    back.send({ cmd: 'subscribe', messageId: 1, subscriptions });
    await back.expectPacket('suback');
    await back.expectNothing();
  });

  it('what waited for a client comes in order, with everything that it says', async () => {
    const first = await DurableBroker.start();
    await away(first, 's', 't/#');
    const publisher = await first.test.connect('p');
    for (let i = 0; i < 20; i++) await publish(publisher, `t/${i % 3}`, String(i), i % 2 === 0 ? 1 : 2);
    publisher.send(
      publishPacket('t/props', Buffer.from([0, 255]), {
        qos: 1,
        messageId: 99,
        properties: {
          payloadFormatIndicator: false,
          messageExpiryInterval: 100,
          contentType: 'bin',
          responseTopic: 're',
          correlationData: Buffer.from([1, 0]),
          userProperties: { b: '1', a: ['2', '3'] },
        },
      }),
    );
    await publisher.expectPacket('puback');
    const second = await first[end](40_000);
    expect(second.broker.accounting).toMatchObject({ restored: 21, waiting: 21, missing: 0 });
    const { connack, packets } = await drain(second, 's', 21);
    expect(connack.sessionPresent).toBe(true);
    expect(packets.some(({ dup }) => dup)).toBe(false);
    const last = packets.find(({ topic }) => topic === 't/props');
    // [MQTT-4.6.0-6] the order is that of each QoS
    for (const qos of [1, 2]) {
      const ofQos = packets.filter((packet) => packet.qos === qos && packet !== last);
      expect(payloads(ofQos)).toEqual(Array.from({ length: 10 }, (_, i) => String(2 * i + qos - 1)));
    }
    expect(last?.payload).toEqual(Buffer.from([0, 255]));
    expect(last?.properties).toMatchObject({ messageExpiryInterval: 60, contentType: 'bin', responseTopic: 're' });
    expect(last?.properties?.correlationData).toEqual(Buffer.from([1, 0]));
    expect({ ...last?.properties?.userProperties }).toEqual({ b: '1', a: ['2', '3'] });
    expect(second.broker.accounting).toMatchObject({ delivered: 21, waiting: 0, dropped: 0, missing: 0 });
  });

  it('what expired meanwhile is counted and not sent', async () => {
    const first = await DurableBroker.start();
    await away(first, 's', 't');
    const publisher = await first.test.connect('p');
    for (const seconds of [10, 60]) {
      const properties = { messageExpiryInterval: seconds };
      publisher.send(publishPacket('t', String(seconds), { qos: 1, messageId: seconds, properties }));
      await publisher.expectPacket('puback');
    }
    const second = await first[end](30_000);
    const { packets } = await drain(second, 's', 1);
    expect(payloads(packets)).toEqual(['60']);
    expect(packets[0]?.properties?.messageExpiryInterval).toBe(30);
    expect(second.broker.drops.of('expired')).toBe(1);
    expectNothingMissing(second);
  });

  it('a QoS 1 message that was not acknowledged comes again, with DUP and before the others', async () => {
    const first = await DurableBroker.start();
    const client = await first.test.connect('s', persistent(5));
    await client.subscribe('t', 1);
    const publisher = await first.test.connect('p');
    for (const payload of ['done', 'sent']) await publish(publisher, 't', payload);
    const [done] = await client.expectPackets('publish', 2);
    client.send({ cmd: 'puback', messageId: done?.messageId ?? 0 });
    await first.test.drop(client, 's');
    await publish(publisher, 't', 'waited');
    await first.settle();
    const second = await first[end]();
    const { packets } = await drain(second, 's', 2);
    expect(packets.map(({ payload, dup }) => [payload.toString(), dup])).toEqual([
      ['sent', true],
      ['waited', false],
    ]);
    expect(second.broker.accounting).toMatchObject({ restored: 2, delivered: 2, dropped: 0, missing: 0 });
  });

  it('a QoS 2 message for a client goes on from where it was, under its identifier', async () => {
    const first = await DurableBroker.start();
    const client = await first.test.connect('s', persistent(5));
    await client.subscribe('t', 2);
    const publisher = await first.test.connect('p');
    for (const payload of ['completed', 'released', 'received', 'sent']) await publish(publisher, 't', payload, 2);
    const ids = (await client.expectPackets('publish', 4)).map(({ messageId = 0 }) => messageId);
    const [completed = 0, released = 0, received = 0, sent = 0] = ids;
    for (const messageId of [completed, released]) {
      client.send({ cmd: 'pubrec', messageId });
      await client.expectPacket('pubrel');
    }
    client.send({ cmd: 'pubcomp', messageId: completed });
    await client.barrier();
    client.send({ cmd: 'pubrec', messageId: received });
    await client.expectPacket('pubrel');
    await first.settle();
    const second = await first[end]();
    expect(second.broker.accounting).toMatchObject({ restored: 1, waiting: 1, missing: 0 });
    const back = await second.test.connect('s', persistent(5));
    const seen = [await back.expectAny(), await back.expectAny(), await back.expectAny()];
    expect(seen).toMatchObject([
      { cmd: 'pubrel', messageId: released },
      { cmd: 'pubrel', messageId: received },
      { cmd: 'publish', messageId: sent, dup: true },
    ]);
    for (const messageId of [released, received]) back.send({ cmd: 'pubcomp', messageId });
    back.send({ cmd: 'pubrec', messageId: sent });
    await back.expectPacket('pubrel');
    back.send({ cmd: 'pubcomp', messageId: sent });
    await back.expectNothing();
    await second.settle();
    const third = await second[end]();
    await (await third.test.connect('s', persistent(5))).expectNothing();
    expect(third.broker.accounting).toMatchObject({ restored: 0, waiting: 0, missing: 0 });
  });

  it('a QoS 2 message of a client is not taken twice, and its identifier is free once it is released', async () => {
    const first = await DurableBroker.start();
    await away(first, 's', 't');
    const publisher = await first.test.connect('p', persistent(5));
    await publish(publisher, 't', 'released', 2);
    publisher.send({ cmd: 'pubrel', messageId: 1 });
    await publisher.expectPacket('pubcomp');
    await publish(publisher, 't', 'received', 2);
    const second = await first[end]();
    const back = await second.test.connect('p', persistent(5));
    back.send(publishPacket('t', 'received', { qos: 2, messageId: 2, dup: true }));
    expect((await back.expectPacket('pubrec')).reasonCode ?? 0).toBe(0);
    back.send({ cmd: 'pubrel', messageId: 2 });
    expect((await back.expectPacket('pubcomp')).reasonCode ?? 0).toBe(0);
    back.send({ cmd: 'pubrel', messageId: 1 });
    expect((await back.expectPacket('pubcomp')).reasonCode).toBe(0x92);
    for (const payload of ['again 1', 'again 2']) await publish(back, 't', payload, 2);
    const { packets } = await drain(second, 's', 4);
    expect(payloads(packets)).toEqual(['released', 'received', 'again 1', 'again 2']);
    expectNothingMissing(second);
  });

  it('what came through a shared subscription waits for its member alone, a copy apart from the ordinary one', async () => {
    const first = await DurableBroker.start();
    const client = await first.test.connect('s', persistent(5));
    await client.subscribe('$share/g/t', 1);
    await client.subscribe('t', 1);
    await client.disconnect();
    await away(first, 'other', 'u', 1);
    const publisher = await first.test.connect('p');
    for (const payload of ['1', '2']) await publish(publisher, 't', payload);
    const second = await first[end]();
    const { packets } = await drain(second, 's', 4);
    expect(payloads(packets).sort()).toEqual(['1', '1', '2', '2']);
    expect((await drain(second, 'other', 0)).packets).toEqual([]);
    expect(second.broker.accounting).toMatchObject({ restored: 4, delivered: 4, dropped: 0, missing: 0 });
    await publish(await second.test.connect('p2'), 't', '3');
    expectNothingMissing(second);
  });

  it('retained messages are there, and those that expired or were removed are not', async () => {
    const first = await DurableBroker.start();
    const publisher = await first.test.connect('p');
    const retain = async (topic: string, payload: string, properties = {}) => {
      publisher.send(publishPacket(topic, payload, { qos: 1, retain: true, messageId: 1, properties }));
      await publisher.expectPacket('puback');
    };
    await retain('r/kept', 'old');
    await retain('r/kept', 'new');
    await retain('r/removed', 'x');
    await retain('r/removed', '');
    await retain('r/short', 'x', { messageExpiryInterval: 10 });
    await retain('r/long', 'x', { messageExpiryInterval: 100, contentType: 'text' });
    const second = await first[end](20_000);
    const client = await second.test.connect('c');
    await client.subscribe('r/#', 1);
    const found = await client.expectPackets('publish', 2);
    await client.expectNothing();
    found.sort((a, b) => a.topic.localeCompare(b.topic));
    expect(found.map(({ topic, payload, retain: flag }) => [topic, payload.toString(), flag])).toEqual([
      ['r/kept', 'new', true],
      ['r/long', 'x', true],
    ]);
    expect(found[1]?.properties).toMatchObject({ messageExpiryInterval: 80, contentType: 'text' });
    expect(second.broker.drops.of('expired')).toBe(1);
  });

  it('a session expires when its time has run out, counted from its disconnect, and what waited is counted', async () => {
    const first = await DurableBroker.start();
    for (const [clientId, seconds] of [
      ['short', 50],
      ['long', 150],
    ] as const) {
      const client = await first.test.connect(clientId, persistent(5, seconds));
      await client.subscribe('t', 1);
      await first.test.drop(client, clientId);
    }
    await publish(await first.test.connect('p'), 't', 'x');
    first.clock.advance(30_000);
    const second = await first[end](30_000);
    second.clock.advance(100);
    expect(second.broker.sessionCount).toBe(1);
    expect(second.broker.drops.of('session-ended')).toBe(1);
    second.clock.advance(80_000);
    expect(second.broker.sessionCount).toBe(1);
    second.clock.advance(10_000);
    expect(second.broker.sessionCount).toBe(0);
    expect(second.broker.accounting).toMatchObject({ restored: 2, dropped: 2, waiting: 0, missing: 0 });
    await second.settle();
    const third = await second[end]();
    expect([third.broker.sessionCount, third.broker.subscriptionCount]).toEqual([0, 0]);
    expect(third.broker.accounting.restored).toBe(0);
  });

  it('topics at level memory have lost what waited and was retained, and others have not', async () => {
    const first = await DurableBroker.start({
      durabilityOf: (topic) => (topic.startsWith('fleeting/') ? 'memory' : 'fsync'),
    });
    await away(first, 's', '#', 1);
    const publisher = await first.test.connect('p');
    for (const topic of ['lasting/a', 'lasting/b', 'fleeting/a', 'fleeting/b']) {
      await publish(publisher, topic, 'x');
      first.broker.publish({ topic, payload: 'retained', retain: true });
    }
    expect(first.broker.retainedCount).toBe(4);
    await first.settle();
    const second = await first[end]();
    expect(second.broker.retainedCount).toBe(2);
    const { packets } = await drain(second, 's', 2);
    expect(packets.map(({ topic }) => topic)).toEqual(['lasting/a', 'lasting/b']);
    expect(second.broker.drops.total).toBe(0);
    expectNothingMissing(second);
  });
});

describe('wills over a restart', () => {
  const WILL = { topic: 'w', payload: 'gone', qos: 1 as const, retain: false };

  function withWill(delaySeconds: number, expirySeconds: number, properties = {}): ConnectFields {
    return {
      ...persistent(5, expirySeconds),
      will: { ...WILL, properties: { willDelayInterval: delaySeconds, ...properties } },
    };
  }

  async function willsSeen(durable: DurableBroker, count: number): Promise<Publish[]> {
    return (await drain(durable, 'watcher', count)).packets;
  }

  it('that of a clean session which the crash has cut is published at the start, once', async () => {
    const first = await DurableBroker.start();
    await away(first, 'watcher', 'w');
    await first.test.connect('c', { will: WILL });
    await first.settle();
    const second = await first.crash(HOUR / 4);
    await second.settle();
    const third = await second.crash();
    expect(payloads(await willsSeen(third, 1))).toEqual(['gone']);
    expectNothingMissing(third);
  });

  it('a will of a clean session counts its expiry from when it is published', async () => {
    const first = await DurableBroker.start();
    await away(first, 'watcher', 'w');
    await first.test.connect('c', { will: { ...WILL, properties: { messageExpiryInterval: 60 } } });
    await first.settle();
    const second = await first.crash(100_000);
    const [will] = await willsSeen(second, 1);
    expect(will?.properties?.messageExpiryInterval).toBe(60);
  });

  it('that of a client which said goodbye is not published', async () => {
    const first = await DurableBroker.start();
    await away(first, 'watcher', 'w');
    for (const fields of [{ will: WILL }, withWill(10, 100)]) {
      const client = await first.test.connect('c', fields);
      await client.disconnect();
      await first.test.gone('c');
    }
    await first.settle();
    const second = await first.crash(HOUR / 4);
    second.clock.advance(1000);
    expect(await willsSeen(second, 0)).toEqual([]);
  });

  it('that of a kept session without a delay is published at the start', async () => {
    const first = await DurableBroker.start();
    await away(first, 'watcher', 'w');
    await first.test.connect('c', withWill(0, 10_000));
    await first.settle();
    expect(payloads(await willsSeen(await first.crash(), 1))).toEqual(['gone']);
  });

  it.each(ENDS)('a delay runs on from the disconnect, and not less, after a %s', async (end) => {
    const first = await DurableBroker.start();
    await away(first, 'watcher', 'w');
    const client = await first.test.connect('c', withWill(100, 1000));
    await first.test.drop(client, 'c');
    await first.settle();
    const second = await first[end](60_000);
    const { client: watcher } = await drain(second, 'watcher', 0);
    second.clock.advance(39_000);
    await watcher.expectNothing();
    second.clock.advance(1_100);
    expect((await watcher.expectPacket('publish')).payload.toString()).toBe('gone');
    second.clock.advance(2_000_000);
    await watcher.barrier();
    expect(watcher.takeAll().filter(({ cmd }) => cmd === 'publish')).toEqual([]);
  });

  it.each(ENDS)('a delay that ran out meanwhile is over at the start, after a %s', async (end) => {
    const first = await DurableBroker.start();
    await away(first, 'watcher', 'w');
    const client = await first.test.connect('c', withWill(100, 1000));
    await first.test.drop(client, 'c');
    await first.settle();
    const second = await first[end](200_000);
    second.clock.advance(100);
    expect(payloads(await willsSeen(second, 1))).toEqual(['gone']);
  });

  it.each(ENDS)('a client that was connected has its delay from then on, after a %s', async (end) => {
    const first = await DurableBroker.start();
    await away(first, 'watcher', 'w');
    await first.test.connect('c', withWill(100, 1000));
    await first.settle();
    const second = await first[end]();
    const { client: watcher } = await drain(second, 'watcher', 0);
    second.clock.advance(99_000);
    await watcher.expectNothing();
    second.clock.advance(1_100);
    await watcher.expectPacket('publish');
  });

  it('a client that comes back in time has taken its will back', async () => {
    const first = await DurableBroker.start();
    await away(first, 'watcher', 'w');
    const client = await first.test.connect('c', withWill(100, 1000));
    await first.test.drop(client, 'c');
    await first.settle();
    const second = await first.crash(60_000);
    await second.test.connect('c', persistent(5, 1000));
    await second.settle();
    const third = await second.crash();
    third.clock.advance(500_000);
    expect(await willsSeen(third, 0)).toEqual([]);
  });

  it('a will with RETAIN is retained', async () => {
    const first = await DurableBroker.start();
    await first.test.connect('c', { will: { ...WILL, retain: true } });
    await first.settle();
    const second = await first.crash();
    await second.settle();
    const third = await second.crash();
    const client = await third.test.connect('late');
    await client.subscribe('w');
    expect(await client.expectPacket('publish')).toMatchObject({ retain: true, topic: 'w' });
  });
});

describe('session present', () => {
  it('is not told of a session whose time ran out while the broker was down', async () => {
    const first = await DurableBroker.start();
    const client = await first.test.connect('s', persistent(5, 50));
    await client.subscribe('t', 1);
    await first.test.drop(client, 's');
    await first.settle();
    const second = await first.crash(60_000);
    const { connack } = await second.test.connectFully('s', persistent(5, 50));
    expect(connack.sessionPresent).toBe(false);
    expect(second.broker.subscriptionCount).toBe(0);
  });
});

describe('what is refused because a queue is full', () => {
  it('is not stored', async () => {
    // It stood in the log for as long as the session existed, so that its limits bounded neither disk nor memory.
    const durable = await DurableBroker.start({ limits: { queueMaximumMessages: 4 } });
    await away(durable, 's', 't/#', 1);
    const publisher = await durable.test.connect('p');
    for (let i = 1; i <= 10; i++) await publish(publisher, 't/a', String(i));
    expect(durable.store.log.messages).toBe(4);
    const reader = await durable.test.connect('reader', persistent(5));
    await reader.subscribe('t/#', 1);
    reader.acknowledgesByItself = true;
    for (let i = 11; i <= 20; i++) await publish(publisher, 't/a', String(i));
    await reader.expectPackets('publish', 10);
    await reader.barrier();
    expect(durable.store.log.messages).toBe(4);
    expect(durable.broker.drops.of('queue-full')).toBe(16);
  });

  it('does not take the number of the next message with it', async () => {
    const limits = { queueMaximumBytes: 1000, queueOverflow: 'drop-oldest' } as const;
    const durable = await DurableBroker.start({ limits });
    await away(durable, 's', 't', 1);
    const publisher = await durable.test.connect('p');
    await publish(publisher, 't', '1');
    await publish(publisher, 't', 'x'.repeat(2000));
    await away(durable, 'other', 'u', 1);
    await durable.settle();
    await publish(publisher, 't', '2');
    const next = await durable.crash();
    expect(payloads((await drain(next, 's', 2)).packets)).toEqual(['1', '2']);
    expectNothingMissing(next);
  });
});

describe.each(ENDS)('the limit on what waits for all sessions, after a %s', (end) => {
  it('stands where it stood, and gives way as messages are taken', async () => {
    const limits = { queueTotalMaximumBytes: 100_000 };
    const first = await DurableBroker.start({ limits });
    await away(first, 's', 't/#', 1);
    await away(first, 'other', 't/+', 1);
    const publisher = await first.test.connect('p');
    const payload = 'x'.repeat(1000);
    for (let i = 0; i < 120; i++) await publish(publisher, 't/a', payload);
    const kept = first.store.log.messages;
    expect(kept).toBeGreaterThan(90);
    expect(first.broker.drops.of('session-queues-full')).toBe(2 * (120 - kept));
    // Once a minute.
    expect(first.logged.filter(({ msg }) => msg.includes('sessions.maxTotalQueuedBytes'))).toHaveLength(1);
    await first.settle();
    const { waitingBytes } = first.store.log;
    const second = await first[end]();
    expect(second.store.log.waitingBytes).toBe(waitingBytes);
    await publish(await second.test.connect('p'), 't/a', payload);
    expect(second.broker.drops.of('session-queues-full')).toBe(2);
    for (const clientId of ['s', 'other']) await drain(second, clientId, kept);
    expect(second.store.log.waitingBytes).toBe(0);
    expectNothingMissing(second);
  });
});

describe('what a session counts after a restart', () => {
  it('is not its own messages that No Local keeps from it', async () => {
    // They were counted as lost, as what could not be read back.
    const first = await DurableBroker.start();
    const client = await first.test.connect('s', persistent(5));
    client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 't', qos: 1, nl: true }] });
    await client.expectPacket('suback');
    await away(first, 'other', 't', 1);
    client.send(publishPacket('t', 'own', { qos: 1, messageId: 2 }));
    await client.expectPacket('puback');
    const publisher = await first.test.connect('p');
    await publish(publisher, 't', 'foreign');
    const second = await first.crash();
    const { packets } = await drain(second, 's', 1);
    expect(payloads(packets)).toEqual(['foreign']);
    expect(payloads((await drain(second, 'other', 2)).packets)).toEqual(['own', 'foreign']);
    expect(second.broker.drops.total).toBe(0);
    expectNothingMissing(second);
  });
});

describe('what format 2 has stored', () => {
  /** One stream for all shared subscriptions of a session, named in the session's record. */
  async function writeAsFormat2(level: CommittedLevel): Promise<void> {
    const keys = { session: sessionKey('s'), subscription: subscriptionKey('s', '$share/g/t') };
    const session = JSON.parse(String(await level.get(keys.session)));
    const { streamId, ...subscription } = new MsgpackReader().read((await level.get(keys.subscription)) as Buffer);
    await level.put(keys.session, Buffer.from(JSON.stringify({ ...session, ownStreamId: streamId })));
    const fields = { ...subscription, streamId: 0, sinceSequence: 1_000 } as Record<string, string | boolean | number>;
    await level.put(keys.subscription, Buffer.from(encodeMap(fields)));
    await level.put('meta:format', Buffer.from('2'));
  }

  it('of shared subscriptions comes through them, and they go on as others do', async () => {
    const first = await DurableBroker.start();
    const client = await first.test.connect('s', persistent(5));
    await client.subscribe('$share/g/t', 1);
    await client.subscribe('$share/h/u', 0);
    await client.disconnect();
    await publish(await first.test.connect('p'), 't', '1');
    await first.settle();
    const second = await first.crash(0, writeAsFormat2);
    await publish(await second.test.connect('p'), 't', '2');
    const third = await second.crash();
    expect(payloads((await drain(third, 's', 2)).packets)).toEqual(['1', '2']);
    expectNothingMissing(third);
  });
});
