import { describe, expect, it } from 'vitest';
import { Readiness } from '../../../src/core/subscriber.js';
import { Session } from '../../../src/sessions/session.js';
import { MemoryMessageQueue } from '../../../src/store/memory-message-queue.js';
import { FakeFront } from '../../support/fake-front.js';
import { deliver, sessionContext } from '../../support/session-context.js';

function connected(receiveMaximum = 10, overrides = {}) {
  const context = sessionContext(overrides);
  const session = new Session('c', context);
  const front = new FakeFront();
  const epoch = session.attach(front, receiveMaximum);
  session.resume();
  return { context, session, front, epoch };
}

describe('Session', () => {
  it('sends at the lower QoS, RETAIN as asked, with identifiers', () => {
    const { session, front } = connected();
    deliver(session, { payload: 'a', qos: 2, retain: true }, { qos: 1, identifiers: [3] });
    deliver(session, { payload: 'b', qos: 0, retain: true }, { qos: 2, retainAsPublished: true });
    expect(front.sent).toEqual([
      { how: 'publication', payload: 'a', qos: 1, packetId: 1, retain: false, identifiers: [3] },
      { how: 'publication', payload: 'b', qos: 0, packetId: 0, retain: true, identifiers: null },
    ]);
  });

  it('lets messages wait beyond its window and sends them as it is acknowledged, in order', () => {
    const { session, front } = connected(2);
    for (const payload of ['1', '2', '3', '4', '5']) deliver(session, { payload });
    expect(front.takePayloads()).toEqual(['1', '2']);
    expect([session.inflightMessages, session.queuedMessages]).toEqual([2, 3]);
    expect(session.readiness).toBe(Readiness.Full);
    expect(session.onPuback(2, false)).toBe(true);
    session.pump();
    expect(front.takePayloads()).toEqual(['3']);
    session.onPuback(1, false);
    session.onPuback(3, false);
    // Room in the window, but others wait: the new one must not pass them.
    deliver(session, { payload: '6' });
    expect(front.takePayloads()).toEqual([]);
    session.pump();
    expect(front.takePayloads()).toEqual(['4', '5']);
  });

  it('lets messages wait while the outbound buffer is full, and QoS 0 not', () => {
    const { session, front } = connected();
    front.hasRoom = false;
    deliver(session, { payload: 'one' });
    deliver(session, { payload: 'zero', qos: 0 });
    expect(front.takePayloads()).toEqual(['zero']);
    front.hasRoom = true;
    session.pump();
    expect(front.takePayloads()).toEqual(['one']);
  });

  it('bounds the bytes that are on their way', () => {
    const { session, front } = connected(100, { inflightMaximumBytes: 250 });
    for (let i = 0; i < 5; i++) deliver(session, { payload: `${i}`.padEnd(99, '.') });
    expect(front.takePayloads().length).toBe(3);
    session.onPuback(1, false);
    session.pump();
    expect(front.takePayloads().length).toBe(1);
  });

  it('drops what is expired or too large when its turn comes', () => {
    const { context, session, front } = connected(1);
    deliver(session, { payload: 'first' });
    deliver(session, { payload: 'expires', messageExpiryInterval: 5 });
    deliver(session, { payload: 'much too large' });
    deliver(session, { payload: 'last' });
    context.clock.advance(5000);
    front.maximumPayload = 5;
    session.onPuback(1, false);
    session.pump();
    expect(front.takePayloads()).toEqual(['first', 'last']);
    expect([context.drops.of('expired'), context.drops.of('packet-too-large')]).toEqual([1, 1]);
    expect(session.inflightMessages).toBe(1);
  });

  it('counts what it cannot take', () => {
    const { context, session, front, epoch } = connected();
    front.maximumPayload = 1;
    deliver(session, { payload: 'large' });
    deliver(session, { payload: 'large', qos: 0 });
    session.expirySeconds = 10;
    session.detach(epoch);
    deliver(session, { qos: 0 });
    expect(context.drops.of('packet-too-large')).toBe(2);
    expect(context.drops.of('offline-qos0')).toBe(1);
  });

  it('refuses a stale epoch', () => {
    const { session, epoch } = connected();
    const front = new FakeFront();
    const later = session.attach(front, 10);
    expect(session.detach(epoch)).toBe(false);
    expect(session.isConnected).toBe(true);
    deliver(session, { payload: 'x' });
    expect(front.takePayloads()).toEqual(['x']);
    expect(session.detach(later)).toBe(true);
    expect(session.detach(later)).toBe(false);
  });

  it('resends in order within a smaller window, then what waited', () => {
    const { session, epoch } = connected(4);
    session.expirySeconds = 10;
    for (const payload of ['1', '2', '3', '4', '5']) deliver(session, { payload });
    session.detach(epoch);
    deliver(session, { payload: '6' });
    const front = new FakeFront();
    session.attach(front, 2);
    session.resume();
    expect(front.sent.map((one) => [one.how, one.payload, one.packetId])).toEqual([
      ['resent', '1', 1],
      ['resent', '2', 2],
    ]);
    deliver(session, { payload: '7' });
    const seen = front.takePayloads();
    for (let packetId = 1; packetId <= 7; packetId++) {
      expect(session.onPuback(packetId, false)).toBe(true);
      session.pump();
      seen.push(...front.takePayloads());
    }
    expect(seen).toEqual(['1', '2', '3', '4', '5', '6', '7']);
    expect([session.inflightMessages, session.queuedMessages]).toEqual([0, 0]);
  });

  it('tells how ready it is', () => {
    const { session, front, epoch } = connected(1);
    expect(session.readiness).toBe(Readiness.Ready);
    front.hasRoom = false;
    expect(session.readiness).toBe(Readiness.Full);
    session.detach(epoch);
    expect(session.readiness).toBe(Readiness.Gone);
    session.expirySeconds = 5;
    expect(session.readiness).toBe(Readiness.Away);
  });

  it('asks its publishers to wait above the soft limit, in messages or in bytes', () => {
    const messages = connected(1, { queueSoftLimit: 3 });
    for (let i = 0; i < 5; i++) deliver(messages.session, {});
    expect(messages.front.congested).toBe(1);
    const bytes = connected(1, { queueSoftLimitBytes: 250 });
    for (let i = 0; i < 4; i++) deliver(bytes.session, { payload: 'x'.repeat(99) });
    expect(bytes.front.congested).toBe(1);
    expect(bytes.session.isCongested).toBe(true);
  });

  it('drops the newest or the oldest when its queue is full', () => {
    const openQueue = () => new MemoryMessageQueue(2, 20);
    for (const [dropOldestWhenFull, expected] of [
      [false, ['1', '2']],
      [true, ['2', '3']],
    ] as const) {
      const { context, session, front } = connected(1, { openQueue, dropOldestWhenFull });
      for (const payload of ['0', '1', '2', '3']) deliver(session, { payload });
      deliver(session, { payload: 'never fits into 20 bytes' });
      expect(context.drops.of('queue-full')).toBe(2);
      front.takePayloads();
      session.onPuback(1, false);
      session.pump();
      session.onPuback(2, false);
      session.pump();
      expect(front.takePayloads()).toEqual(expected);
    }
  });

  it('journals for a kept session only, and notes the ticket', () => {
    const { context, session } = connected();
    expect(deliver(session, { payload: 'a' }).ticket).toBe(0);
    session.expirySeconds = 10;
    const publication = deliver(session, { payload: 'b' });
    expect(publication.ticket).toBe(1);
    expect(publication.receivers).toBe(1);
    expect(deliver(session, { qos: 0 }).ticket).toBe(0);
    expect(context.journal.verbs()).toEqual(['messageQueued c t 1']);
  });

  it('keeps the two directions of packet identifiers apart', () => {
    const { session } = connected();
    deliver(session, { qos: 2 });
    expect(session.hasReceived(1)).toBe(false);
    expect(session.release(1)).toBe(-1);
    session.noteReceived(1);
    expect([session.hasReceived(1), session.isInflight(1)]).toEqual([true, true]);
    expect(session.onPubrec(1)).toBe(true);
    expect(session.onPubcomp(1)).toBe(true);
    expect([session.hasReceived(1), session.isInflight(1)]).toEqual([true, false]);
    expect(session.release(1)).toBe(0);
    expect(session.receivedIds).toBe(0);
  });

  it('counts what is lost with it', () => {
    const { context, session } = connected(2);
    for (let i = 0; i < 5; i++) deliver(session, {});
    session.end();
    expect(context.drops.of('session-ended')).toBe(5);
    expect(session.isConnected).toBe(false);
  });
});
