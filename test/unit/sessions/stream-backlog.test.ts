import { describe, expect, it } from 'vitest';
import { BrokerParts, type PartsOptions } from '../../support/broker-parts.js';
import { PartsClient, payloads } from '../../support/parts-client.js';

/** Publishes one message for each payload. */
function publish(parts: BrokerParts, topic: string, texts: readonly string[], qos: 0 | 1 | 2 = 1): void {
  for (const payload of texts) parts.publish({ topic, payload, qos });
}

/** Sessions with these filters that are away. */
function away(parts: BrokerParts, sessions: Readonly<Record<string, readonly string[]>>): void {
  for (const [clientId, filters] of Object.entries(sessions)) {
    const client = new PartsClient(parts, clientId);
    for (const filter of filters) parts.subscribe(client.session, filter, { qos: 2 });
    client.settle();
    client.disconnect();
  }
}

function expectAccountsRight(parts: BrokerParts): void {
  expect(parts.accounting).toMatchObject({ missing: 0, waiting: 0 });
  expect(parts.log.messages).toBe(0);
}

describe('messages for sessions that are away', () => {
  it('wait once for all of them, and come to each in order', async () => {
    const parts = new BrokerParts();
    away(parts, { a: ['t'], b: ['t'], c: ['t'] });
    const texts = Array.from({ length: 300 }, (_, i) => String(i));
    publish(parts, 't', texts);
    expect(parts.log.messages).toBe(300);
    for (const clientId of ['a', 'b', 'c']) {
      expect(parts.sessions.find(clientId)?.queuedMessages).toBe(300);
      expect(payloads(await new PartsClient(parts, clientId).drain())).toEqual(texts);
    }
    expectAccountsRight(parts);
  });

  it('come once with the identifiers of all filters that match, and at the highest QoS', async () => {
    const parts = new BrokerParts();
    const first = new PartsClient(parts, 'c');
    parts.subscribe(first.session, 'a/#', { qos: 1, identifier: 1 });
    parts.subscribe(first.session, 'a/+', { qos: 2, identifier: 2 });
    parts.subscribe(first.session, '+/b', { qos: 0, identifier: 3 });
    parts.subscribe(first.session, 'other', { qos: 0, identifier: 4 });
    first.disconnect();
    publish(parts, 'a/b', ['both'], 2);
    const sent = await new PartsClient(parts, 'c').drain();
    publish(parts, 'a/b/c', ['one'], 2);
    sent.push(...(await new PartsClient(parts, 'c').drain()));
    expect(sent.map(({ payload, qos, identifiers }) => [payload, qos, [...(identifiers ?? [])].sort()])).toEqual([
      ['both', 2, [1, 2, 3]],
      ['one', 1, [1]],
    ]);
    expectAccountsRight(parts);
  });

  it('keep the order of publishing over all filters', async () => {
    const parts = new BrokerParts();
    away(parts, { c: ['a', 'b', '#', '$share/g/c'] });
    const texts = Array.from({ length: 50 }, (_, i) => String(i));
    for (const [i, payload] of texts.entries())
      parts.publish({ topic: ['a', 'b', 'd'][i % 3] as string, payload, qos: 1 });
    expect(payloads(await new PartsClient(parts, 'c').drain())).toEqual(texts);
  });

  it('are read from the disk when they are more than memory holds', async () => {
    const parts = new BrokerParts({ cacheBytes: 50_000 });
    away(parts, { a: ['t'], b: ['#'] });
    const texts = Array.from({ length: 500 }, (_, i) => `${i}.`.padEnd(1000, '.'));
    for (const payload of texts) {
      parts.publish({ topic: 't', payload, qos: 1 });
      parts.store.committer.flush();
    }
    for (const clientId of ['a', 'b']) {
      expect(payloads(await new PartsClient(parts, clientId, { receiveMaximum: 5 }).drain())).toEqual(texts);
    }
    expect(parts.store.blocks.reads).toBeGreaterThan(50);
    expectAccountsRight(parts);
  });

  it('that the session has published itself do not come back under No Local', async () => {
    const parts = new BrokerParts();
    away(parts, { other: ['t'] });
    const client = new PartsClient(parts, 'c', { receiveMaximum: 1 });
    parts.subscribe(client.session, 't', { qos: 1, noLocal: true, identifier: 1 });
    parts.subscribe(client.session, '+', { qos: 0, noLocal: true, identifier: 2 });
    parts.subscribe(client.session, '#', { qos: 1, identifier: 3 });
    publish(parts, 't', ['first', 'second']);
    parts.publish({ topic: 't', payload: 'own', qos: 1, publisher: client.session });
    publish(parts, 't', ['third']);
    expect(
      (await client.drain()).map(({ payload, identifiers }) => [payload, [...(identifiers ?? [])].sort()]),
    ).toEqual([
      ['first', [1, 2, 3]],
      ['second', [1, 2, 3]],
      ['own', [3]],
      ['third', [1, 2, 3]],
    ]);
    await new PartsClient(parts, 'other').drain();
    expectAccountsRight(parts);
  });

  it('come twice where a shared subscription stands beside an ordinary one', async () => {
    const parts = new BrokerParts();
    const first = new PartsClient(parts, 'c');
    parts.subscribe(first.session, 't', { qos: 1, identifier: 1 });
    parts.subscribe(first.session, '$share/g/t', { qos: 1, identifier: 2 });
    first.disconnect();
    publish(parts, 't', ['a', 'b'], 2);
    expect(first.session.queuedMessages).toBe(4);
    const sent = await new PartsClient(parts, 'c').drain();
    expect(sent.map(({ payload, identifiers }) => [payload, identifiers])).toEqual([
      ['a', [1]],
      ['a', [2]],
      ['b', [1]],
      ['b', [2]],
    ]);
    expectAccountsRight(parts);
  });

  it('are given up with the shared subscription by which they came, and those of others stay', async () => {
    const parts = new BrokerParts();
    const first = new PartsClient(parts, 'c');
    parts.subscribe(first.session, '$share/g/t', { qos: 1, identifier: 2 });
    parts.subscribe(first.session, '$share/h/t', { qos: 2, identifier: 3 });
    parts.subscribe(first.session, 't', { qos: 1, identifier: 4 });
    first.disconnect();
    publish(parts, 't', ['1'], 2);
    const second = new PartsClient(parts, 'c', { receiveMaximum: 1 });
    publish(parts, 't', ['2'], 2);
    expect(second.session.queuedMessages).toBe(5);
    parts.unsubscribe(second.session, '$share/g/t');
    expect(second.session.queuedMessages).toBe(3);
    expect((await second.drain()).map(({ payload, qos, identifiers }) => [payload, qos, identifiers])).toEqual([
      ['1', 1, [4]],
      ['1', 2, [3]],
      ['2', 1, [4]],
      ['2', 2, [3]],
    ]);
    expect(parts.drops.of('unsubscribed')).toBe(2);
    expectAccountsRight(parts);
  });

  it('are lowered to the QoS that the subscription has when their turn comes', async () => {
    const parts = new BrokerParts();
    const client = new PartsClient(parts, 'c', { receiveMaximum: 1 });
    parts.subscribe(client.session, 't', { qos: 2 });
    publish(parts, 't', ['at two', 'at one', 'at none'], 2);
    client.settle();
    parts.subscribe(client.session, 't', { qos: 1 });
    expect(client.front.sent[0]?.qos).toBe(2);
    client.acknowledge(client.take());
    const [second] = client.take();
    expect([second?.payload, second?.qos]).toEqual(['at one', 1]);
    parts.subscribe(client.session, 't', { qos: 0 });
    client.acknowledge([second as NonNullable<typeof second>]);
    expect(client.take().map(({ payload, qos, packetId }) => [payload, qos, packetId])).toEqual([['at none', 0, 0]]);
    expectAccountsRight(parts);
  });

  it('keep RETAIN where the subscription asks for it', async () => {
    const parts = new BrokerParts();
    const client = new PartsClient(parts, 'c');
    parts.subscribe(client.session, 'a', { qos: 1, retainAsPublished: true });
    parts.subscribe(client.session, 'b', { qos: 1 });
    client.disconnect();
    for (const topic of ['a', 'b']) parts.publish({ topic, payload: topic, qos: 1, retain: true });
    publish(parts, 'a', ['plain']);
    const sent = await new PartsClient(parts, 'c').drain();
    expect(sent.map(({ payload, retain }) => [payload, retain])).toEqual([
      ['a', true],
      ['b', false],
      ['plain', false],
    ]);
  });

  it('expire while they wait', async () => {
    const parts = new BrokerParts();
    away(parts, { c: ['t'] });
    parts.publish({ topic: 't', payload: 'short', qos: 1, expirySeconds: 5 });
    parts.publish({ topic: 't', payload: 'long', qos: 1, expirySeconds: 50 });
    parts.clock.advance(5000);
    expect(payloads(await new PartsClient(parts, 'c').drain())).toEqual(['long']);
    expect(parts.drops.of('expired')).toBe(1);
    expectAccountsRight(parts);
  });

  it('are given up with the session, and let go', () => {
    const parts = new BrokerParts();
    away(parts, { a: ['t'], b: ['t', '$share/g/u'] });
    publish(parts, 't', ['1', '2', '3']);
    publish(parts, 'u', ['4']);
    new PartsClient(parts, 'a', { cleanStart: true });
    expect([parts.drops.of('session-ended'), parts.log.messages]).toEqual([3, 4]);
    parts.clock.advance(3_700_000);
    expect([parts.drops.of('session-ended'), parts.sessions.size]).toEqual([7, 1]);
    expectAccountsRight(parts);
  });

  it('are let go as the slowest of their readers goes on', async () => {
    const parts = new BrokerParts();
    away(parts, { slow: ['t'], fast: ['t'] });
    publish(
      parts,
      't',
      Array.from({ length: 1000 }, (_, i) => String(i)),
    );
    await new PartsClient(parts, 'fast').drain();
    expect(parts.log.messages).toBe(1000);
    const slow = new PartsClient(parts, 'slow', { receiveMaximum: 10 });
    for (let i = 0; i < 50; i++) slow.acknowledge(slow.take());
    expect(parts.log.messages).toBeLessThan(600);
    await slow.drain();
    expectAccountsRight(parts);
  });
});

describe('two copies of one message', () => {
  /** A session that has room for one message, and is connected. */
  function narrow(filters: readonly string[], options: PartsOptions = {}) {
    const parts = new BrokerParts(options);
    away(parts, { other: ['t'] });
    const client = new PartsClient(parts, 'c', { receiveMaximum: 1 });
    for (const [i, filter] of filters.entries()) parts.subscribe(client.session, filter, { qos: 1, identifier: i + 1 });
    return { parts, client };
  }

  it('come once each where the first is sent at once and the second has to wait', async () => {
    // The session fell behind with the second copy, and read the first one again. The count was too small from then on,
    // and the last message was lost.
    const { parts, client } = narrow(['t', '$share/g/t']);
    publish(parts, 't', ['1']);
    expect(client.session.queuedMessages).toBe(1);
    publish(parts, 't', ['2']);
    expect((await client.drain()).map(({ payload, identifiers }) => [payload, identifiers])).toEqual([
      ['1', [1]],
      ['1', [2]],
      ['2', [1]],
      ['2', [2]],
    ]);
    await new PartsClient(parts, 'other').drain();
    expectAccountsRight(parts);
  });

  it('come once each where the first is sent at once at QoS 0', async () => {
    const { parts, client } = narrow(['t', '$share/g/t']);
    parts.subscribe(client.session, 't', { qos: 0, identifier: 1 });
    publish(parts, 'u', ['nobody']);
    parts.subscribe(client.session, 'u', { qos: 1 });
    publish(parts, 'u', ['in flight']);
    client.acknowledge(client.take());
    client.front.hasRoom = false;
    publish(parts, 't', ['1', '2']);
    client.front.hasRoom = true;
    expect((await client.drain()).map(({ payload, qos, identifiers }) => [payload, qos, identifiers])).toEqual([
      ['1', 0, [1]],
      ['1', 1, [2]],
      ['2', 0, [1]],
      ['2', 1, [2]],
    ]);
    await new PartsClient(parts, 'other').drain();
    expectAccountsRight(parts);
  });

  it.each([
    [false, ['0', '1', '1']],
    [true, ['0', '2', '2']],
  ])('find room together in a queue that has it for one (drop-oldest: %s)', async (dropOldestWhenFull, expected) => {
    // The second one was refused, and its hole swallowed the first one, which had been taken.
    const { parts, client } = narrow(['t', '$share/g/t'], { maximumMessages: 1, dropOldestWhenFull });
    client.acknowledge(client.take());
    parts.subscribe(client.session, 'u', { qos: 1 });
    publish(parts, 'u', ['0']);
    publish(parts, 't', ['1', '2']);
    expect(payloads(await client.drain())).toEqual(expected);
    await new PartsClient(parts, 'other').drain();
    expect(parts.drops.of('storage-damaged')).toBe(0);
    expectAccountsRight(parts);
  });

  it('that two groups give to one session wait apart, each with its own QoS and identifier', async () => {
    // They came as one, at the higher QoS and with both identifiers.
    const { parts, client } = narrow(['$share/g/t', '$share/h/t']);
    parts.subscribe(client.session, '$share/h/t', { qos: 2, identifier: 2 });
    publish(parts, 't', ['1', '2'], 2);
    expect(client.session.queuedMessages).toBe(3);
    const sent = (await client.drain()).map(({ payload, qos, identifiers }) => [payload, qos, identifiers]);
    expect(sent.sort()).toEqual([
      ['1', 1, [1]],
      ['1', 2, [2]],
      ['2', 1, [1]],
      ['2', 2, [2]],
    ]);
    await new PartsClient(parts, 'other').drain();
    expectAccountsRight(parts);
  });

  it.each([0, 1, 2, 3, 4, 5])(
    'are told apart across a restart, with %i of them on their way',
    async (receiveMaximum) => {
      // What had been taken of the message at which the session stood was one bit for all groups.
      const parts = new BrokerParts();
      const first = new PartsClient(parts, 'c', { receiveMaximum: Math.max(receiveMaximum, 1) });
      first.front.hasRoom = receiveMaximum > 0;
      const filters = ['t', '$share/f/t', '$share/g/+', '$share/h/#'];
      for (const [i, filter] of filters.entries())
        parts.subscribe(first.session, filter, { qos: i % 2 === 0 ? 1 : 2, identifier: i + 1 });
      publish(parts, 't', ['1', '2'], 2);
      first.settle();
      const crashed = await parts.crash();
      const back = new PartsClient(crashed, 'c');
      const sent = (await back.drain()).map(({ payload, qos, identifiers }) => [payload, qos, identifiers]);
      expect(sent.sort()).toEqual([
        ['1', 1, [1]],
        ['1', 1, [3]],
        ['1', 2, [2]],
        ['1', 2, [4]],
        ['2', 1, [1]],
        ['2', 1, [3]],
        ['2', 2, [2]],
        ['2', 2, [4]],
      ]);
      expectAccountsRight(crashed);
    },
  );

  it('keep what they were sent with, and come with what the subscription says when their turn comes', async () => {
    const { parts, client } = narrow(['$share/g/t', '$share/h/t']);
    publish(parts, 't', ['1'], 2);
    parts.subscribe(client.session, '$share/g/t', { qos: 2, identifier: 11 });
    parts.subscribe(client.session, '$share/h/t', { qos: 0, identifier: 12 });
    publish(parts, 't', ['2'], 2);
    client.disconnect();
    const sent = await new PartsClient(parts, 'c').drain();
    expect(sent.map(({ payload, qos, identifiers }) => [payload, qos, identifiers]).sort()).toEqual([
      ['1', 0, [12]],
      ['1', 1, [1]],
      ['2', 0, [12]],
      ['2', 2, [11]],
    ]);
    await new PartsClient(parts, 'other').drain();
    expectAccountsRight(parts);
  });
});

describe('a subscription that changes while messages wait', () => {
  it('to QoS 0 has later messages wait behind the earlier ones', async () => {
    // They were sent at once, and again when their turn came.
    const parts = new BrokerParts();
    away(parts, { other: ['t'] });
    const client = new PartsClient(parts, 'c', { receiveMaximum: 1 });
    parts.subscribe(client.session, 't', { qos: 1 });
    publish(parts, 't', ['1', '2']);
    parts.subscribe(client.session, 't', { qos: 0 });
    publish(parts, 't', ['3']);
    publish(parts, 't', ['at QoS 0'], 0);
    expect((await client.drain()).map(({ payload, qos }) => [payload, qos])).toEqual([
      ['1', 1],
      ['at QoS 0', 0],
      ['2', 0],
      ['3', 0],
    ]);
    publish(parts, 't', ['4']);
    expect((await client.drain()).map(({ payload, qos, how }) => [payload, qos, how])).toEqual([
      ['4', 0, 'publication'],
    ]);
    await new PartsClient(parts, 'other').drain();
    expectAccountsRight(parts);
  });

  it('to No Local gives up the messages of its own that wait', async () => {
    // They were reported as lost with the disk.
    const parts = new BrokerParts();
    const client = new PartsClient(parts, 'c', { receiveMaximum: 1 });
    parts.subscribe(client.session, 't', { qos: 1 });
    for (const payload of ['1', '2']) parts.publish({ topic: 't', payload, qos: 1, publisher: client.session });
    parts.subscribe(client.session, 't', { qos: 1, noLocal: true });
    publish(parts, 't', ['3']);
    expect(payloads(await client.drain())).toEqual(['1', '3']);
    expect([parts.drops.of('unsubscribed'), parts.drops.of('storage-damaged')]).toEqual([1, 0]);
    expectAccountsRight(parts);
  });

  it('from No Local brings what was published meanwhile and waits for others too', async () => {
    // It was delivered without having been counted: one of those that had been was lost for it.
    const parts = new BrokerParts();
    away(parts, { other: ['t'] });
    const client = new PartsClient(parts, 'c', { receiveMaximum: 1 });
    parts.subscribe(client.session, 't', { qos: 1, noLocal: true });
    publish(parts, 't', ['1', '2']);
    parts.publish({ topic: 't', payload: 'own', qos: 1, publisher: client.session });
    publish(parts, 't', ['3']);
    parts.subscribe(client.session, 't', { qos: 1, noLocal: false });
    expect(payloads(await client.drain())).toEqual(['1', '2', 'own', '3']);
    await new PartsClient(parts, 'other').drain();
    expectAccountsRight(parts);
  });

  it('in a group is not passed over when it is lowered to QoS 0', async () => {
    const parts = new BrokerParts();
    const client = new PartsClient(parts, 'c', { receiveMaximum: 1 });
    parts.subscribe(client.session, '$share/g/t', { qos: 2 });
    publish(parts, 't', ['1', '2'], 1);
    parts.subscribe(client.session, '$share/g/t', { qos: 0 });
    expect((await client.drain()).map(({ payload, qos }) => [payload, qos])).toEqual([
      ['1', 1],
      ['2', 0],
    ]);
    expectAccountsRight(parts);
  });

  it('after a restart is no loss for the messages that No Local keeps from it', async () => {
    const parts = new BrokerParts();
    away(parts, { other: ['t'] });
    const first = new PartsClient(parts, 'c', { receiveMaximum: 1 });
    parts.subscribe(first.session, 't', { qos: 1, noLocal: true });
    publish(parts, 't', ['1', '2']);
    parts.publish({ topic: 't', payload: 'own', qos: 1, publisher: first.session });
    first.disconnect();
    await parts.store.flush();
    const next = await parts.crash();
    expect(payloads(await new PartsClient(next, 'c').drain())).toEqual(['1', '2']);
    await new PartsClient(next, 'other').drain();
    expect(next.drops.of('storage-damaged')).toBe(0);
    expectAccountsRight(next);
  });
});

describe('unsubscribing while messages wait', () => {
  it('gives up what came through that filter alone, and counts it', async () => {
    const parts = new BrokerParts();
    const client = new PartsClient(parts, 'c', { receiveMaximum: 1 });
    for (const filter of ['a', 'b', '#']) parts.subscribe(client.session, filter, { qos: 1 });
    publish(parts, 'a', ['in flight', '1']);
    publish(parts, 'b', ['2']);
    publish(parts, 'c', ['3']);
    parts.unsubscribe(client.session, '#');
    expect([parts.drops.of('unsubscribed'), client.session.queuedMessages]).toEqual([1, 2]);
    parts.unsubscribe(client.session, 'b');
    expect([parts.drops.of('unsubscribed'), client.session.queuedMessages]).toEqual([2, 1]);
    expect(client.session.queuedBytes).toBe(2);
    expect(payloads(await client.drain())).toEqual(['in flight', '1']);
    expectAccountsRight(parts);
  });

  it('leaves alone what waits for others', async () => {
    const parts = new BrokerParts();
    away(parts, { other: ['t'] });
    const client = new PartsClient(parts, 'c', { receiveMaximum: 1 });
    parts.subscribe(client.session, 't', { qos: 1 });
    publish(parts, 't', ['1', '2', '3']);
    parts.unsubscribe(client.session, 't');
    expect(parts.drops.of('unsubscribed')).toBe(2);
    expect(payloads(await new PartsClient(parts, 'other').drain())).toEqual(['1', '2', '3']);
    await client.drain();
    expectAccountsRight(parts);
  });

  it('and subscribing again brings only what comes from then on', async () => {
    const parts = new BrokerParts();
    away(parts, { other: ['t'] });
    const client = new PartsClient(parts, 'c', { receiveMaximum: 1 });
    parts.subscribe(client.session, 't', { qos: 1 });
    publish(parts, 't', ['1', '2']);
    parts.unsubscribe(client.session, 't');
    publish(parts, 't', ['3']);
    parts.subscribe(client.session, 't', { qos: 1 });
    publish(parts, 't', ['4']);
    expect(payloads(await client.drain())).toEqual(['1', '4']);
  });
});

describe('a full queue', () => {
  async function filled(options: PartsOptions, texts: readonly string[]) {
    const parts = new BrokerParts(options);
    away(parts, { c: ['t'], unlimited: ['t'] });
    publish(parts, 't', texts);
    return { parts, texts: payloads(await new PartsClient(parts, 'c').drain()) };
  }

  it('drops the newest, for one session and not for others', async () => {
    const parts = new BrokerParts({ maximumMessages: 3 });
    away(parts, { full: ['t'] });
    publish(parts, 't', ['1', '2']);
    away(parts, { later: ['t'] });
    publish(parts, 't', ['3', '4', '5']);
    expect(parts.drops.of('queue-full')).toBe(2);
    expect(payloads(await new PartsClient(parts, 'full').drain())).toEqual(['1', '2', '3']);
    expect(payloads(await new PartsClient(parts, 'later').drain())).toEqual(['3', '4', '5']);
    expectAccountsRight(parts);
  });

  it('takes again when it is an eighth emptier, and has a hole then', async () => {
    const parts = new BrokerParts({ maximumMessages: 16 });
    const client = new PartsClient(parts, 'c', { receiveMaximum: 1 });
    parts.subscribe(client.session, 't', { qos: 1 });
    const texts = Array.from({ length: 40 }, (_, i) => String(i));
    publish(parts, 't', texts.slice(0, 20));
    expect([client.session.queuedMessages, parts.drops.of('queue-full')]).toEqual([16, 3]);
    client.acknowledge(client.take());
    publish(parts, 't', texts.slice(20, 21));
    expect(parts.drops.of('queue-full')).toBe(4);
    client.acknowledge(client.take());
    publish(parts, 't', texts.slice(21, 30));
    expect([client.session.queuedMessages, parts.drops.of('queue-full')]).toEqual([16, 11]);
    client.acknowledge(client.take());
    client.acknowledge(client.take());
    publish(parts, 't', texts.slice(30, 31));
    const expected = [...texts.slice(4, 17), '21', '22', '30'];
    expect(payloads(await client.drain()).slice(-expected.length)).toEqual(expected);
    expectAccountsRight(parts);
  });

  it('drops the oldest', async () => {
    const { parts, texts } = await filled({ maximumMessages: 3, dropOldestWhenFull: true }, ['1', '2', '3', '4', '5']);
    expect(texts).toEqual(['3', '4', '5']);
    expect(parts.drops.of('queue-full')).toBe(4);
  });

  it('drops as many of the oldest as a large one needs', async () => {
    const options = { maximumBytes: 30, dropOldestWhenFull: true };
    const { texts } = await filled(options, ['1', '2', '3', '4', 'x'.repeat(24), '5']);
    expect(texts).toEqual(['4', 'x'.repeat(24), '5']);
  });

  it('drops what is too large for it by itself, and nothing else for it', async () => {
    for (const dropOldestWhenFull of [false, true]) {
      const texts = ['1', '2', 'x'.repeat(50), '3', 'x'.repeat(51), '4'];
      const full = await filled({ maximumBytes: 30, dropOldestWhenFull }, texts);
      expect(full.texts).toEqual(['1', '2', '3', '4']);
      await new PartsClient(full.parts, 'unlimited').drain();
      expectAccountsRight(full.parts);
    }
  });

  it('forgets its holes as it passes them', async () => {
    // It kept them until nothing was left to be read, looked through all of them for each message, and stored them.
    const parts = new BrokerParts({ maximumMessages: 8 });
    const fast = new PartsClient(parts, 'fast');
    const client = new PartsClient(parts, 'c', { receiveMaximum: 1 });
    for (const { session } of [fast, client]) parts.subscribe(session, 't', { qos: 1 });
    for (let round = 0; round < 300; round++) {
      publish(
        parts,
        't',
        Array.from({ length: 6 }, (_, i) => `${round}:${i}`),
      );
      fast.acknowledge(fast.take());
      for (let i = 0; i < 3; i++) client.acknowledge(client.take());
      expect(client.session.queuedMessages).toBeGreaterThan(0);
    }
    expect(parts.drops.of('queue-full')).toBeGreaterThan(500);
    expect(client.session.encodeState()?.length).toBeLessThan(200);
  });

  it('still has its holes after a restart', async () => {
    for (const dropOldestWhenFull of [false, true]) {
      const parts = new BrokerParts({ maximumMessages: 3, maximumBytes: 30, dropOldestWhenFull });
      away(parts, { c: ['t'] });
      publish(parts, 't', ['1', 'x'.repeat(50), '2', '3', '4', '5']);
      await parts.store.flush();
      const next = await parts.crash();
      const expected = dropOldestWhenFull ? ['3', '4', '5'] : ['1', '2', '3'];
      expect(payloads(await new PartsClient(next, 'c').drain())).toEqual(expected);
      expectAccountsRight(next);
    }
  });
});

describe('the bound on what waits for all sessions together', () => {
  const TEXT = 'x'.repeat(1000);
  const texts = (count: number, from = 0): string[] => Array.from({ length: count }, (_, i) => `${from + i} ${TEXT}`);

  it.each([false, true])(
    'keeps out what would wait, whoever it is for (drop-oldest: %s)',
    async (dropOldestWhenFull) => {
      const parts = new BrokerParts({ maximumTotalBytes: 10_500, dropOldestWhenFull });
      away(parts, { a: ['t'], b: ['#', 't'], c: ['+'] });
      publish(parts, 't', texts(15));
      expect(parts.log.messages).toBe(10);
      expect(parts.drops.of('session-queues-full')).toBe(3 * 5);
      for (const clientId of ['a', 'b', 'c']) {
        expect(payloads(await new PartsClient(parts, clientId).drain())).toEqual(texts(10));
      }
      expectAccountsRight(parts);
      expect(parts.log.waitingBytes).toBe(0);
    },
  );

  it('counts a message once, for however many and by whatever filters it waits', () => {
    const parts = new BrokerParts();
    away(parts, { a: ['t', '+', '#'], b: ['t', '$share/g/t'], c: ['#'] });
    publish(parts, 't', [TEXT]);
    expect(parts.log.waitingBytes).toBeGreaterThan(1000);
    expect(parts.log.waitingBytes).toBeLessThan(1200);
  });

  it('keeps nothing from those who need not wait', () => {
    const parts = new BrokerParts({ maximumTotalBytes: 3500 });
    away(parts, { a: ['t'] });
    const connected = new PartsClient(parts, 'c');
    parts.subscribe(connected.session, 't', { qos: 1 });
    publish(parts, 't', texts(10));
    expect(payloads(connected.take())).toEqual(texts(10));
    expect(parts.sessions.find('a')?.queuedMessages).toBe(3);
  });

  it('takes messages again when an eighth of it is free', async () => {
    const parts = new BrokerParts({ maximumTotalBytes: 41_500 });
    away(parts, { a: ['few'], b: ['many'], c: ['most'] });
    // Blocks of their own: what waits counts by the block.
    for (const [topic, count] of Object.entries({ few: 4, many: 10, most: 40 })) {
      publish(parts, topic, texts(count));
      parts.store.committer.flush();
    }
    expect([parts.log.messages, parts.drops.of('session-queues-full')]).toEqual([40, 14]);
    await new PartsClient(parts, 'a').drain();
    publish(parts, 'most', texts(1, 100));
    expect([parts.log.messages, parts.drops.of('session-queues-full')]).toEqual([36, 15]);
    await new PartsClient(parts, 'b').drain();
    publish(parts, 'most', texts(5, 200));
    expect([parts.log.messages, parts.drops.of('session-queues-full')]).toEqual([31, 15]);
    expect(payloads(await new PartsClient(parts, 'c').drain())).toEqual([...texts(26), ...texts(5, 200)]);
    expectAccountsRight(parts);
  });

  it('takes messages again with drop-oldest, though the queue itself is full', async () => {
    const parts = new BrokerParts({ maximumTotalBytes: 8500, maximumMessages: 4, dropOldestWhenFull: true });
    away(parts, { a: ['t'] });
    publish(parts, 't', texts(4));
    parts.store.committer.flush();
    away(parts, { b: ['u'] });
    publish(parts, 'u', texts(4));
    publish(parts, 't', texts(1, 9));
    expect(parts.drops.of('session-queues-full')).toBe(1);
    await new PartsClient(parts, 'b').drain();
    publish(parts, 't', texts(1, 10));
    expect(payloads(await new PartsClient(parts, 'a').drain()).at(-1)).toEqual(texts(1, 10)[0]);
    expectAccountsRight(parts);
  });

  it('is what it was after a restart, with the same messages refused', async () => {
    const parts = new BrokerParts({ maximumTotalBytes: 10_500 });
    away(parts, { a: ['t'], b: ['#'] });
    publish(parts, 't', texts(15));
    await parts.store.flush();
    const { waitingBytes } = parts.log;
    const next = await parts.crash();
    expect(next.log.waitingBytes).toBe(waitingBytes);
    publish(next, 't', texts(1, 20));
    expect(next.drops.of('session-queues-full')).toBe(2);
    for (const clientId of ['a', 'b']) {
      expect(payloads(await new PartsClient(next, clientId).drain())).toEqual(texts(10));
    }
    expectAccountsRight(next);
    expect(next.log.waitingBytes).toBe(0);
  });

  it('gives up what waited with a session that ends', () => {
    const parts = new BrokerParts({ maximumTotalBytes: 10_500 });
    away(parts, { a: ['t'] });
    publish(parts, 't', texts(10));
    new PartsClient(parts, 'a', { cleanStart: true });
    expect(parts.log.waitingBytes).toBe(0);
  });
});
