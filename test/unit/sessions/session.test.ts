import { describe, expect, it } from 'vitest';
import { type DeliveryOptions, Readiness } from '../../../src/core/subscriber.js';
import { Session, type SessionContext } from '../../../src/sessions/session.js';
import { MemoryMessageQueue } from '../../../src/store/memory-message-queue.js';
import { FakeFront } from '../../support/fake-front.js';
import { deliver, sessionContext, subscribe } from '../../support/session-context.js';
import type { TestMessageFields } from '../../support/test-message.js';

interface SetUp {
  readonly receiveMaximum?: number;
  /** Of the kept session; 0 for one that ends with its connection. */
  readonly number?: number;
  readonly overrides?: Partial<SessionContext>;
}

function connected({ receiveMaximum = 10, number = 0, overrides = {} }: SetUp = {}) {
  const context = sessionContext(overrides);
  const session = new Session('c', context, number);
  const front = new FakeFront();
  const epoch = session.attach(front, receiveMaximum);
  session.resume();
  const streams = subscribe(context, session, 't').stream?.alone ?? null;
  const send = (fields: TestMessageFields, options: Partial<DeliveryOptions> = {}) =>
    deliver(context, session, fields, { streams, ...options });
  return { context, session, front, epoch, send };
}

describe('Session', () => {
  it('sends at the lower QoS, RETAIN as asked, with identifiers', () => {
    const { front, send } = connected();
    send({ payload: 'a', qos: 2, retain: true }, { qos: 1, identifiers: [3] });
    send({ payload: 'b', qos: 0, retain: true }, { qos: 2, retainAsPublished: true });
    expect(front.sent).toEqual([
      { how: 'publication', payload: 'a', qos: 1, packetId: 1, retain: false, identifiers: [3] },
      { how: 'publication', payload: 'b', qos: 0, packetId: 0, retain: true, identifiers: null },
    ]);
  });

  it('lets messages wait beyond its window and sends them as it is acknowledged, in order', () => {
    const { session, front, send } = connected({ receiveMaximum: 2 });
    for (const payload of ['1', '2', '3', '4', '5']) send({ payload });
    expect(front.takePayloads()).toEqual(['1', '2']);
    expect([session.inflightMessages, session.queuedMessages]).toEqual([2, 3]);
    expect(session.readiness).toBe(Readiness.Full);
    expect(session.onPuback(2, false)).toBe(true);
    session.pump();
    expect(front.takePayloads()).toEqual(['3']);
    session.onPuback(1, false);
    session.onPuback(3, false);
    // Room in the window, but others wait: the new one must not pass them.
    send({ payload: '6' });
    expect(front.takePayloads()).toEqual([]);
    session.pump();
    expect(front.takePayloads()).toEqual(['4', '5']);
  });

  it('lets messages wait while the outbound buffer is full, and QoS 0 not', () => {
    const { session, front, send } = connected();
    front.hasRoom = false;
    send({ payload: 'one' });
    send({ payload: 'zero', qos: 0 });
    expect(front.takePayloads()).toEqual(['zero']);
    front.hasRoom = true;
    session.pump();
    expect(front.takePayloads()).toEqual(['one']);
  });

  it('drops what is expired or too large when its turn comes', () => {
    const { context, session, front, send } = connected({ receiveMaximum: 1 });
    send({ payload: 'first' });
    send({ payload: 'expires', messageExpiryInterval: 5 });
    send({ payload: 'much too large' });
    send({ payload: 'last' });
    context.clock.advance(5000);
    front.maximumPayload = 5;
    session.onPuback(1, false);
    session.pump();
    expect(front.takePayloads()).toEqual(['first', 'last']);
    expect([context.drops.of('expired'), context.drops.of('packet-too-large')]).toEqual([1, 1]);
    expect(session.inflightMessages).toBe(1);
  });

  it('counts what it cannot take', () => {
    const { context, session, front, epoch, send } = connected({ number: 1 });
    front.maximumPayload = 1;
    send({ payload: 'large' });
    send({ payload: 'large', qos: 0 });
    session.detach(epoch);
    send({ qos: 0 });
    expect(context.drops.of('packet-too-large')).toBe(2);
    expect(context.drops.of('offline-qos0')).toBe(1);
  });

  it('refuses a stale epoch', () => {
    const { session, epoch, send } = connected();
    const front = new FakeFront();
    const later = session.attach(front, 10);
    expect(session.detach(epoch)).toBe(false);
    expect(session.isConnected).toBe(true);
    send({ payload: 'x' });
    expect(front.takePayloads()).toEqual(['x']);
    expect(session.detach(later)).toBe(true);
    expect(session.detach(later)).toBe(false);
  });

  it('resends in order within a smaller window, then what waited', () => {
    const { session, epoch, send } = connected({ receiveMaximum: 4, number: 1 });
    for (const payload of ['1', '2', '3', '4', '5']) send({ payload });
    session.detach(epoch);
    send({ payload: '6' });
    const front = new FakeFront();
    session.attach(front, 2);
    session.resume();
    expect(front.sent.map((one) => [one.how, one.payload, one.packetId])).toEqual([
      ['resent', '1', 1],
      ['resent', '2', 2],
    ]);
    send({ payload: '7' });
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
    const { session, front, epoch } = connected({ receiveMaximum: 1 });
    expect(session.readiness).toBe(Readiness.Ready);
    front.hasRoom = false;
    expect(session.readiness).toBe(Readiness.Full);
    session.detach(epoch);
    expect(session.readiness).toBe(Readiness.Gone);
    const kept = connected({ number: 1 });
    kept.session.detach(kept.epoch);
    expect(kept.session.readiness).toBe(Readiness.Away);
    kept.session.end();
    expect(kept.session.readiness).toBe(Readiness.Gone);
  });

  it('asks its publishers to wait above the soft limit, in messages or in bytes', () => {
    const messages = connected({ receiveMaximum: 1, overrides: { softLimit: 3 } });
    for (let i = 0; i < 5; i++) messages.send({});
    expect(messages.front.congested).toBe(1);
    const bytes = connected({ receiveMaximum: 1, overrides: { softLimitBytes: 250 } });
    for (let i = 0; i < 4; i++) bytes.send({ payload: 'x'.repeat(99) });
    expect(bytes.front.congested).toBe(1);
    expect(bytes.session.isCongested).toBe(true);
  });

  it.each([
    [0, false, ['1', '2']],
    [0, true, ['2', '3']],
    [1, false, ['1', '2']],
    [1, true, ['2', '3']],
  ])(
    'session %i drops the newest or the oldest (%s) when its queue is full',
    (number, dropOldestWhenFull, expected) => {
      const openQueue = () => new MemoryMessageQueue(2, 20);
      const backlogLimits = { maximumMessages: 2, maximumBytes: 20, maximumTotalBytes: Number.POSITIVE_INFINITY };
      const overrides = { openQueue, backlogLimits, dropOldestWhenFull };
      const { context, session, front, send } = connected({ receiveMaximum: 1, number, overrides });
      for (const payload of ['0', '1', '2', '3']) send({ payload });
      send({ payload: 'never fits into 20 bytes' });
      expect(context.drops.of('queue-full')).toBe(2);
      front.takePayloads();
      session.onPuback(1, false);
      session.pump();
      session.onPuback(2, false);
      session.pump();
      expect(front.takePayloads()).toEqual(expected);
    },
  );

  it('has messages stored if it is kept, and notes the ticket', () => {
    const clean = connected();
    expect(clean.send({ payload: 'a' }).ticket).toBe(0);
    expect(clean.context.log.messages).toBe(0);
    const kept = connected({ number: 1 });
    const publication = kept.send({ payload: 'b', qos: 1 });
    expect(publication.receivers).toBe(1);
    expect(kept.context.journal.entries.at(-1)).toMatchObject({ verb: 'messageLogged', ticket: publication.ticket });
    expect(kept.context.log.messages).toBe(1);
    expect(kept.send({ qos: 0 }).ticket).toBe(0);
    kept.session.onPuback(1, false);
    expect(kept.context.log.messages).toBe(0);
  });

  it('keeps the two directions of packet identifiers apart', () => {
    const { session, send } = connected();
    send({ qos: 2 });
    expect(session.hasReceived(1)).toBe(false);
    expect(session.release(1)).toBe(-1);
    session.noteReceived(1);
    expect([session.hasReceived(1), session.isInflight(1)]).toEqual([true, true]);
    expect(session.onPubrec(1)).toBe(0);
    expect(session.onPubcomp(1)).toBe(true);
    expect([session.hasReceived(1), session.isInflight(1)]).toEqual([true, false]);
    expect(session.release(1)).toBe(0);
    expect(session.receivedIds).toBe(0);
  });

  it.each([0, 1])('counts what is lost with session %i, and lets go of it', (number) => {
    const { context, session, send } = connected({ receiveMaximum: 2, number });
    for (let i = 0; i < 5; i++) send({});
    session.end();
    expect(context.drops.of('session-ended')).toBe(5);
    expect(session.isConnected).toBe(false);
    expect(context.log.messages).toBe(0);
  });

  describe('that is kept, with a slow disk', () => {
    function slow() {
      const context = sessionContext({}, true);
      const session = new Session('c', context, 1);
      const front = new FakeFront();
      let epoch = session.attach(front, 10);
      session.resume();
      const reconnect = () => {
        session.detach(epoch);
        epoch = session.attach(front, 10);
        session.resume();
      };
      const settle = () => {
        context.journal.settle();
        session.onSettled();
      };
      return { context, session, front, reconnect, settle };
    }

    it('sends QoS 1 at once, QoS 2 when its packet identifier is stored, and what comes behind it after it', () => {
      const { context, session, front, settle } = slow();
      deliver(context, session, { payload: 'one', qos: 1 });
      deliver(context, session, { payload: 'two', qos: 2 });
      deliver(context, session, { payload: 'three', qos: 1 });
      expect(front.takePayloads()).toEqual(['one']);
      expect(front.awaitingCommit).toBe(2);
      expect(session.isAwaitingCommit).toBe(true);
      session.pump();
      expect(front.takePayloads()).toEqual([]);
      settle();
      expect(front.sent).toEqual([
        { how: 'message', payload: 'two', qos: 2, packetId: 2, retain: false, identifiers: null },
        { how: 'message', payload: 'three', qos: 1, packetId: 3, retain: false, identifiers: null },
      ]);
      expect(session.isAwaitingCommit).toBe(false);
    });

    it('has PUBREL wait for the state that says so', () => {
      const { context, session, settle } = slow();
      deliver(context, session, { qos: 2 });
      settle();
      const ticket = session.onPubrec(1);
      expect(ticket).toBeGreaterThan(context.journal.settledTicket);
      // A repeated PUBREC must not be answered before the first one.
      expect(session.onPubrec(1)).toBe(ticket);
      settle();
      expect(session.onPubrec(1)).toBeLessThanOrEqual(context.journal.settledTicket);
    });

    it('sends what was not stored yet on the next connection, when it is', () => {
      const { context, session, front, reconnect, settle } = slow();
      deliver(context, session, { payload: 'two', qos: 2 });
      reconnect();
      expect(front.takePayloads()).toEqual([]);
      expect(session.isAwaitingCommit).toBe(true);
      settle();
      expect(front.sent.map(({ how, payload, packetId }) => [how, payload, packetId])).toEqual([['resent', 'two', 1]]);
    });

    it('has PUBCOMP wait for the release of the identifier', () => {
      const { context, session, settle } = slow();
      expect(session.noteReceived(5)).toBeGreaterThan(context.journal.settledTicket);
      settle();
      expect(session.release(5)).toBeGreaterThan(context.journal.settledTicket);
    });
  });
});
