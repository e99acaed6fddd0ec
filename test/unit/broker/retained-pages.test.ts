import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RetainedPages } from '../../../src/broker/retained-pages.js';
import { type Row, rowLengthFor } from '../../../src/broker/retained-row.js';
import { Message } from '../../../src/core/message.js';

function messageOf(topic: string, payload: string): Message {
  const message = new Message();
  message.topic = topic;
  message.bytes = Buffer.from(`?${topic}${payload}?`);
  message.topicStart = 1;
  message.topicEnd = 1 + Buffer.byteLength(topic);
  message.propertiesStart = message.topicEnd;
  message.propertiesEnd = message.topicEnd;
  message.payloadStart = message.topicEnd;
  message.payloadEnd = message.topicEnd + payload.length;
  return message;
}

class Retained {
  readonly #rows = new Map<string, Row>();
  readonly pages = new RetainedPages((row) => this.#rows.set(this.pages.topicOf(row), row));

  set(topic: string, payload: string): Message {
    const previous = this.#rows.get(topic);
    const row = this.pages.add(messageOf(topic, payload));
    // What has been there may have moved.
    const replaced = previous === undefined ? undefined : this.#rows.get(topic);
    this.#rows.set(topic, row);
    if (replaced !== undefined) this.pages.release(replaced);
    return this.pages.read(this.#rows.get(topic) as Row);
  }

  delete(topic: string): void {
    const row = this.#rows.get(topic);
    if (row === undefined) return;
    this.#rows.delete(topic);
    this.pages.release(row);
  }

  get contents(): Record<string, string> {
    return Object.fromEntries(
      [...this.#rows.values()].map((row) => {
        const { topic, payload } = this.pages.read(row);
        return [topic, payload.toString()];
      }),
    );
  }

  /** Bytes of all rows. */
  get span(): number {
    let bytes = 0;
    for (const row of this.#rows.values()) bytes += rowLengthFor(this.pages.read(row));
    return bytes;
  }
}

const buffersOf = (messages: readonly Message[]): number => new Set(messages.map(({ bytes }) => bytes)).size;

describe('RetainedPages', () => {
  it('packs small messages, and leaves a large one a buffer of its own', () => {
    const retained = new Retained();
    const small = Array.from({ length: 200 }, (_, n) => retained.set(`t/${n}`, 'x'.repeat(40)));
    expect(buffersOf(small)).toBe(1);
    const large = retained.set('large', 'y'.repeat(2600));
    expect(large.bytes.length).toBe(2632);
    expect(large.payload.toString()).toBe('y'.repeat(2600));
    retained.delete('large');
    expect(small[199]?.payload.toString()).toBe('x'.repeat(40));
  });

  it('keeps no pages for what has been replaced', () => {
    const retained = new Retained();
    retained.set('still', 'here');
    for (let n = 0; n < 10_000; n++) retained.set('t', `${n}`);
    expect(retained.pages.bytes).toBeLessThanOrEqual(2 * 16_384);
    expect(retained.contents).toEqual({ still: 'here', t: '9999' });
  });

  it('leaves the content of what was replaced to those who hold it', () => {
    const retained = new Retained();
    const held = Array.from({ length: 500 }, (_, n) => retained.set('t', `value ${n}`));
    expect(held.map(({ payload }) => payload.toString())).toEqual(held.map((_, n) => `value ${n}`));
  });

  it('compares topics with texts as they are', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '/', 'ü', '€', '😀', '\ufeff', '\u0000'), maxLength: 6 });
    fc.assert(
      fc.property(text, text, text, (begin, rest, other) => {
        const pages = new RetainedPages(() => {});
        const topic = begin + rest;
        const row = pages.add(messageOf(topic, 'payload'));
        expect([pages.startsWith(row, begin), pages.isAbout(row, topic)]).toEqual([true, true]);
        for (const one of [begin, rest, other, topic + other]) {
          expect([pages.startsWith(row, one), pages.isAbout(row, one)]).toEqual([topic.startsWith(one), topic === one]);
        }
      }),
    );
  });

  it('holds what is retained, in pages that are half full at least, whatever comes and goes', () => {
    const change = fc.record({
      topic: fc.integer({ min: 0, max: 60 }).map((n) => `t/${n}`),
      length: fc.oneof(
        { weight: 5, arbitrary: fc.integer({ min: 1, max: 2000 }) },
        { weight: 1, arbitrary: fc.constant(0) },
      ),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 400 }), (changes) => {
        const retained = new Retained();
        const expected: Record<string, string> = {};
        changes.forEach(({ topic, length }, n) => {
          if (length === 0) {
            retained.delete(topic);
            delete expected[topic];
          } else {
            const payload = `${n}`.padEnd(length, '.').slice(0, length);
            retained.set(topic, payload);
            expected[topic] = payload;
          }
          // What is being filled, and what a message of 2 KiB did not fit into.
          expect(retained.pages.bytes).toBeLessThanOrEqual(2 * retained.span + 2 * 16_384);
        });
        expect(retained.contents).toEqual(expected);
      }),
    );
  });
});
