import { describe, expect, it } from 'vitest';
import type { ReceivedMessage } from '../../src/broker/local-subscription.js';
import { publishPacket } from '../support/publish-packet.js';
import { TestBroker } from '../support/test-broker.js';

describe('publishing from within the process', () => {
  it.each([4, 5] as const)('reaches MQTT %i clients with its properties', async (version) => {
    const test = await TestBroker.start();
    const client = await test.connect('c', { version });
    await client.subscribe('t', 2);
    test.broker.publish({
      topic: 't',
      payload: 'x',
      qos: 1,
      contentType: 'text/plain',
      correlationData: Buffer.from('c'),
      userProperties: [
        ['b', '1'],
        ['a', '2'],
      ],
    });
    const publish = await client.expectPacket('publish');
    expect(publish).toMatchObject({ qos: 1, topic: 't', retain: false });
    if (version === 5) expect(publish.properties?.contentType).toBe('text/plain');
  });

  it('takes the payload as it is now', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('c');
    await client.subscribe('t');
    const payload = Buffer.from('before');
    test.broker.publish({ topic: 't', payload });
    payload.fill(0x78);
    expect((await client.expectPacket('publish')).payload.toString()).toBe('before');
  });

  it('refuses what no client could publish', async () => {
    const test = await TestBroker.start();
    const publish = (request: object) => () => test.broker.publish({ topic: 't', payload: '', ...request });
    expect(publish({ topic: 'a/+' })).toThrow(/topic/);
    expect(publish({ topic: '' })).toThrow(/topic/);
    expect(publish({ messageExpiryInterval: -1 })).toThrow(/messageExpiryInterval/);
    expect(publish({ messageExpiryInterval: 1.5 })).toThrow(/messageExpiryInterval/);
    expect(publish({ contentType: 'x'.repeat(65_536) })).toThrow(/65,535/);
    expect(publish({ qos: 3 })).toThrow(/qos/i);
    expect(publish({ responseTopic: 'a/#' })).toThrow(/response/i);
    expect(publish({ contentType: 'a\0b' })).toThrow();
    expect(publish({ payloadFormatIndicator: 2 })).toThrow(/payloadFormat/i);
  });

  it('sets retained messages', async () => {
    const test = await TestBroker.start();
    test.broker.publish({ topic: 't', payload: 'x', retain: true });
    expect(test.broker.retainedCount).toBe(1);
    test.broker.publish({ topic: 't', payload: '', retain: true });
    expect(test.broker.retainedCount).toBe(0);
  });
});

describe('subscribing from within the process', () => {
  it('gets messages of clients, which may be held on to', async () => {
    const test = await TestBroker.start();
    const received: ReceivedMessage[] = [];
    const end = test.broker.subscribe('a/+', (message) => received.push(message));
    const client = await test.connect('c');
    client.send(
      publishPacket('a/b', 'first', {
        qos: 1,
        messageId: 1,
        retain: true,
        properties: { contentType: 'x', userProperties: { k: 'v' } },
      }),
    );
    for (let i = 0; i < 100; i++) client.send(publishPacket('a/c', 'x'.repeat(1000)));
    await client.expectPacket('puback');
    await client.barrier();
    expect(received.length).toBe(101);
    expect(received[0]).toMatchObject({ topic: 'a/b', qos: 1, retain: false, publisherId: 'c' });
    expect(received[0]?.payload.toString()).toBe('first');
    expect(received[0]?.properties).toEqual({ contentType: 'x', userProperties: [['k', 'v']] });
    end();
    client.send(publishPacket('a/b', 'later'));
    await client.barrier();
    expect(received.length).toBe(101);
  });

  it('gets retained messages first', async () => {
    const test = await TestBroker.start();
    test.broker.publish({ topic: 'a', payload: 'kept', retain: true });
    const received: ReceivedMessage[] = [];
    test.broker.subscribe('#', (message) => received.push(message));
    test.broker.publish({ topic: 'a', payload: 'new' });
    expect(received.map((message) => [message.payload.toString(), message.retain])).toEqual([
      ['kept', true],
      ['new', false],
    ]);
  });

  it('counts as a receiver for the publisher', async () => {
    const test = await TestBroker.start();
    test.broker.subscribe('t', () => {});
    const client = await test.connect('c');
    client.send(publishPacket('t', '', { qos: 1, messageId: 1 }));
    expect((await client.expectPacket('puback')).reasonCode ?? 0).toBe(0);
  });

  it('refuses a filter that is not valid', async () => {
    const test = await TestBroker.start();
    expect(() => test.broker.subscribe('a/#/b', () => {})).toThrow(/filter/);
  });

  it('is not disturbed by a handler that throws', async () => {
    const test = await TestBroker.start();
    test.broker.subscribe('t', () => {
      throw new TypeError('of the handler');
    });
    const client = await test.connect('c');
    await client.subscribe('t');
    client.send(publishPacket('t', 'x'));
    await client.expectPacket('publish');
  });
});

describe('publishing from a handler', () => {
  it('takes effect after the message that it answers, for everybody in that order', async () => {
    const test = await TestBroker.start();
    const order: string[] = [];
    test.broker.subscribe('#', (message) => {
      order.push(`first ${message.topic}`);
      if (message.topic === 'question') test.broker.publish({ topic: 'answer', payload: '', qos: 1 });
    });
    test.broker.subscribe('#', (message) => order.push(`second ${message.topic}`));
    const client = await test.connect('c');
    await client.subscribe('#', 1);
    client.send(publishPacket('question', 'x', { qos: 1, messageId: 1 }));
    const [one, two] = await client.expectPackets('publish', 2);
    expect([one?.topic, two?.topic]).toEqual(['question', 'answer']);
    expect(one?.payload.toString()).toBe('x');
    expect((await client.expectPacket('puback')).reasonCode ?? 0).toBe(0);
    expect(order.slice(0, 2).sort()).toEqual(['first question', 'second question']);
    expect(order.slice(2).sort()).toEqual(['first answer', 'second answer']);
  });

  it('can go on for many rounds without a deep stack', async () => {
    const test = await TestBroker.start();
    let rounds = 0;
    test.broker.subscribe('t', (message) => {
      rounds++;
      const left = Number(message.payload.toString());
      if (left > 0) test.broker.publish({ topic: 't', payload: String(left - 1) });
    });
    test.broker.publish({ topic: 't', payload: '20000' });
    expect(rounds).toBe(20_001);
  });

  it('may subscribe and end subscriptions', async () => {
    const test = await TestBroker.start();
    const seen: string[] = [];
    let endSecond: (() => void) | undefined;
    test.broker.subscribe('t', () => {
      seen.push('first');
      if (endSecond === undefined) endSecond = test.broker.subscribe('t', () => seen.push('second'));
      else endSecond();
    });
    test.broker.publish({ topic: 't', payload: '' });
    test.broker.publish({ topic: 't', payload: '' });
    test.broker.publish({ topic: 't', payload: '' });
    expect(seen.filter((name) => name === 'first').length).toBe(3);
    expect(seen.at(-1)).toBe('first');
  });
});

describe('events', () => {
  it('tell who comes, goes, subscribes and ends', async () => {
    const test = await TestBroker.start();
    const seen: string[] = [];
    const { events } = test.broker;
    events.on('clientConnected', (client) => seen.push(`connected ${client.clientId} ${client.protocolVersion}`));
    events.on('subscribed', ({ clientId, filter, qos }) => seen.push(`subscribed ${clientId} ${filter} ${qos}`));
    events.on('unsubscribed', ({ clientId, filter }) => seen.push(`unsubscribed ${clientId} ${filter}`));
    events.on('clientDisconnected', ({ clientId, reason }) => seen.push(`disconnected ${clientId} ${reason}`));
    events.on('sessionEnded', ({ clientId }) => seen.push(`ended ${clientId}`));
    const client = await test.connect('c', { username: 'u' });
    await client.subscribe('a/#', 1);
    client.send({ cmd: 'unsubscribe', messageId: 1, unsubscriptions: ['a/#'] });
    await client.expectPacket('unsuback');
    await client.disconnect();
    await test.gone('c');
    expect(seen).toEqual([
      'connected c 5',
      'subscribed c a/# 1',
      'unsubscribed c a/#',
      'ended c',
      'disconnected c client-disconnect',
    ]);
  });
});
