import { describe, expect, it } from 'vitest';
import { publishPacket } from '../support/publish-packet.js';
import type { RawClient } from '../support/raw-client.js';
import { persistent, TestBroker } from '../support/test-broker.js';

const VERSIONS = [4, 5] as const;

describe.each(VERSIONS)('SUBSCRIBE and UNSUBSCRIBE, MQTT %i', (version) => {
  it('answer each filter in its order [MQTT-3.8.4-6]', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('c', { version });
    client.send({
      cmd: 'subscribe',
      messageId: 4711,
      subscriptions: [
        { topic: 'a', qos: 2 },
        { topic: 'a/#/b', qos: 1 },
        { topic: 'b', qos: 0 },
        { topic: '$share/g', qos: 0 },
        { topic: '$share/g/c', qos: 1 },
      ],
    });
    const suback = await client.expectPacket('suback');
    expect(suback.messageId).toBe(4711);
    const bad = version === 5 ? 0x8f : 0x80;
    expect(suback.granted).toEqual([2, bad, 0, bad, 1]);
    expect(test.broker.subscriptionCount).toBe(3);
  });

  it('replace a subscription of the same filter [MQTT-3.8.4-3]', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('c', { version });
    await client.subscribe('a/b', 2);
    await client.subscribe('a/b', 0);
    client.send(publishPacket('a/b', 'x', { qos: 1, messageId: 1 }));
    expect((await client.expectPacket('publish')).qos).toBe(0);
    expect(test.broker.subscriptionCount).toBe(1);
  });

  it('end a subscription, and say if there was none', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('c', { version });
    await client.subscribe('a/+');
    client.send({ cmd: 'unsubscribe', messageId: 5, unsubscriptions: ['a/b', 'a/+', 'a/+', '#/x'] });
    const unsuback = await client.expectPacket('unsuback');
    expect(unsuback.messageId).toBe(5);
    if (version === 5) expect(unsuback.granted).toEqual([0x11, 0x00, 0x11, 0x8f]);
    client.send(publishPacket('a/b', 'x'));
    await client.expectNothing();
  });

  it('do not take back what was sent before UNSUBSCRIBE', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('c', { version });
    await client.subscribe('t', 1);
    client.sendTogether([
      publishPacket('t', 'x', { qos: 1, messageId: 1 }),
      { cmd: 'unsubscribe', messageId: 2, unsubscriptions: ['t'] },
      publishPacket('t', 'y', { qos: 1, messageId: 3 }),
    ]);
    const publish = await client.expectPacket('publish');
    expect(publish.payload.toString()).toBe('x');
    await client.expectPacket('puback');
    await client.expectPacket('unsuback');
    await client.expectPacket('puback');
    client.send({ cmd: 'puback', messageId: publish.messageId ?? 0 });
    await client.expectNothing();
  });

  it('deliver one copy at the highest QoS where subscriptions overlap [MQTT-3.3.4-2]', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('c', { version });
    await client.subscribe('a/#', 0);
    await client.subscribe('a/+', 2);
    await client.subscribe('a/b', 1);
    client.send(publishPacket('a/b', 'x', { qos: 2, messageId: 1 }));
    expect((await client.expectPacket('publish')).qos).toBe(2);
    await client.expectPacket('pubrec');
    await client.expectNothing();
  });

  it('keep wildcards away from topics that begin with $ [MQTT-4.7.2-1]', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('c', { version });
    await client.subscribe('#');
    await client.subscribe('+/x');
    client.send(publishPacket('$mine/x', 'x'));
    await client.expectNothing();
    await client.subscribe('$mine/#');
    client.send(publishPacket('$mine/x', 'x'));
    await client.expectPacket('publish');
  });

  it('take topics of 65,535 bytes', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('c', { version });
    const topic = `${'ä'.repeat(32_767)}x`;
    await client.subscribe(topic);
    client.send(publishPacket(topic, 'x'));
    expect((await client.expectPacket('publish')).topic).toBe(topic);
  });

  it('are limited in number per session', async () => {
    const test = await TestBroker.start({ limits: { maximumSubscriptionsPerSession: 2 } });
    const client = await test.connect('c', { version });
    await client.subscribe('a');
    await client.subscribe('b');
    expect((await client.subscribe('c')).granted).toEqual([version === 5 ? 0x97 : 0x80]);
    expect((await client.subscribe('a', 1)).granted).toEqual([1]);
  });

  it('end with a clean session', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('c', { version });
    await client.subscribe('a');
    await client.subscribe('$share/g/a');
    await test.drop(client, 'c');
    expect(test.broker.subscriptionCount).toBe(0);
  });

  it('refuse publishing to a topic with a wildcard', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('c', { version });
    client.send(publishPacket('a/+', 'x'));
    await client.expectDisconnect(0x90);
  });
});

describe('subscriptions of MQTT 5', () => {
  it('list the identifiers of all that match in one message [MQTT-3.3.4-4]', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('c');
    const filters = ['a/#', 'a/+', 'a/b', 'x'];
    for (const [i, topic] of filters.entries()) {
      client.send({
        cmd: 'subscribe',
        messageId: i + 1,
        properties: { subscriptionIdentifier: [1, 200, 268_435_455, 9][i] as number },
        subscriptions: [{ topic, qos: 1 }],
      });
      await client.expectPacket('suback');
    }
    await client.subscribe('+/b', 1);
    client.send(publishPacket('a/b', 'x', { qos: 1, messageId: 1 }));
    const { properties } = await client.expectPacket('publish');
    const identifiers = properties?.subscriptionIdentifier as unknown as number[];
    expect([...identifiers].sort((a, b) => a - b)).toEqual([1, 200, 268_435_455]);
    await client.expectPacket('puback');
    await client.expectNothing();
  });

  it('keep identifiers with messages that wait, and drop one that a new SUBSCRIBE leaves out', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('c', persistent(5));
    client.send({
      cmd: 'subscribe',
      messageId: 1,
      properties: { subscriptionIdentifier: 300 },
      subscriptions: [{ topic: 't', qos: 1 }],
    });
    await client.expectPacket('suback');
    await test.drop(client, 'c');
    test.broker.publish({ topic: 't', payload: '1', qos: 1 });
    const back = await test.connect('c', persistent(5));
    expect((await back.expectPacket('publish')).properties?.subscriptionIdentifier).toBe(300);
    await back.subscribe('t', 1);
    test.broker.publish({ topic: 't', payload: '2', qos: 1 });
    expect((await back.expectPacket('publish')).properties?.subscriptionIdentifier).toBeUndefined();
  });

  it('do not bring back what one publishes with No Local [MQTT-3.8.3-3]', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('c');
    const other = await test.connect('o');
    client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'a/#', qos: 1, nl: true }] });
    await client.expectPacket('suback');
    client.send(publishPacket('a/b', 'mine'));
    await client.expectNothing();
    other.send(publishPacket('a/b', 'other'));
    expect((await client.expectPacket('publish')).payload.toString()).toBe('other');
    // An overlapping subscription without No Local does bring it.
    await client.subscribe('a/b', 0);
    client.send(publishPacket('a/b', 'mine', { qos: 1, messageId: 1 }));
    expect((await client.expectPacket('publish')).qos).toBe(0);
  });

  it('refuse No Local on a shared subscription [MQTT-3.8.3-4]', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('c');
    client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: '$share/g/a', qos: 1, nl: true }] });
    await client.expectDisconnect(0x82);
  });
});

describe.each(VERSIONS)('shared subscriptions, MQTT %i', (version) => {
  async function group(test: TestBroker, names: readonly string[], qos: 0 | 1 | 2 = 1): Promise<RawClient[]> {
    const members: RawClient[] = [];
    for (const name of names) {
      const member = await test.connect(name, persistent(version));
      await member.subscribe('$share/g/t', qos);
      members.push(member);
    }
    return members;
  }

  it('give each message to one member, each in turn', async () => {
    const test = await TestBroker.start();
    const members = await group(test, ['a', 'b', 'c']);
    const publisher = await test.connect('p', { version });
    for (let i = 0; i < 300; i++) publisher.send(publishPacket('t', String(i)));
    await publisher.barrier();
    const seen: string[] = [];
    for (const member of members) {
      const packets = await member.expectPackets('publish', 100);
      seen.push(...packets.map((packet) => packet.payload.toString()));
      await member.expectNothing();
    }
    expect(new Set(seen).size).toBe(300);
  });

  it('are delivered beside ordinary subscriptions and other groups', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('c', { version });
    await client.subscribe('t');
    await client.subscribe('$share/g/t');
    await client.subscribe('$share/h/t');
    client.send(publishPacket('t', 'x'));
    await client.expectPackets('publish', 3);
    await client.expectNothing();
  });

  it('pass over a member that is away while another is there', async () => {
    const test = await TestBroker.start();
    const [a, b] = (await group(test, ['a', 'b'])) as [RawClient, RawClient];
    await test.drop(a, 'a');
    const publisher = await test.connect('p', { version });
    for (let i = 1; i <= 10; i++) publisher.send(publishPacket('t', String(i), { qos: 1, messageId: i }));
    await publisher.expectPackets('puback', 10);
    await b.expectPackets('publish', 10);
    const back = await test.connect('a', persistent(version));
    await back.expectNothing();
  });

  it('let QoS 1 wait with a member when all are away, and QoS 0 not', async () => {
    const test = await TestBroker.start();
    const [a, b] = (await group(test, ['a', 'b'])) as [RawClient, RawClient];
    await test.drop(a, 'a');
    await test.drop(b, 'b');
    const publisher = await test.connect('p', { version });
    publisher.send(publishPacket('t', 'zero'));
    for (let i = 1; i <= 10; i++) publisher.send(publishPacket('t', String(i), { qos: 1, messageId: i }));
    await publisher.expectPackets('puback', 10);
    const seen: string[] = [];
    for (const name of ['a', 'b']) {
      const back = await test.connect(name, persistent(version));
      await back.barrier();
      for (const packet of back.takeAll()) if (packet.cmd === 'publish') seen.push(packet.payload.toString());
    }
    expect(seen.map(Number).sort((x, y) => x - y)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(test.broker.drops.of('no-group-member')).toBe(1);
  });

  it('prefer a member that has room', async () => {
    const test = await TestBroker.start({ limits: { maximumInflight: 2 } });
    const [a, b] = (await group(test, ['a', 'b'])) as [RawClient, RawClient];
    b.acknowledgesByItself = true;
    const publisher = await test.connect('p', { version });
    for (let i = 1; i <= 20; i++) {
      publisher.send(publishPacket('t', String(i), { qos: 1, messageId: i }));
      await publisher.expectPacket('puback');
      await b.barrier();
    }
    await a.barrier();
    expect(a.takeAll().length).toBe(2);
    expect(b.takeAll().length).toBe(18);
  });

  it('wait when every member is full, and go on', async () => {
    const test = await TestBroker.start({ limits: { maximumInflight: 2 } });
    const [a] = (await group(test, ['a'])) as [RawClient];
    const publisher = await test.connect('p', { version });
    for (let i = 1; i <= 6; i++) publisher.send(publishPacket('t', String(i), { qos: 1, messageId: i }));
    await publisher.expectPackets('puback', 6);
    const seen: string[] = [];
    for (let round = 0; round < 3; round++) {
      for (const packet of await a.expectPackets('publish', 2)) {
        seen.push(packet.payload.toString());
        a.send({ cmd: 'puback', messageId: packet.messageId ?? 0 });
      }
    }
    expect(seen).toEqual(['1', '2', '3', '4', '5', '6']);
  });

  it('end with UNSUBSCRIBE of the whole filter', async () => {
    const test = await TestBroker.start();
    const [a, b] = (await group(test, ['a', 'b'])) as [RawClient, RawClient];
    a.send({ cmd: 'unsubscribe', messageId: 9, unsubscriptions: ['$share/g/t'] });
    await a.expectPacket('unsuback');
    const publisher = await test.connect('p', { version });
    for (let i = 1; i <= 4; i++) publisher.send(publishPacket('t', String(i)));
    await publisher.barrier();
    await b.expectPackets('publish', 4);
    await a.expectNothing();
  });
});
