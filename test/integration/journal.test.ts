import { describe, expect, it } from 'vitest';
import { DelayedStore } from '../support/delayed-store.js';
import { publishPacket } from '../support/publish-packet.js';
import { persistent, TestBroker, type TestBrokerOptions } from '../support/test-broker.js';

/** A broker with a slow disk, and a session `s` that is subscribed to `t` and away: what is published to it is durable. */
async function withDurableReceiver(options: TestBrokerOptions = {}) {
  const store = new DelayedStore();
  const { journal } = store;
  const test = await TestBroker.start({ ...options, store });
  const subscriber = await test.connect('s', persistent(5));
  const before = journal.entries.length;
  subscriber.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 't', qos: 2 }] });
  await journal.recorded(before + 1);
  journal.settle();
  await subscriber.expectPacket('suback');
  return { journal, test, subscriber };
}

describe('with a slow disk', () => {
  it('SUBACK and UNSUBACK of a kept session wait for it', async () => {
    const { journal, subscriber } = await withDurableReceiver();
    subscriber.send({ cmd: 'subscribe', messageId: 2, subscriptions: [{ topic: 'u', qos: 1 }] });
    await subscriber.expectNothing();
    journal.settle();
    expect((await subscriber.expectPacket('suback')).messageId).toBe(2);
    subscriber.send({ cmd: 'unsubscribe', messageId: 3, unsubscriptions: ['u'] });
    await subscriber.expectNothing();
    journal.settle();
    expect((await subscriber.expectPacket('unsuback')).messageId).toBe(3);
  });

  it('retained messages come as soon as the session may be sent anything', async () => {
    // They stayed away until the client sent its next packet, if it had subscribed before its session was stored.
    const store = new DelayedStore();
    const test = await TestBroker.start({ store });
    test.broker.publish({ topic: 't', payload: 'kept', retain: true });
    const client = await test.connect('s', persistent(5));
    client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 't', qos: 1 }] });
    await client.expectNothing();
    store.journal.settle();
    const seen = [await client.expectAny(), await client.expectAny()];
    expect(seen.map(({ cmd }) => cmd).sort()).toEqual(['publish', 'suback']);
  });

  it('SUBACK of a clean session does not', async () => {
    const store = new DelayedStore();
    const { journal } = store;
    const test = await TestBroker.start({ store });
    const client = await test.connect('c');
    await client.subscribe('t', 1);
    expect(journal.entries).toEqual([]);
  });

  it.each([4, 5] as const)('PUBACK and PUBREC wait for it, MQTT %i', async (version) => {
    const { journal, test, subscriber } = await withDurableReceiver();
    const publisher = await test.connect('p', { version });
    publisher.send(publishPacket('t', '1', { qos: 1, messageId: 1 }));
    publisher.send(publishPacket('t', '2', { qos: 2, messageId: 2 }));
    await publisher.expectNothing();
    // QoS 1 is on its way to who is connected meanwhile.
    expect((await subscriber.expectPacket('publish')).payload.toString()).toBe('1');
    journal.settle(journal.lastTicket - 1);
    await publisher.expectPacket('puback');
    await publisher.expectNothing();
    journal.settle();
    await publisher.expectPacket('pubrec');
  });

  it('acknowledgements keep their order, also of what is not durable [MQTT-4.6.0-2]', async () => {
    const { journal, test } = await withDurableReceiver();
    const publisher = await test.connect('p');
    publisher.send(publishPacket('t', '', { qos: 1, messageId: 1 }));
    publisher.send(publishPacket('nobody', '', { qos: 1, messageId: 2 }));
    publisher.send(publishPacket('t', '', { qos: 1, messageId: 3 }));
    await publisher.expectNothing();
    const first = journal.entries.find((entry) => entry.verb === 'messageLogged')?.ticket;
    journal.settle(first);
    const [one, two] = await publisher.expectPackets('puback', 2);
    expect([one?.messageId, two?.messageId]).toEqual([1, 2]);
    await publisher.expectNothing();
    journal.settle();
    expect((await publisher.expectPacket('puback')).messageId).toBe(3);
  });

  it('PUBACK of a retained message waits for it', async () => {
    const { journal, test } = await withDurableReceiver();
    const publisher = await test.connect('p');
    publisher.send(publishPacket('kept', 'x', { qos: 1, messageId: 1, retain: true }));
    await publisher.expectNothing();
    journal.settle();
    await publisher.expectPacket('puback');
  });

  it('PUBCOMP of a kept session waits for it', async () => {
    const store = new DelayedStore();
    const { journal } = store;
    const test = await TestBroker.start({ store });
    const publisher = await test.connect('p', persistent(5));
    publisher.send(publishPacket('nobody', '', { qos: 2, messageId: 7 }));
    await publisher.expectNothing();
    journal.settle();
    await publisher.expectPacket('pubrec');
    publisher.send({ cmd: 'pubrel', messageId: 7 });
    await publisher.expectNothing();
    journal.settle();
    await publisher.expectPacket('pubcomp');
    expect(journal.verbs().slice(-2)).toEqual(['stateChanged 1', 'stateChanged 1']);
  });

  it('a kept session gets QoS 2 messages and PUBREL when what they rest on is stored', async () => {
    const { journal, test, subscriber } = await withDurableReceiver();
    test.broker.publish({ topic: 't', payload: 'x', qos: 2 });
    await subscriber.expectNothing();
    journal.settle();
    const { messageId = 0 } = await subscriber.expectPacket('publish');
    subscriber.send({ cmd: 'pubrec', messageId });
    await subscriber.expectNothing();
    journal.settle();
    expect((await subscriber.expectPacket('pubrel')).messageId).toBe(messageId);
  });

  it('an MQTT 3 publisher is read no further at the bound', async () => {
    const { journal, test } = await withDurableReceiver({ limits: { receiveMaximum: 3 } });
    const before = journal.entries.length;
    const publisher = await test.connect('p', { version: 4 });
    publisher.sendTogether(Array.from({ length: 10 }, (_, i) => publishPacket('t', '', { qos: 1, messageId: i + 1 })));
    await journal.recorded(before + 3);
    const other = await test.connect('o');
    for (let i = 0; i < 5; i++) await other.expectNothing();
    expect(journal.entries.length).toBe(before + 3);
    const acknowledged: (number | undefined)[] = [];
    while (acknowledged.length < 10) {
      journal.settle();
      acknowledged.push((await publisher.expectPacket('puback')).messageId);
    }
    expect(acknowledged).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('an MQTT 5 publisher may use all of Receive Maximum, at QoS 1 and 2', async () => {
    const { journal, test } = await withDurableReceiver({ limits: { receiveMaximum: 4 } });
    for (const qos of [1, 2] as const) {
      const name = qos === 1 ? 'puback' : 'pubrec';
      const publisher = await test.connect(`p${qos}`);
      for (let i = 1; i <= 4; i++) publisher.send(publishPacket('t', '', { qos, messageId: i }));
      await publisher.expectNothing();
      journal.settle();
      await publisher.expectPackets(name, 4);
      if (qos === 1) continue;
      publisher.send(publishPacket('t', '', { qos, messageId: 5 }));
      await publisher.expectDisconnect(0x93);
    }
  });

  it('an MQTT 5 publisher that passes Receive Maximum meanwhile is told 0x93', async () => {
    const { test } = await withDurableReceiver({ limits: { receiveMaximum: 4 } });
    const publisher = await test.connect('p');
    for (let i = 1; i <= 5; i++) publisher.send(publishPacket('t', '', { qos: 1, messageId: i }));
    await publisher.expectDisconnect(0x93);
  });

  it('subscribing does not count against Receive Maximum', async () => {
    const { journal, subscriber } = await withDurableReceiver({ limits: { receiveMaximum: 2 } });
    for (let i = 1; i <= 5; i++) {
      subscriber.send({ cmd: 'subscribe', messageId: i, subscriptions: [{ topic: `x${i}`, qos: 0 }] });
    }
    subscriber.send(publishPacket('x1', 'a', { qos: 1, messageId: 9 }));
    await subscriber.expectPacket('publish');
    await subscriber.expectNothing();
    journal.settle();
    await subscriber.expectPackets('suback', 5);
    await subscriber.expectPacket('puback');
  });

  it('a publisher that is gone meanwhile does not disturb', async () => {
    const { journal, test } = await withDurableReceiver();
    const publisher = await test.connect('p');
    publisher.send(publishPacket('t', '', { qos: 1, messageId: 1 }));
    await publisher.expectNothing();
    await test.drop(publisher, 'p');
    journal.settle();
    expect(test.broker.connectionCount).toBe(1);
  });

  it('UNSUBACK waits for it when the same was asked for on an earlier connection', async () => {
    const { journal, test, subscriber } = await withDurableReceiver();
    subscriber.send({ cmd: 'unsubscribe', messageId: 3, unsubscriptions: ['t'] });
    await subscriber.expectNothing();
    await test.drop(subscriber, 's');
    const again = await test.connect('s', persistent(5));
    again.send({ cmd: 'unsubscribe', messageId: 4, unsubscriptions: ['t'] });
    await again.expectNothing();
    journal.settle();
    expect((await again.expectPacket('unsuback')).messageId).toBe(4);
  });

  it('CONNACK of a clean start waits for the end of the session that was there, and nothing comes before it', async () => {
    const { journal, test, subscriber } = await withDurableReceiver();
    await test.drop(subscriber, 's');
    const client = await test.open(5);
    const before = journal.entries.length;
    client.send({ cmd: 'connect', clientId: 's', clean: true, keepalive: 0, protocolId: 'MQTT', protocolVersion: 5 });
    client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 't', qos: 0 }] });
    await journal.recorded(before + 1);
    // Another commit is settled before: that is not what it waits for.
    journal.settle(journal.lastTicket - 1);
    // It is not heard meanwhile, and so cannot be asked whether something has come.
    const connack = client.expectPacket('connack');
    let hasCome = false;
    void connack.then(() => {
      hasCome = true;
    });
    const publisher = await test.connect('p');
    publisher.send(publishPacket('t', 'early', { qos: 0 }));
    for (let i = 0; i < 5; i++) await publisher.expectNothing();
    expect(hasCome).toBe(false);
    journal.settle();
    expect((await connack).sessionPresent).toBe(false);
    await client.expectPacket('suback');
  });

  it('a client that is taken over before its CONNACK is told nothing [MQTT-3.14.0-1]', async () => {
    const { journal, test, subscriber } = await withDurableReceiver();
    await test.drop(subscriber, 's');
    const client = await test.open(5);
    const before = journal.entries.length;
    client.send({ cmd: 'connect', clientId: 's', clean: true, keepalive: 0, protocolId: 'MQTT', protocolVersion: 5 });
    await journal.recorded(before + 1);
    const next = await test.open(5);
    next.sendConnect({ clientId: 's', clean: true });
    await client.expectClosed();
    journal.settle();
    await next.expectPacket('connack');
  });
});

describe('what is recorded', () => {
  async function recording() {
    const store = new DelayedStore(false);
    const test = await TestBroker.start({ store });
    return { journal: store.journal, test };
  }

  it('is the will alone of a clean session', async () => {
    const { journal, test } = await recording();
    const client = await test.connect('c', { will: { topic: 'w', payload: 'x', qos: 0, retain: false } });
    await client.subscribe('t', 1);
    client.send(publishPacket('t', 'x', { qos: 2, messageId: 1 }));
    await client.expectPacket('publish');
    await client.expectPacket('pubrec');
    await client.disconnect();
    await test.gone('c');
    expect(journal.verbs()).toEqual(['willSaved c w', 'willRemoved c']);
  });

  it('is the life of a kept session', async () => {
    const { journal, test } = await recording();
    const client = await test.connect('c', {
      ...persistent(5, 100),
      will: { topic: 'w', payload: 'x', qos: 0, retain: false },
    });
    await client.subscribe('t', 1);
    await client.disconnect();
    await test.gone('c');
    test.clock.advance(100_200);
    expect(journal.verbs()).toEqual([
      'sessionSaved c 100',
      'willSaved c w',
      'subscriptionSaved c t',
      'stateChanged 1',
      'willRemoved c',
      'sessionSaved c 100',
      'sessionRemoved c',
    ]);
  });

  it('is taken back when a kept session goes on as one that is not kept', async () => {
    const { journal, test } = await recording();
    const first = await test.connect('c', persistent(5, 100));
    await first.disconnect();
    const second = await test.connect('c', { clean: false });
    await second.disconnect();
    await test.gone('c');
    expect(test.broker.sessionCount).toBe(0);
    expect(journal.verbs()).toContain('sessionRemoved c');
  });

  it('is taken back when DISCONNECT ends the session', async () => {
    const { journal, test } = await recording();
    const first = await test.connect('c', persistent(5, 100));
    await first.disconnect(0, { sessionExpiryInterval: 0 });
    await test.gone('c');
    expect(journal.verbs().at(-1)).toBe('sessionRemoved c');
  });
});
