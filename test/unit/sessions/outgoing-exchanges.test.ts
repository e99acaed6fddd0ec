import { describe, expect, it } from 'vitest';
import { DeliveryAccounts } from '../../../src/core/delivery-accounts.js';
import { DropCounters } from '../../../src/core/drop-counters.js';
import type { Message, Qos } from '../../../src/core/message.js';
import { type ExchangeContext, OutgoingExchanges, SENT_LATER } from '../../../src/sessions/outgoing-exchanges.js';
import { FakeFront } from '../../support/fake-front.js';
import { testMessage } from '../../support/test-message.js';

const LIMIT = 10;
const NOT_READ = undefined;

function setUp(isKept = true) {
  const drops = new DropCounters();
  const accounts = new DeliveryAccounts(drops);
  const world = { settled: 0, recorded: 0, repeatsThrough: 0, forbidden: '' };
  const contents = new Map<number, Message | null | undefined>();
  const released: number[] = [];
  let letGo = 0;
  // Of log and recorder what exchanges use.
  const context = {
    log: {
      find: (sequence: number) => contents.get(sequence),
      has: (sequence: number) => contents.has(sequence),
      release: (sequence: number) => {
        if (sequence > 0) released.push(sequence);
      },
    },
    recorder: {
      sequence: 99,
      letGo: () => {
        letGo++;
      },
    },
    accounts,
    settledTicket: () => world.settled,
  } as unknown as ExchangeContext;
  const owner = {
    isKept,
    get repeatsThrough() {
      return world.repeatsThrough;
    },
    onOutgoingChanged: () => ++world.recorded,
    mayBeSent: (topic: string) => topic !== world.forbidden,
  };
  const exchanges = new OutgoingExchanges(context, owner, { onLoaded: () => {} });
  const front = new FakeFront();
  const begin = (sequence: number, qos: Qos) => {
    contents.set(sequence, testMessage({ payload: `m${sequence}`, qos }));
    return exchanges.begin(front, qos, false, null, sequence);
  };
  const send = (sequence: number, qos: Qos) => {
    const message = testMessage({ payload: `m${sequence}`, qos });
    contents.set(sequence, message);
    exchanges.send(front, message, qos, false, null, sequence);
  };
  const settle = () => {
    world.settled = world.recorded;
  };
  return { exchanges, front, begin, send, settle, world, contents, released, drops, accounts, letGo: () => letGo };
}

describe('OutgoingExchanges, the first time', () => {
  it('lets QoS 1 be sent at once', () => {
    const { exchanges, begin } = setUp();
    expect([begin(1, 1), begin(2, 1)]).toEqual([1, 2]);
    expect([exchanges.count, exchanges.undelivered, exchanges.isAwaitingCommit]).toEqual([2, 2, false]);
  });

  it('sends QoS 2 of a kept session when its identifier is stored, and what comes behind it after it', () => {
    const { exchanges, front, begin, send, settle } = setUp();
    expect(begin(1, 2)).toBe(SENT_LATER);
    expect(begin(2, 1)).toBe(SENT_LATER);
    send(3, 1);
    expect(front.awaitingCommit).toBe(3);
    // More may begin meanwhile, and waits behind.
    expect(exchanges.advance(front, LIMIT)).toBe(true);
    expect(front.sent).toEqual([]);
    settle();
    expect(exchanges.advance(front, LIMIT)).toBe(true);
    expect(front.sent.map(({ payload, qos, packetId }) => [payload, qos, packetId])).toEqual([
      ['m1', 2, 1],
      ['m2', 1, 2],
      ['m3', 1, 3],
    ]);
    expect(exchanges.isAwaitingCommit).toBe(false);
  });

  it('waits for nothing in a session that ends with its connection', () => {
    const { begin, world } = setUp(false);
    expect(begin(0, 2)).toBe(1);
    expect(world.recorded).toBe(0);
  });

  it('sends with DUP what may have been sent before a crash [MQTT-3.3.1-1]', () => {
    const { front, send, world } = setUp();
    world.repeatsThrough = 7;
    send(7, 1);
    send(8, 1);
    expect(front.sent.map(({ how }) => how)).toEqual(['resent', 'message']);
  });

  it('goes on where the buffer was full, or the log had to be read', () => {
    const { exchanges, front, begin, settle, contents } = setUp();
    begin(1, 2);
    begin(2, 2);
    settle();
    front.hasRoom = false;
    expect(exchanges.advance(front, LIMIT)).toBe(false);
    front.hasRoom = true;
    contents.set(2, NOT_READ);
    expect(exchanges.advance(front, LIMIT)).toBe(false);
    expect(front.takePayloads()).toEqual(['m1']);
    contents.set(2, testMessage({ payload: 'm2' }));
    expect(exchanges.advance(front, LIMIT)).toBe(true);
    expect(front.takePayloads()).toEqual(['m2']);
  });

  it('does not send what the client has acknowledged before it got it', () => {
    const { exchanges, front, begin, settle } = setUp();
    begin(1, 2);
    exchanges.onPubrec(1);
    settle();
    expect(exchanges.advance(front, LIMIT)).toBe(true);
    expect(front.sent).toEqual([]);
  });

  it('counts what the log has lost', () => {
    const { exchanges, front, begin, settle, contents, drops } = setUp();
    begin(1, 2);
    contents.set(1, null);
    settle();
    expect(exchanges.advance(front, LIMIT)).toBe(true);
    expect([exchanges.count, drops.of('storage-damaged')]).toEqual([0, 1]);
  });
});

describe('OutgoingExchanges, the client’s answers', () => {
  it('count what is delivered or refused, and let the log forget it', () => {
    const { exchanges, begin, settle, accounts, drops, released } = setUp();
    for (const sequence of [1, 2]) begin(sequence, 1);
    begin(3, 2);
    settle();
    expect(exchanges.onPuback(1, false)).toBe(true);
    expect(exchanges.onPuback(2, true)).toBe(true);
    expect(exchanges.onPubrecRefusal(3)).toBe(true);
    expect([accounts.delivered, drops.of('refused-by-client')]).toEqual([1, 2]);
    expect([released, exchanges.count]).toEqual([[1, 2, 3], 0]);
  });

  it('are told to fit nothing that is on its way', () => {
    const { exchanges, begin } = setUp();
    begin(1, 1);
    expect(exchanges.onPuback(2, false)).toBe(false);
    expect(exchanges.onPubrec(1)).toBe(-1);
    expect(exchanges.onPubrecRefusal(1)).toBe(false);
    expect(exchanges.onPubcomp(1)).toBe(false);
    expect(exchanges.has(1)).toBe(true);
  });

  it('have PUBREL wait for the record of PUBREC, the repeated one too', () => {
    const { exchanges, begin, settle, world } = setUp();
    begin(1, 2);
    settle();
    const ticket = exchanges.onPubrec(1);
    expect(ticket).toBe(world.recorded);
    expect(ticket).toBeGreaterThan(world.settled);
    expect(exchanges.onPubrec(1)).toBe(ticket);
    expect([exchanges.count, exchanges.undelivered]).toEqual([1, 0]);
    expect(exchanges.onPubcomp(1)).toBe(true);
    expect(exchanges.count).toBe(0);
  });

  it('record nothing for a session that is not kept', () => {
    const { exchanges, begin, world, released } = setUp(false);
    begin(0, 1);
    begin(0, 2);
    exchanges.onPuback(1, false);
    expect(exchanges.onPubrec(2)).toBe(0);
    exchanges.onPubcomp(2);
    expect([world.recorded, released]).toEqual([0, []]);
  });
});

describe('OutgoingExchanges, on the next connection', () => {
  it('sends PUBREL first, then messages in their order, within the Receive Maximum', () => {
    const { exchanges, front, begin, settle } = setUp();
    for (const sequence of [1, 2]) begin(sequence, 1);
    begin(3, 2);
    settle();
    exchanges.onPubrec(3);
    settle();
    exchanges.onDetached();
    exchanges.beginResend();
    expect(exchanges.hasRoom(LIMIT)).toBe(false);
    expect(exchanges.advance(front, 2)).toBe(false);
    expect(front.sent.map(({ how, packetId }) => [how, packetId])).toEqual([
      ['pubrel', 3],
      ['resent', 1],
    ]);
    exchanges.onPubcomp(3);
    expect(exchanges.advance(front, 2)).toBe(true);
    expect(front.takePayloads()).toEqual(['', 'm1', 'm2']);
  });

  it('sends QoS 2 again only when its identifier is stored', () => {
    const { exchanges, front, begin, settle } = setUp();
    begin(1, 2);
    exchanges.onDetached();
    exchanges.beginResend();
    expect(exchanges.advance(front, LIMIT)).toBe(false);
    expect([exchanges.isAwaitingCommit, front.sent]).toEqual([true, []]);
    settle();
    expect(exchanges.advance(front, LIMIT)).toBe(true);
    expect(front.sent.map(({ how }) => how)).toEqual(['resent']);
  });

  it('gives up what the client may not have any more: at QoS 2 the exchange is brought to its end', () => {
    const { exchanges, front, begin, settle, world, drops, released } = setUp();
    begin(1, 1);
    begin(2, 2);
    settle();
    world.forbidden = testMessage({}).topic;
    exchanges.onDetached();
    exchanges.beginResend();
    expect(exchanges.advance(front, LIMIT)).toBe(false);
    settle();
    expect(exchanges.advance(front, LIMIT)).toBe(true);
    expect(front.sent.map(({ how, packetId }) => [how, packetId])).toEqual([['pubrel', 2]]);
    expect([drops.of('not-authorized'), released, exchanges.has(1)]).toEqual([2, [1, 2], false]);
  });

  it('has no leases of the last one', () => {
    const { exchanges, begin } = setUp();
    begin(1, 1);
    const lease = exchanges.openLease();
    expect([exchanges.count, exchanges.undelivered]).toEqual([2, 1]);
    exchanges.onDetached();
    expect([exchanges.has(lease), exchanges.count]).toEqual([false, 1]);
  });
});

describe('OutgoingExchanges, restart and end', () => {
  it('forgets what the log does not have any more, and goes on with QoS 2', () => {
    const { exchanges, begin, contents, front, settle } = setUp();
    begin(1, 1);
    begin(2, 1);
    begin(3, 2);
    settle();
    contents.delete(1);
    contents.delete(3);
    exchanges.forgetSettled();
    exchanges.onDetached();
    exchanges.beginResend();
    exchanges.advance(front, LIMIT);
    expect(front.sent.map(({ how, packetId }) => [how, packetId])).toEqual([
      ['pubrel', 3],
      ['resent', 2],
    ]);
  });

  it('lets go of what the log holds for it, and of the message that is being routed', () => {
    const { exchanges, begin, released, letGo } = setUp();
    begin(1, 1);
    begin(99, 1);
    exchanges.end();
    expect([released, letGo()]).toEqual([[1], 1]);
  });
});
