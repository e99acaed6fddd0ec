import { describe, expect, it } from 'vitest';
import { BrokerParts } from '../../support/broker-parts.js';
import type { Sent } from '../../support/fake-front.js';
import { type ConnectOptions, PartsClient, payloads } from '../../support/parts-client.js';

/** A client that has subscribed to `t`. */
function subscribed(parts: BrokerParts, clientId = 'c', options: ConnectOptions = {}): PartsClient {
  const client = new PartsClient(parts, clientId, options);
  parts.subscribe(client.session, 't', { qos: 2 });
  client.settle();
  return client;
}

function publish(parts: BrokerParts, texts: readonly string[], qos: 1 | 2 = 1): void {
  for (const payload of texts) parts.publish({ topic: 't', payload, qos });
}

const shown = (sent: readonly Sent[]) => sent.map(({ how, payload, packetId }) => `${how} ${payload} ${packetId}`);

function expectNothingLeft(parts: BrokerParts): void {
  expect(parts.accounting).toMatchObject({ missing: 0, waiting: 0 });
  expect(parts.log.messages).toBe(0);
}

describe('a kept session that is connected again', () => {
  it('gets what it has not acknowledged first, in order and with DUP, then what has waited', async () => {
    const parts = new BrokerParts();
    const first = subscribed(parts);
    publish(parts, ['1', '2', '3']);
    first.session.onPuback(2, false);
    first.disconnect();
    publish(parts, ['4', '5']);
    const second = new PartsClient(parts, 'c');
    expect(second.isPresent).toBe(true);
    expect(shown(second.front.sent)).toEqual(['resent 1 1', 'resent 3 3', 'message 4 4', 'message 5 5']);
    await second.drain();
    expectNothingLeft(parts);
  });

  it('goes on with QoS 2 where each exchange was', async () => {
    const parts = new BrokerParts();
    const first = subscribed(parts);
    publish(parts, ['1', '2', '3', '4'], 2);
    first.settle();
    expect(first.take().length).toBe(4);
    for (const packetId of [1, 2, 3]) first.session.onPubrec(packetId);
    first.session.onPubcomp(2);
    first.settle();
    first.disconnect();
    const second = new PartsClient(parts, 'c');
    expect(shown(second.front.sent)).toEqual(['pubrel  1', 'pubrel  3', 'resent 4 4']);
    for (const packetId of [1, 3]) expect(second.session.onPubcomp(packetId)).toBe(true);
    second.acknowledge(second.take().slice(2));
    expect(second.session.inflightMessages).toBe(0);
    expectNothingLeft(parts);
  });

  it('gives up what does not fit into a smaller Maximum Packet Size', () => {
    const parts = new BrokerParts();
    const first = subscribed(parts);
    publish(parts, ['small', 'much too large', 'also small']);
    first.disconnect();
    publish(parts, ['as large as that', 'last']);
    const second = new PartsClient(parts, 'c', { maximumPayload: 10 });
    expect(payloads(second.front.sent)).toEqual(['small', 'also small', 'last']);
    expect(parts.drops.of('packet-too-large')).toBe(2);
    second.acknowledge(second.take());
    expectNothingLeft(parts);
  });

  it('takes up to its Receive Maximum, PUBRELs that are not answered included [MQTT-3.3.4-9]', () => {
    const parts = new BrokerParts();
    const first = subscribed(parts);
    publish(parts, ['1', '2', '3', '4'], 2);
    first.settle();
    first.session.onPubrec(1);
    first.settle();
    first.disconnect();
    const second = new PartsClient(parts, 'c', { receiveMaximum: 2 });
    expect(shown(second.take())).toEqual(['pubrel  1', 'resent 2 2']);
    second.session.onPubcomp(1);
    second.session.pump();
    expect(shown(second.take())).toEqual(['resent 3 3']);
  });

  it('keeps the packet identifiers of QoS 2 messages that it has received', async () => {
    const parts = new BrokerParts();
    const first = subscribed(parts);
    first.session.noteReceived(7);
    first.session.noteReceived(8);
    first.session.release(7);
    await parts.store.flush();
    const next = await parts.crash();
    const { session } = new PartsClient(next, 'c');
    expect([session.hasReceived(7), session.hasReceived(8)]).toEqual([false, true]);
  });
});

describe('a kept session after a crash', () => {
  it('has exactly what was not acknowledged, when that has been stored', async () => {
    const parts = new BrokerParts();
    const other = subscribed(parts, 'other');
    const first = subscribed(parts, 'c', { receiveMaximum: 6 });
    const texts = Array.from({ length: 12 }, (_, i) => String(i));
    for (const [i, payload] of texts.entries()) publish(parts, [payload], i % 2 === 0 ? 1 : 2);
    first.settle();
    other.disconnect();
    // In flight are the first six; three of them are acknowledged, and one is half way.
    first.session.onPuback(1, false);
    first.session.onPubrec(2);
    first.session.onPubcomp(2);
    first.session.onPuback(5, false);
    first.session.onPubrec(4);
    await parts.store.flush();
    const next = await parts.crash();
    const second = new PartsClient(next, 'c', { receiveMaximum: 100 });
    const sent = await second.drain();
    expect(sent.filter(({ how }) => how === 'pubrel').map(({ packetId }) => packetId)).toEqual([4]);
    expect(
      payloads(sent.filter(({ how }) => how !== 'pubrel'))
        .map(Number)
        .sort((a, b) => a - b),
    ).toEqual([2, 5, 6, 7, 8, 9, 10, 11]);
    second.session.onPubcomp(4);
    expect(payloads(await new PartsClient(next, 'other').drain()).length).toBe(12);
    expectNothingLeft(next);
  });

  it('repeats QoS 1 messages whose acknowledgement was not stored, with DUP, and no QoS 2 message', async () => {
    const parts = new BrokerParts();
    const other = subscribed(parts, 'other');
    const first = subscribed(parts);
    publish(parts, ['two'], 2);
    publish(parts, ['one']);
    first.settle();
    first.session.onPubrec(1);
    first.settle();
    first.session.onPubcomp(1);
    other.disconnect();
    parts.store.committer.flush();
    first.session.onPuback(2, false);
    const next = await parts.crash();
    const second = new PartsClient(next, 'c');
    expect((await second.arrive()).map(({ how, payload }) => [how, payload])).toEqual([
      ['pubrel', ''],
      ['resent', 'one'],
    ]);
  });

  it('sends with DUP what an earlier process may have sent, and not what came later', async () => {
    const parts = new BrokerParts();
    subscribed(parts, 'other').disconnect();
    subscribed(parts);
    publish(parts, ['maybe']);
    parts.store.committer.flush();
    const second = await parts.crash();
    publish(second, ['waited']);
    second.store.committer.flush();
    const third = await second.crash();
    const client = new PartsClient(third, 'c');
    expect((await client.arrive()).map(({ how, payload }) => [how, payload])).toEqual([
      ['resent', 'maybe'],
      ['message', 'waited'],
    ]);
  });

  it('does not wait for what was acknowledged and dropped before its state was stored', async () => {
    const parts = new BrokerParts();
    const first = subscribed(parts);
    for (let i = 0; i < 20; i++) {
      publish(parts, [`${i}.`.padEnd(5000, '.')]);
      parts.store.committer.flush();
    }
    first.session.noteReceived(1);
    parts.store.committer.flush();
    // One acknowledgement among twenty is not worth a state of its own, but its block is gone.
    first.session.onPuback(1, false);
    parts.store.committer.flush();
    const next = await parts.crash();
    const second = new PartsClient(next, 'c');
    expect((await second.arrive()).length).toBe(19);
    expect(next.drops.of('storage-damaged')).toBe(0);
    expect(next.accounting.missing).toBe(0);
  });

  it('goes on with QoS 2 exchanges whose message is not there any more', async () => {
    // The identifier was free again, and the client took the next message under it for a repeat.
    const parts = new BrokerParts({ memoryTopics: ['t'] });
    const first = subscribed(parts);
    publish(parts, ['lost'], 2);
    publish(parts, ['lost too'], 1);
    first.settle();
    expect(payloads(first.take())).toEqual(['lost', 'lost too']);
    const next = await parts.crash();
    const second = new PartsClient(next, 'c');
    expect(shown(await second.arrive())).toEqual(['pubrel  1']);
    expect(second.session.onPubcomp(1)).toBe(true);
    expectNothingLeft(next);
  });

  it('has its own stream, and what waits there', async () => {
    const parts = new BrokerParts();
    const first = new PartsClient(parts, 'c');
    parts.subscribe(first.session, '$share/g/t', { qos: 1, identifier: 5 });
    first.disconnect();
    publish(parts, ['1', '2']);
    parts.store.committer.flush();
    const next = await parts.crash();
    publish(next, ['3']);
    next.store.committer.flush();
    const last = await next.crash();
    const second = new PartsClient(last, 'c');
    expect((await second.drain()).map(({ payload, identifiers }) => [payload, identifiers])).toEqual([
      ['1', [5]],
      ['2', [5]],
      ['3', [5]],
    ]);
    expectNothingLeft(last);
  });

  it('has the retained messages that were on their way to it, though no stream brings them', async () => {
    const parts = new BrokerParts();
    const first = new PartsClient(parts, 'c');
    parts.publish({ topic: 't', payload: 'retained', qos: 1, retain: true });
    const replays = parts.replaysFor(first.session);
    replays.add(parts.subscribe(first.session, 't', { qos: 1, retainHandling: 0 }).replays);
    replays.advance();
    expect(payloads(first.take())).toEqual(['retained']);
    parts.store.committer.flush();
    const next = await parts.crash();
    const second = new PartsClient(next, 'c');
    const sent = await second.arrive();
    expect(sent).toMatchObject([{ how: 'resent', payload: 'retained', retain: true }]);
    second.acknowledge(sent);
    expectNothingLeft(next);
  });

  it('reads messages from before a subscription for nobody', async () => {
    const parts = new BrokerParts();
    subscribed(parts, 'other').disconnect();
    publish(parts, ['before']);
    subscribed(parts).disconnect();
    publish(parts, ['after']);
    parts.store.committer.flush();
    const next = await parts.crash();
    expect(next.sessions.find('c')?.queuedMessages).toBe(1);
    expect(payloads(await new PartsClient(next, 'c').drain())).toEqual(['after']);
  });
});

describe('a kept session whose messages are damaged on the disk', () => {
  it('gets the others, and the loss is counted', async () => {
    const parts = new BrokerParts({ cacheBytes: 0 });
    subscribed(parts).disconnect();
    for (let block = 0; block < 5; block++) {
      publish(
        parts,
        Array.from({ length: 5 }, (_, i) => `${block}:${i}`.padEnd(1000, '.')),
      );
      parts.store.committer.flush();
    }
    const [, second] = parts.store.blocks.stored.sort((a, b) => a - b);
    parts.store.blocks.damage(second as number);
    const client = new PartsClient(parts, 'c', { receiveMaximum: 3 });
    const sent = await client.drain();
    expect([...new Set(sent.map(({ payload }) => payload[0]))]).toEqual(['0', '2', '3', '4']);
    expect([sent.length, parts.drops.of('storage-damaged')]).toEqual([20, 5]);
    expectNothingLeft(parts);
  });

  it('gives up those that were on their way, too, and ends their exchanges', async () => {
    const parts = new BrokerParts({ cacheBytes: 0 });
    const first = subscribed(parts);
    publish(parts, ['1'.padEnd(5000, '.')]);
    publish(parts, ['2'.padEnd(5000, '.')], 2);
    parts.store.committer.flush();
    publish(parts, ['3']);
    first.disconnect();
    await parts.store.flush();
    const next = await parts.crash();
    next.store.blocks.damage(next.store.blocks.stored.sort((a, b) => a - b)[0] as number);
    const second = new PartsClient(next, 'c');
    expect(shown(await second.drain())).toEqual(['pubrel  2', 'resent 3 3']);
    expect([next.drops.of('storage-damaged'), second.session.inflightMessages]).toEqual([2, 0]);
    expectNothingLeft(next);
  });
});
