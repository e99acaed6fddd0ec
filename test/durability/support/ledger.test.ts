/** The ledger finds what it is there to find, and nothing else. */
import { beforeEach, describe, expect, it } from 'vitest';
import { type Arrival, Ledger, type SentMessage } from './ledger.js';

let nowMs: number;
let ledger: Ledger;

beforeEach(() => {
  nowMs = 1_000_000;
  ledger = new Ledger(() => nowMs);
});

function subscribed(receiver: string, filter = 'a/#', qos: 1 | 2 = 2, kind: 'session' | 'group' = 'session') {
  ledger.addReceiver(receiver, kind);
  const subscription = ledger.recordSubscribing(receiver, filter, qos);
  ledger.recordSubscribed(subscription);
  return subscription;
}

function sent(sequence: number, fields: Partial<SentMessage> = {}): SentMessage {
  const message: SentMessage = { key: `p:${sequence}`, sender: 'p', sequence, topic: 'a/b', qos: 2, ...fields };
  ledger.recordSent(message);
  return message;
}

function acknowledged(sequence: number, fields: Partial<SentMessage> = {}): SentMessage {
  const message = sent(sequence, fields);
  ledger.recordAcknowledged(message.key);
  return message;
}

function arrives(message: SentMessage, fields: Partial<Arrival> = {}, receiver = 's'): void {
  const arrival: Arrival = {
    session: receiver,
    connection: 1,
    version: 5,
    key: message.key,
    topic: message.topic,
    qos: message.qos,
    isDuplicate: false,
    expirySeconds: undefined,
  };
  ledger.recordArrival(receiver, { ...arrival, ...fields });
}

describe('loss', () => {
  it('is an acknowledged message that did not come', () => {
    subscribed('s');
    acknowledged(0);
    expect(ledger.missing()).toBe(1);
    expect(ledger.verdict()).toEqual([expect.stringContaining('lost: p:0')]);
  });

  it('is not what came before its acknowledgement, was not acknowledged, or was sent before the SUBACK', () => {
    ledger.addReceiver('s');
    const subscription = ledger.recordSubscribing('s', 'a/#', 2);
    acknowledged(0);
    ledger.recordSubscribed(subscription);
    const early = sent(1);
    arrives(early);
    ledger.recordAcknowledged(early.key);
    sent(2);
    ledger.recordAbandoned(sent(3).key);
    expect(ledger.verdict()).toEqual([]);
  });

  it('ends with the subscription, and only with the last that matches', () => {
    const wide = subscribed('s', '#');
    const narrow = subscribed('s', 'a/b');
    acknowledged(0);
    ledger.recordUnsubscribing(wide);
    expect(ledger.missing('s')).toBe(1);
    ledger.recordUnsubscribing(narrow);
    acknowledged(1);
    expect(ledger.verdict()).toEqual([]);
  });

  it('in a group is what reached no member', () => {
    subscribed('g', '$share/g/a/#', 2, 'group');
    const message = acknowledged(0);
    acknowledged(1);
    arrives(message, { session: 'member' }, 'g');
    expect(ledger.verdict()).toEqual([expect.stringContaining('lost: p:1')]);
  });

  it('is not what may have expired', () => {
    subscribed('s');
    acknowledged(0, { expirySeconds: 1 });
    expect(ledger.verdict()).toEqual([]);
  });
});

describe('repetition', () => {
  it('at QoS 2 is wrong, acknowledged or not, with DUP or without, in a group by another member too', () => {
    subscribed('s');
    const message = sent(0);
    arrives(message);
    arrives(message, { isDuplicate: true, connection: 2 });
    subscribed('g', '$share/g/a/#', 2, 'group');
    const shared = sent(1);
    arrives(shared, { session: 'one' }, 'g');
    arrives(shared, { session: 'other' }, 'g');
    expect(ledger.verdict()).toEqual([
      expect.stringMatching(/got p:0 .* again/),
      expect.stringMatching(/got p:1 .* again/),
    ]);
  });

  it('at QoS 1 is right with DUP on another connection, and wrong otherwise', () => {
    subscribed('s', 'a/#', 1);
    const message = acknowledged(0, { qos: 1 });
    arrives(message);
    arrives(message, { isDuplicate: true, connection: 2 });
    expect(ledger.verdict()).toEqual([]);
    arrives(message, { connection: 3 });
    arrives(message, { isDuplicate: true, connection: 3 });
    expect(ledger.verdict()).toEqual([
      expect.stringContaining('again without DUP'),
      expect.stringContaining('again on the same connection'),
    ]);
  });

  it('at QoS 1 is free for a message that was sent twice, at either QoS', () => {
    subscribed('s', 'a/#', 1);
    for (const qos of [1, 2] as const) {
      const message = acknowledged(qos, { qos });
      ledger.recordSentAgain(message.key);
      arrives(message, { qos: 1 });
      arrives(message, { qos: 1 });
    }
    expect(ledger.verdict()).toEqual([]);
  });
});

describe('order', () => {
  it('counts first arrivals of one topic and QoS only', () => {
    subscribed('s');
    const messages = [0, 1, 2].map((sequence) => acknowledged(sequence, { qos: 1 }));
    const [first, second, third] = messages as [SentMessage, SentMessage, SentMessage];
    const other = acknowledged(3, { topic: 'a/c', qos: 1 });
    arrives(other);
    arrives(first);
    arrives(second);
    arrives(first, { isDuplicate: true, connection: 2 });
    arrives(third, { connection: 2 });
    expect(ledger.verdict()).toEqual([]);
  });

  it('is broken by an earlier message after a later one, but not in a group', () => {
    subscribed('s');
    subscribed('g', '$share/g/a/#', 2, 'group');
    const messages = [acknowledged(0), acknowledged(1)];
    for (const message of messages.reverse()) {
      arrives(message);
      arrives(message, {}, 'g');
    }
    expect(ledger.verdict()).toEqual([expect.stringMatching(/s got p:0 .* after p:1: out of order/)]);
  });
});

describe('intrusion', () => {
  it('is what nobody sent, on another topic, at another QoS, refused or withdrawn', () => {
    subscribed('s', 'a/#', 1);
    arrives({ key: 'x:1', sender: 'x', sequence: 1, topic: 'a/b', qos: 1 });
    arrives(acknowledged(0, { qos: 1 }), { topic: 'a/c' });
    arrives(acknowledged(1, { qos: 2 }));
    const refused = sent(2, { qos: 1, topic: 'a/r' });
    ledger.recordRefused(refused.key);
    arrives(refused);
    const withdrawn = sent(3, { qos: 1, topic: 'a/w' });
    ledger.recordWithdrawn(withdrawn.key);
    arrives(withdrawn);
    expect(ledger.verdict()).toEqual([
      expect.stringContaining('which nobody sent'),
      expect.stringContaining('on a/c, but it was sent to a/b'),
      expect.stringContaining('at QoS 2'),
      expect.stringContaining('which the broker had refused'),
      expect.stringContaining('which was withdrawn'),
    ]);
  });

  it('begins with UNSUBACK; what was sent before may still come', () => {
    const subscription = subscribed('s');
    const before = acknowledged(0);
    ledger.recordUnsubscribing(subscription);
    const between = acknowledged(1);
    ledger.recordUnsubscribed(subscription);
    const after = acknowledged(2);
    arrives(before);
    arrives(between);
    expect(ledger.verdict()).toEqual([]);
    arrives(after);
    expect(ledger.verdict()).toEqual([expect.stringContaining('which no subscription of its asks for')]);
  });
});

describe('expiry', () => {
  it('is late when a first delivery comes after the time', () => {
    subscribed('s');
    const message = acknowledged(0, { expirySeconds: 1 });
    nowMs += 10_000;
    arrives(message, { version: 4 });
    expect(ledger.verdict()).toEqual([expect.stringContaining('9000 ms after it had expired')]);
  });

  it('must be told as what is left', () => {
    subscribed('s');
    const first = acknowledged(0, { expirySeconds: 3600 });
    const second = acknowledged(1, { expirySeconds: 3600 });
    const third = acknowledged(2, { expirySeconds: 3600 });
    nowMs += 20_000;
    arrives(first, { expirySeconds: 3580 });
    arrives(second, { expirySeconds: 3600 });
    arrives(third, { expirySeconds: 3500 });
    expect(ledger.verdict()).toEqual([
      expect.stringMatching(/got p:1 .* with 3600 s left/),
      expect.stringMatching(/got p:2 .* with 3500 s left/),
    ]);
  });
});
