import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RetainedMessages } from '../../../src/broker/retained-messages.js';
import { buildMessage, encodePublishProperties } from '../../../src/codec/message-builder.js';
import { DropCounters } from '../../../src/core/drop-counters.js';
import type { Message, Qos } from '../../../src/core/message.js';
import { Publication } from '../../../src/core/publication.js';
import type { Journal } from '../../../src/store/journal.js';
import { naivelyMatches } from '../../support/naive-matcher.js';
import { filterOf, pathArbitrary, topicArbitrary } from '../../support/subscriptions.js';

interface Told {
  readonly topic: string;
  readonly payload: string;
  readonly properties: string;
  readonly qos: Qos;
  readonly publisherId: string;
  readonly arrivedAtMs: number;
  readonly expiresAtMs: number;
}

function told(message: Message): Told {
  const { topic, qos, publisherId, arrivedAtMs, expiresAtMs } = message;
  expect(message.bytes.toString('utf8', message.topicStart, message.topicEnd)).toBe(topic);
  expect([message.retain, message.expiryOffset === -1]).toEqual([true, expiresAtMs === 0]);
  if (expiresAtMs !== 0) {
    expect(message.bytes.readUInt32BE(message.expiryOffset) * 1000).toBe(expiresAtMs - arrivedAtMs);
  }
  const [payload, properties] = [message.payload.toString(), message.properties.toString('hex')];
  return { topic, payload, properties, qos, publisherId, arrivedAtMs, expiresAtMs };
}

/** Broker and store as far as they are asked here: the journal holds what would be stored. */
class Retained {
  readonly stored = new Map<string, Message>();
  readonly drops = new DropCounters();
  readonly messages: RetainedMessages;
  readonly #publication = new Publication();

  constructor(maximumMessages: number, maximumBytes = Number.POSITIVE_INFINITY) {
    const { stored } = this;
    const journal = {
      retainedSaved: (message: Message) => stored.set(message.topic, message).size,
      retainedRemoved: (topic: string) => (stored.delete(topic) ? 1 : 0),
    } as unknown as Journal;
    const limits = { maximumMessages, maximumBytes, overflow: 'drop-oldest' } as const;
    this.messages = new RetainedMessages(journal, this.drops, limits, () => true);
  }

  publish(message: Message): void {
    this.#publication.begin(message);
    this.messages.store(this.#publication);
    // What it came in is used again.
    message.bytes.fill(0);
  }

  find(path: string, nowMs: number): Told[] {
    const found = [...this.messages.search(filterOf(path))].filter((message) => this.messages.check(message, nowMs));
    return found.map(told).toSorted((a, b) => (a.topic < b.topic ? -1 : 1));
  }
}

const change = fc.record({
  // Some of them again and again.
  topic: fc.oneof(fc.constantFrom('a', 'b', 'a/b', 'a/b/c', '$x/a', 'b/ü', '/', 'a/a/a'), topicArbitrary),
  length: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 60 }), fc.integer({ min: 300, max: 3000 })),
  expirySeconds: fc.oneof(fc.constant(undefined), fc.integer({ min: 1, max: 100 })),
  publisherId: fc.constantFrom('', 'p', 'a publisher with a longer name', 'ü'),
  qos: fc.constantFrom<Qos>(0, 1, 2),
});

it('holds what a list of the last messages would, whatever is set, replaced, deleted and expires', () => {
  const question = fc.record({ path: pathArbitrary, after: fc.integer({ min: 1, max: 40 }) });
  const limit = fc.constantFrom(5, 1000);
  fc.assert(
    fc.property(
      fc.array(change, { minLength: 100, maxLength: 300, size: 'max' }),
      fc.array(question),
      limit,
      (changes, questions, most) => {
        const retained = new Retained(most);
        /** In the order in which they were set. */
        const expected = new Map<string, Told>();
        const held: [Message, Told][] = [];
        let nowMs = 1000;
        changes.forEach(({ topic, length, expirySeconds, publisherId, qos }, number) => {
          nowMs += 1000;
          const payload = `${number}`.padEnd(length, '.').slice(0, length);
          const properties = encodePublishProperties({
            messageExpiryInterval: expirySeconds,
            contentType: `${number}`,
          });
          const fields = { topic, payload: Buffer.from(payload), qos, retain: true, properties, publisherId, nowMs };
          const message = buildMessage(fields);
          const made = told(message);
          retained.publish(message);
          if (length === 0) {
            expected.delete(topic);
          } else {
            if (!expected.has(topic) && expected.size === most) {
              for (const one of [...expected.values()]) {
                if (one.expiresAtMs !== 0 && one.expiresAtMs <= nowMs) expected.delete(one.topic);
              }
            }
            const [oldest] = expected.keys();
            if (!expected.has(topic) && expected.size === most && oldest !== undefined) expected.delete(oldest);
            expected.delete(topic);
            expected.set(topic, made);
            const [kept] = retained.messages.search(filterOf(topic));
            held.push([kept as Message, made]);
          }
          for (const { path } of questions.filter(({ after }) => number % after === 0)) {
            const alive = [...expected.values()].filter(
              (one) => naivelyMatches(path, one.topic) && (one.expiresAtMs === 0 || one.expiresAtMs > nowMs),
            );
            expect(retained.find(path, nowMs)).toEqual(alive.toSorted((a, b) => (a.topic < b.topic ? -1 : 1)));
            for (const one of [...expected.values()]) {
              if (naivelyMatches(path, one.topic) && !alive.includes(one)) expected.delete(one.topic);
            }
          }
        });
        for (const [message, made] of held) expect(told(message)).toEqual(made);
        retained.find('#', nowMs);
        retained.find('$x/#', nowMs);
        const size = [...expected.values()].filter((one) => one.expiresAtMs === 0 || one.expiresAtMs > nowMs).length;
        expect(retained.messages.size).toBe(size);
        expect([...retained.stored.keys()].toSorted()).toEqual(
          [...retained.find('#', nowMs), ...retained.find('$x/#', nowMs)].map(({ topic }) => topic).toSorted(),
        );
      },
    ),
    { numRuns: 30, endOnFailure: true },
  );
});

it('counts all that a message takes, the client id of its publisher too', () => {
  const retained = new Retained(1000, 100_000);
  for (let n = 0; n < 10; n++) {
    const fields = { topic: `t/${n}`, payload: Buffer.from('1'), qos: 0, retain: true, nowMs: 1000 + n } as const;
    retained.publish(buildMessage({ ...fields, properties: Buffer.alloc(0), publisherId: 'p'.repeat(30_000) }));
  }
  expect(retained.find('#', 2000).map(({ topic }) => topic)).toEqual(['t/7', 't/8', 't/9']);
  expect(retained.messages.bytes).toBeGreaterThan(90_000);
});
