/** Work queues are taken from over MQTT, by a subscription below `$queue`. */
import { describe, expect, it } from 'vitest';
import { DEFAULT_QUEUE_OPTIONS } from '../../src/queues/queue-options.js';
import { DurableBroker } from '../support/durable-broker.js';
import { factsOf, puback, QueueBroker, textOf } from '../support/queue-broker.js';
import type { PacketOf, RawClient } from '../support/raw-client.js';
import { persistent } from '../support/test-broker.js';

async function texts(client: RawClient, count: number): Promise<string[]> {
  return (await client.expectPackets('publish', count)).map(textOf);
}

describe('a consumer of a queue', () => {
  it('gets messages under their own topics, with what the queue knows of them', async () => {
    const broker = await QueueBroker.start();
    const worker = await broker.consume('w', { identifier: 7 });
    const device = await broker.test.connect('device');
    device.send({
      cmd: 'publish',
      topic: 't/1',
      payload: 'x',
      qos: 1,
      messageId: 1,
      dup: false,
      retain: true,
      properties: { userProperties: { mine: 'yes' }, contentType: 'text/plain', responseTopic: 'answers' },
    });
    expect(await device.expectPacket('puback')).toMatchObject({ reasonCode: 0 });
    const packet = await worker.expectPacket('publish');
    expect(packet).toMatchObject({ topic: 't/1', qos: 1, dup: false, retain: false });
    expect(packet.properties).toMatchObject({
      contentType: 'text/plain',
      responseTopic: 'answers',
      subscriptionIdentifier: 7,
    });
    const now = String(broker.clock.now());
    expect(factsOf(packet)).toMatchObject({
      'q-queue': 'q',
      'q-attempt': '1',
      'q-enqueued': now,
      'q-first': now,
      'q-publisher': 'device',
      mine: 'yes',
    });
    expect(broker.statistics()).toMatchObject({ ready: 0, inFlight: 1 });
    puback(worker, packet);
    await worker.barrier();
    expect(broker.statistics()).toMatchObject({ ready: 0, inFlight: 0 });
  });

  it.each([
    ['$queue/q', 't/1'],
    ['$queue/q/#', '$queue/q/t/1'],
  ])('of %s gets the topic %s', async (filter, topic) => {
    const broker = await QueueBroker.start();
    const worker = await broker.consume('w', { filter });
    broker.publish('t/1', 'x');
    expect(await worker.expectPacket('publish')).toMatchObject({ topic });
  });

  it.each([3, 4, 5] as const)('of MQTT %i gets everything in an envelope, if it asks for that', async (version) => {
    const broker = await QueueBroker.start();
    const worker = await broker.consume('w', { filter: '$queue/q/$envelope', version });
    const device = await broker.test.connect('device');
    device.send({
      cmd: 'publish',
      topic: 't/1',
      payload: Buffer.from([0xff, 0x00]),
      qos: 1,
      messageId: 1,
      dup: false,
      retain: false,
      properties: { correlationData: Buffer.from('c'), responseTopic: 'answers', userProperties: { a: 'b' } },
    });
    const packet = await worker.expectPacket('publish');
    expect(packet.topic).toBe('$queue/q/$envelope');
    expect(JSON.parse(textOf(packet))).toMatchObject({
      queue: 'q',
      attempt: 1,
      topic: 't/1',
      publisher: 'device',
      payloadBase64: '/wA=',
      responseTopic: 'answers',
      correlationData: 'Yw==',
      userProperties: [['a', 'b']],
    });
    broker.publish('t/2', 'text');
    expect(JSON.parse(textOf(await worker.expectPacket('publish')))).toMatchObject({ topic: 't/2', payload: 'text' });
  });

  it.each([
    '$queue',
    '$queue/',
    '$queue/unknown',
    '$queue/+',
    '$queue/#',
    '$queue/q/+',
    '$queue/q/a',
    '$queue/q/#/b',
    '$queue/q/$ctl',
    '$share/g/$queue/q',
    '$share/g/$queue/q/#',
  ])('is refused %s', async (filter) => {
    const broker = await QueueBroker.start();
    const client = await broker.test.connect('c');
    const { granted } = await client.subscribe(filter, 1);
    expect(granted).toEqual([0x8f]);
  });

  it('is granted QoS 1 for 2', async () => {
    const broker = await QueueBroker.start();
    const client = await broker.test.connect('c');
    expect((await client.subscribe('$queue/q', 2)).granted).toEqual([1]);
    expect((await client.subscribe('$queue/q', 0)).granted).toEqual([0]);
  });

  it('competes with others for each message, one of which is idle as long as it is full', async () => {
    const broker = await QueueBroker.start();
    const first = await broker.consume('first', { prefetch: 2 });
    const second = await broker.consume('second', { prefetch: 2 });
    broker.publish('t/1', 'a', 'b', 'c', 'd', 'e');
    expect(await texts(first, 2)).toEqual(['a', 'c']);
    const held = await second.expectPackets('publish', 2);
    expect(held.map(textOf)).toEqual(['b', 'd']);
    await first.expectNothing();
    puback(second, held[0] as PacketOf<'publish'>);
    expect(await texts(second, 1)).toEqual(['e']);
  });

  it('does not get more than Receive Maximum allows, of which a part is left to its subscriptions', async () => {
    const broker = await QueueBroker.start();
    const connect = { properties: { receiveMaximum: 8 } };
    const worker = await broker.consume('w', { connect });
    await worker.subscribe('other', 1);
    for (let i = 0; i < 10; i++) broker.publish('t/1', String(i));
    const held = await worker.expectPackets('publish', 6);
    await worker.expectNothing();
    broker.publish('other', 'mine');
    expect(await texts(worker, 1)).toEqual(['mine']);
    puback(worker, held[3] as PacketOf<'publish'>);
    await worker.barrier();
    // The message of its subscription takes a place of theirs.
    expect(broker.statistics().inFlight).toBe(5);
  });

  it('of QoS 0 has done with what it is sent', async () => {
    const broker = await QueueBroker.start();
    const worker = await broker.consume('w', { qos: 0, prefetch: 1 });
    broker.publish('t/1', 'a', 'b', 'c');
    const packets = await worker.expectPackets('publish', 3);
    expect(packets.map(textOf)).toEqual(['a', 'b', 'c']);
    expect(packets[0]?.qos).toBe(0);
    await worker.disconnect();
    expect(broker.statistics()).toMatchObject({ ready: 0, inFlight: 0 });
  });

  it('gets nothing more after UNSUBSCRIBE, and may still acknowledge what it has', async () => {
    const broker = await QueueBroker.start();
    const worker = await broker.consume('w');
    broker.publish('t/1', 'a');
    const packet = await worker.expectPacket('publish');
    worker.send({ cmd: 'unsubscribe', messageId: 9, unsubscriptions: ['$queue/q', '$queue/none'] });
    expect(await worker.expectPacket('unsuback')).toMatchObject({ granted: [0, 0x11] });
    broker.publish('t/1', 'b');
    puback(worker, packet);
    await worker.expectNothing();
    expect(broker.statistics()).toMatchObject({ ready: 1, inFlight: 0, consumers: 0 });
  });

  it('whose Maximum Packet Size is too small for a message leaves it to others', async () => {
    const broker = await QueueBroker.start();
    const small = await broker.consume('small', { connect: { properties: { maximumPacketSize: 300 } } });
    broker.publish('t/1', 'x'.repeat(300), 'y');
    expect(await texts(small, 1)).toEqual(['y']);
    const large = await broker.consume('large');
    await small.disconnect();
    await broker.clock.advance(1000);
    expect(await texts(large, 2)).toEqual(['y', 'x'.repeat(300)]);
  });

  it('of a strict fifo queue has one message of a group at a time: none overtakes one that it refuses', async () => {
    const broker = await QueueBroker.start({
      queues: { q: { type: 'fifo', retry: { delaysMs: [1000] } } },
      rules: [{ group: 'topic' }],
    });
    broker.publish('t/1', 'a', 'b');
    broker.publish('t/2', 'A');
    const worker = await broker.consume('w');
    const packets = await worker.expectPackets('publish', 2);
    expect(packets.map(textOf)).toEqual(['a', 'A']);
    puback(worker, packets[0] as PacketOf<'publish'>, 0x80);
    await worker.expectNothing();
    await broker.clock.advance(1000);
    const again = await worker.expectPacket('publish');
    expect(textOf(again)).toBe('a');
    puback(worker, again);
    expect(await texts(worker, 1)).toEqual(['b']);
  });

  it('is told of the rest of the Message Expiry Interval, and not given what is expired', async () => {
    const broker = await QueueBroker.start();
    broker.test.broker.publish({ topic: 't/1', payload: 'short', qos: 1, messageExpiryInterval: 5 });
    broker.test.broker.publish({ topic: 't/1', payload: 'long', qos: 1, messageExpiryInterval: 60 });
    await broker.clock.advance(10_000);
    const worker = await broker.consume('w');
    const packet = await worker.expectPacket('publish');
    expect(textOf(packet)).toBe('long');
    expect(packet.properties?.messageExpiryInterval).toBe(50);
  });
});

describe('the reason code of PUBACK', () => {
  it.each([0x00, 0x10])('0x%i means done', async (reasonCode) => {
    const broker = await QueueBroker.start();
    const worker = await broker.consume('w');
    broker.publish('t/1', 'x');
    puback(worker, await worker.expectPacket('publish'), reasonCode);
    await worker.barrier();
    expect(broker.statistics()).toMatchObject({ ready: 0, inFlight: 0, delayed: 0 });
  });

  it.each([0x80, 0x83, 0x87, 0x91])('%i brings the message back after the delay of its attempt', async (reasonCode) => {
    const broker = await QueueBroker.start({ queues: { q: { retry: { delaysMs: [1000, 5000] } } } });
    const worker = await broker.consume('w');
    broker.publish('t/1', 'x');
    const first = await worker.expectPacket('publish');
    puback(worker, first, reasonCode);
    await worker.barrier();
    expect(broker.statistics()).toMatchObject({ delayed: 1 });
    await broker.clock.advance(1000);
    const second = await worker.expectPacket('publish');
    expect(second.dup).toBe(false);
    expect(factsOf(second)).toMatchObject({ 'q-attempt': '2', 'q-id': factsOf(first)['q-id'] });
    puback(worker, second, reasonCode);
    await worker.barrier();
    await broker.clock.advance(4000);
    await worker.expectNothing();
    await broker.clock.advance(1000);
    expect(factsOf(await worker.expectPacket('publish'))).toMatchObject({ 'q-attempt': '3' });
  });

  it('0x97 gives the message to somebody else at once, uncounted, and the consumer nothing for a second', async () => {
    const broker = await QueueBroker.start();
    const busy = await broker.consume('busy');
    broker.publish('t/1', 'x');
    puback(busy, await busy.expectPacket('publish'), 0x97);
    await busy.barrier();
    broker.publish('t/1', 'y');
    await busy.expectNothing();
    const idle = await broker.consume('idle');
    const packets = await idle.expectPackets('publish', 2);
    expect(packets.map(textOf)).toEqual(['x', 'y']);
    expect(factsOf(packets[0] as PacketOf<'publish'>)).toMatchObject({ 'q-attempt': '1' });
    await idle.disconnect();
    await broker.clock.advance(1000);
    expect(await texts(busy, 2)).toEqual(['x', 'y']);
  });

  it.each([0x90, 0x99])('%i takes the message to the dead-letter queue', async (reasonCode) => {
    const broker = await QueueBroker.start({
      queues: { q: { deadLetter: { queue: 'dead', maxReceives: 5 } }, dead: {} },
    });
    const worker = await broker.consume('w');
    broker.publish('t/1', 'x');
    puback(worker, await worker.expectPacket('publish'), reasonCode);
    const undertaker = await broker.consume('u', { filter: '$queue/dead' });
    const packet = await undertaker.expectPacket('publish');
    expect(textOf(packet)).toBe('x');
    expect(factsOf(packet)).toMatchObject({ 'q-dead-queue': 'q', 'q-dead-reason': 'rejected', 'q-attempt': '1' });
  });

  it('that is not in use, or comes twice, disturbs nobody', async () => {
    const broker = await QueueBroker.start();
    const worker = await broker.consume('w');
    broker.publish('t/1', 'x');
    const packet = await worker.expectPacket('publish');
    worker.send({ cmd: 'puback', messageId: 4711, reasonCode: 0 });
    puback(worker, packet);
    puback(worker, packet);
    await worker.barrier();
    expect(broker.statistics()).toMatchObject({ inFlight: 0 });
  });

  it('does not fit as PUBREC', async () => {
    const broker = await QueueBroker.start();
    const worker = await broker.consume('w');
    broker.publish('t/1', 'x');
    const { messageId = 0 } = await worker.expectPacket('publish');
    worker.send({ cmd: 'pubrec', messageId, reasonCode: 0 });
    await worker.expectDisconnect(0x82);
    expect(broker.statistics()).toMatchObject({ ready: 1, inFlight: 0 });
  });
});

describe('the connection is the lease', () => {
  it('when it breaks, what it held goes back at once and counts', async () => {
    const broker = await QueueBroker.start();
    const worker = await broker.consume('w', { connect: persistent(5) });
    broker.publish('t/1', 'a', 'b');
    await worker.expectPackets('publish', 2);
    const other = await broker.consume('other');
    await broker.test.drop(worker, 'w');
    const packets = await other.expectPackets('publish', 2);
    expect(packets.map(textOf)).toEqual(['a', 'b']);
    expect(packets.map((packet) => factsOf(packet)['q-attempt'])).toEqual(['2', '2']);
  });

  it('when it ends in order, it does not count', async () => {
    const broker = await QueueBroker.start();
    const worker = await broker.consume('w');
    broker.publish('t/1', 'a');
    await worker.expectPacket('publish');
    await worker.disconnect();
    const other = await broker.consume('other');
    expect(factsOf(await other.expectPacket('publish'))).toMatchObject({ 'q-attempt': '1' });
  });

  it('the session keeps the subscription, and none of its messages', async () => {
    const broker = await QueueBroker.start();
    const connect = persistent(5);
    const worker = await broker.consume('w', { connect, prefetch: 1 });
    await worker.subscribe('plain', 1);
    broker.publish('t/1', 'a', 'b');
    await worker.expectPacket('publish');
    broker.publish('plain', 'p');
    await worker.expectPacket('publish');
    await broker.test.drop(worker, 'w');
    const { client: again, connack } = await broker.test.connectFully('w', connect);
    expect(connack.sessionPresent).toBe(true);
    const [resent, fresh] = await again.expectPackets('publish', 2);
    expect(resent).toMatchObject({ topic: 'plain', dup: true });
    expect(fresh).toMatchObject({ topic: 't/1', dup: false });
    await again.expectNothing();
    expect(broker.test.broker.accounting.missing).toBe(0);
  });

  it('a take-over gives the new connection what the old one had', async () => {
    const broker = await QueueBroker.start();
    const connect = persistent(5);
    const old = await broker.consume('w', { connect });
    broker.publish('t/1', 'a');
    await old.expectPacket('publish');
    const { client: now } = await broker.test.connectFully('w', connect);
    expect(factsOf(await now.expectPacket('publish'))).toMatchObject({ 'q-attempt': '2' });
    await old.expectDisconnect(0x8e);
  });

  it('what is its oldest message for longer than the timeout goes to others; the place stays taken', async () => {
    const broker = await QueueBroker.start({ queues: { q: { acknowledgementTimeoutMs: 10_000 } } });
    const slow = await broker.consume('slow', { prefetch: 2 });
    broker.publish('t/1', 'a', 'b');
    const [first, second] = await slow.expectPackets('publish', 2);
    await broker.clock.advance(6000);
    const other = await broker.consume('other');
    await broker.clock.advance(4000);
    const again = await other.expectPacket('publish');
    expect(textOf(again)).toBe('a');
    expect(factsOf(again)).toMatchObject({ 'q-attempt': '2' });
    // The second one has become the oldest only now.
    await broker.clock.advance(6000);
    await other.expectNothing();
    await slow.expectNothing();
    puback(other, again);
    puback(slow, first as PacketOf<'publish'>);
    puback(slow, second as PacketOf<'publish'>);
    await slow.barrier();
    expect(broker.statistics()).toMatchObject({ ready: 0, inFlight: 0 });
  });

  it('a queue that is deleted and made again goes on with its consumers', async () => {
    const broker = await QueueBroker.start();
    const worker = await broker.consume('w');
    broker.publish('t/1', 'a');
    const packet = await worker.expectPacket('publish');
    broker.workQueues.registry.delete('q');
    puback(worker, packet);
    await worker.barrier();
    broker.workQueues.registry.ensure('q');
    broker.publish('t/1', 'b');
    expect(await texts(worker, 1)).toEqual(['b']);
  });

  it('a queue that is deleted and made again goes on with consumers that say nothing meanwhile', async () => {
    const broker = await QueueBroker.start();
    const worker = await broker.consume('w');
    broker.workQueues.registry.delete('q');
    broker.workQueues.registry.ensure('q');
    broker.publish('t/1', 'a');
    expect(await texts(worker, 1)).toEqual(['a']);
  });

  it('a message that its only consumer cannot take, from a queue that tries again at once, leaves others their turn', async () => {
    const broker = await QueueBroker.start({
      queues: { q: { retry: { delaysMs: [0] }, deadLetter: { queue: 'dead', maxReceives: 1000 } }, dead: {} },
    });
    await broker.consume('w', { connect: { properties: { maximumPacketSize: 40 } } });
    // Without a turn of anybody else it would be received a thousand times here.
    broker.publish('t/1', 'x'.repeat(100));
    expect(broker.statistics('dead')).toMatchObject({ ready: 0 });
    for (let turn = 0; turn < 1000; turn++) broker.clock.advance(1000);
    expect(broker.statistics('dead')).toMatchObject({ ready: 1 });
  });

  it('a purge leaves consumers with what comes next', async () => {
    const broker = await QueueBroker.start();
    const worker = await broker.consume('w', { prefetch: 1 });
    broker.publish('t/1', 'a', 'b');
    const packet = await worker.expectPacket('publish');
    broker.workQueues.registry.purge('q');
    puback(worker, packet);
    broker.publish('t/1', 'c');
    expect(await texts(worker, 1)).toEqual(['c']);
  });
});

describe('the control topic', () => {
  function command(client: RawClient, fields: unknown, qos: 0 | 1 | 2 = 1): void {
    const payload = typeof fields === 'string' ? fields : JSON.stringify(fields);
    client.send({ cmd: 'publish', topic: '$queue/q/$ctl', payload, qos, messageId: 99, dup: false, retain: false });
  }

  async function start(options: Parameters<typeof QueueBroker.start>[0] = {}, version: 4 | 5 = 5) {
    const broker = await QueueBroker.start(options);
    const worker = await broker.consume('w', { version, filter: '$queue/q/$envelope', prefetch: 1 });
    broker.publish('t/1', 'x');
    const packet = await worker.expectPacket('publish');
    const { id } = JSON.parse(textOf(packet)) as { id: string };
    return { broker, worker, packet, id };
  }

  it.each([4, 5] as const)('takes a nack with a delay from a client of MQTT %i', async (version) => {
    const { broker, worker, packet, id } = await start({}, version);
    command(worker, { id, action: 'nack', delay: 2.5 });
    await worker.expectPacket('puback');
    // The place is free when PUBACK comes, which says nothing more.
    puback(worker, packet);
    await broker.clock.advance(2000);
    await worker.expectNothing();
    await broker.clock.advance(1000);
    expect(JSON.parse(textOf(await worker.expectPacket('publish')))).toMatchObject({ id, attempt: 2 });
  });

  it('takes an ack, whose PUBACK says that it is on disk', async () => {
    const { broker, worker, id } = await start();
    command(worker, { id, action: 'ack' });
    expect(await worker.expectPacket('puback')).toMatchObject({ reasonCode: 0 });
    expect(broker.statistics()).toMatchObject({ inFlight: 0 });
    command(worker, { id, action: 'ack' });
    expect(await worker.expectPacket('puback')).toMatchObject({ reasonCode: 0 });
  });

  it('takes a rejection', async () => {
    const { broker, worker, id } = await start({
      queues: { q: { deadLetter: { queue: 'dead', maxReceives: 5 } }, dead: {} },
    });
    command(worker, { id, action: 'reject' });
    expect(await worker.expectPacket('puback')).toMatchObject({ reasonCode: 0 });
    expect(broker.statistics('dead')).toMatchObject({ ready: 1 });
  });

  it('takes a longer time', async () => {
    const { broker, worker, id } = await start({ queues: { q: { acknowledgementTimeoutMs: 10_000 } } });
    await broker.clock.advance(5000);
    command(worker, { id, action: 'extend', delay: 20 });
    expect(await worker.expectPacket('puback')).toMatchObject({ reasonCode: 0 });
    await broker.clock.advance(19_000);
    expect(broker.statistics()).toMatchObject({ inFlight: 1 });
    await broker.clock.advance(2000);
    expect(broker.statistics()).toMatchObject({ ready: 1 });
    command(worker, { id, action: 'extend', delay: 20 });
    expect(await worker.expectPacket('puback')).toMatchObject({ reasonCode: 0x83 });
  });

  it.each([
    '',
    'null',
    '[]',
    '{',
    '{"action":"ack"}',
    '{"id":7,"action":"ack"}',
    '{"id":"x","action":"eat"}',
    '{"id":"x","action":"nack","delay":-1}',
    '{"id":"x","action":"nack","delay":"1"}',
    `{"id":"${'x'.repeat(5000)}","action":"ack"}`,
  ])('refuses %s', async (payload) => {
    const { broker, worker } = await start();
    command(worker, payload);
    expect(await worker.expectPacket('puback')).toMatchObject({ reasonCode: 0x99 });
    expect(broker.statistics()).toMatchObject({ inFlight: 1 });
  });

  it('is for messages that the client has', async () => {
    const { broker, id } = await start();
    const other = await broker.consume('other');
    command(other, { id, action: 'ack' });
    expect(await other.expectPacket('puback')).toMatchObject({ reasonCode: 0x83 });
    const stranger = await broker.test.connect('stranger');
    command(stranger, { id, action: 'ack' }, 2);
    expect(await stranger.expectPacket('pubrec')).toMatchObject({ reasonCode: 0x83 });
    expect(broker.statistics()).toMatchObject({ inFlight: 1 });
  });
});

describe('a PUBLISH to a queue', () => {
  async function publish(client: RawClient, topic: string, fields: Partial<PacketOf<'publish'>> = {}): Promise<number> {
    client.send({ cmd: 'publish', topic, payload: 'x', qos: 1, messageId: 5, dup: false, retain: false, ...fields });
    return (await client.expectPacket('puback')).reasonCode ?? 0;
  }

  it('puts the message in, as its properties say', async () => {
    const broker = await QueueBroker.start();
    const client = await broker.test.connect('c');
    expect(await publish(client, '$queue/q', { retain: true })).toBe(0);
    const userProperties = { 'q-delay': '2', 'q-key': 'k', 'q-group': 'g', 'q-priority': '9' };
    expect(await publish(client, '$queue/q', { properties: { userProperties } })).toBe(0);
    const worker = await broker.consume('w', { filter: '$queue/q/#' });
    expect(await worker.expectPacket('publish')).toMatchObject({ topic: '$queue/q' });
    await broker.clock.advance(2000);
    const packet = await worker.expectPacket('publish');
    expect(factsOf(packet)).toMatchObject({ 'q-key': ['k', 'k'], 'q-group': ['g', 'g'], 'q-publisher': 'c' });
    expect(broker.test.broker.retainedCount).toBe(0);
  });

  it.each(['$queue/none', '$queue', '$queue/', '$queue/q/x', '$queue/q/$envelope'])('refuses %s', async (topic) => {
    const broker = await QueueBroker.start();
    const client = await broker.test.connect('c');
    expect(await publish(client, topic)).toBe(0x90);
    const old = await broker.test.connect('old', { version: 4 });
    await publish(old, topic);
    expect([...broker.test.broker.drops.entries()]).toContainEqual(['work-queue-missing', 2]);
  });

  it('is told that the queue is full', async () => {
    const broker = await QueueBroker.start({ queues: { q: { maxMessages: 1 } } });
    const client = await broker.test.connect('c');
    expect(await publish(client, '$queue/q')).toBe(0);
    expect(await publish(client, '$queue/q')).toBe(0x97);
  });
});

describe('a receipt', () => {
  async function start(receipts = true) {
    const broker = await QueueBroker.start({
      queues: { q: { receipts, deadLetter: { queue: 'dead', maxReceives: 1 }, retry: { delaysMs: [0] } }, dead: {} },
    });
    const worker = await broker.consume('w');
    const device = await broker.test.connect('device');
    await device.subscribe('devices/1/receipts', 1);
    device.send({
      cmd: 'publish',
      topic: 't/1',
      payload: 'x',
      qos: 1,
      messageId: 1,
      dup: false,
      retain: false,
      properties: { responseTopic: 'devices/1/receipts', correlationData: Buffer.from('42') },
    });
    await device.expectPacket('puback');
    const packet = await worker.expectPacket('publish');
    return { broker, worker, device, packet };
  }

  it.each([
    [0x00, 'done'],
    [0x80, 'dead-letter'],
    [0x99, 'dead-letter'],
  ])('after PUBACK %i says %s', async (reasonCode, result) => {
    const { worker, device, packet } = await start();
    puback(worker, packet, reasonCode);
    const receipt = await device.expectPacket('publish');
    expect(receipt.topic).toBe('devices/1/receipts');
    expect(receipt.properties?.correlationData?.toString()).toBe('42');
    expect(JSON.parse(textOf(receipt))).toEqual({ id: factsOf(packet)['q-id'], queue: 'q', result });
  });

  it('is not sent unless the queue gives them', async () => {
    const { worker, device, packet } = await start(false);
    puback(worker, packet);
    await worker.barrier();
    await device.expectNothing();
  });

  it('is not published where only the broker speaks', async () => {
    const { broker, worker, packet, device } = await start();
    puback(worker, packet);
    await device.expectPacket('publish');
    const spy = await broker.test.connect('spy');
    await spy.subscribe('$SYS/#', 1);
    device.send({
      cmd: 'publish',
      topic: 't/1',
      payload: 'y',
      qos: 1,
      messageId: 2,
      dup: false,
      retain: false,
      properties: { responseTopic: '$SYS/broker/version' },
    });
    await device.expectPacket('puback');
    puback(worker, await worker.expectPacket('publish'));
    await worker.barrier();
    await spy.expectNothing();
  });
});

describe('consumers on a broker whose commits take their time', () => {
  it('share what is published at once, though the first of them could have all of it', async () => {
    const queues = new Map([['q', { ...DEFAULT_QUEUE_OPTIONS, prefetch: 100 }]]);
    const rules = [{ name: 'r', topics: ['t/#'], queues: ['q'], onFull: 'refuse' as const }];
    const broker = await DurableBroker.start({ workQueues: { queues, rules } });
    const workers: RawClient[] = [];
    for (const name of ['a', 'b', 'c', 'd']) {
      const { client } = await broker.test.connectFully(name);
      await client.subscribe('$queue/q', 1);
      workers.push(client);
    }
    for (let at = 0; at < 12; at++) broker.broker.publish({ topic: 't/1', payload: String(at), qos: 1 });
    const got = await Promise.all(workers.map((worker) => texts(worker, 3)));
    expect(new Set(got.flat()).size).toBe(12);
    for (const worker of workers) await worker.expectNothing();
  });
});

describe('after a crash', () => {
  const settings = {
    queues: new Map([['q', { ...DEFAULT_QUEUE_OPTIONS, receipts: true }]]),
    rules: [{ name: 'r', topics: ['t/#'], queues: ['q'], onFull: 'refuse' as const }],
  };

  it('kept sessions take from their queues again, and get what they had', async () => {
    const before = await DurableBroker.start({ workQueues: settings });
    const { client } = await before.test.connectFully('w', persistent(5));
    client.send({
      cmd: 'subscribe',
      messageId: 1,
      subscriptions: [{ topic: '$queue/q', qos: 1 }],
      properties: { userProperties: { prefetch: '1' } },
    });
    await client.expectPacket('suback');
    before.test.broker.publish({ topic: 't/1', payload: 'a', qos: 1 });
    before.test.broker.publish({ topic: 't/1', payload: 'b', qos: 1 });
    await client.expectPacket('publish');
    const after = await before.crash();
    const { client: again, connack } = await after.test.connectFully('w', persistent(5));
    expect(connack.sessionPresent).toBe(true);
    const packet = await again.expectPacket('publish');
    expect(textOf(packet)).toBe('a');
    expect(packet.dup).toBe(false);
    expect(factsOf(packet)['q-attempt']).toBe('2');
    await again.expectNothing();
  });

  it('receipts stand for exactly the messages that are done', async () => {
    const before = await DurableBroker.start({ workQueues: settings });
    before.workQueues.giveReceipts((receipt) => before.test.broker.publish(receipt));
    const { client: device } = await before.test.connectFully('device', persistent(5));
    await device.subscribe('receipts', 1);
    await before.test.drop(device, 'device');
    const { client: worker } = await before.test.connectFully('w');
    await worker.subscribe('$queue/q', 1);
    const count = 40;
    for (let i = 0; i < count; i++) {
      before.test.broker.publish({ topic: 't/1', payload: String(i), qos: 1, responseTopic: 'receipts' });
    }
    let acknowledged = 0;
    while (acknowledged < count / 2) {
      puback(worker, await worker.expectPacket('publish'));
      acknowledged++;
    }
    await worker.barrier();
    const after = await before.crash();
    const left = after.workQueues.registry.find('q')?.statistics.ready ?? 0;
    const { client: again } = await after.test.connectFully('device', persistent(5));
    const receipts = await again.expectPackets('publish', count - left);
    expect(new Set(receipts.map(({ payload }) => JSON.parse(payload.toString()).id)).size).toBe(count - left);
    expect(left).toBeLessThan(count);
    await again.expectNothing();
  });
});
