import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RetainedPages } from '../../../src/broker/retained-pages.js';
import { Message } from '../../../src/core/message.js';

function messageOf(topic: string, payload: string): Message {
  const message = new Message();
  message.topic = topic;
  message.bytes = Buffer.from(`?${topic}${payload}?`);
  message.topicStart = 1;
  message.topicEnd = 1 + topic.length;
  message.propertiesStart = message.topicEnd;
  message.propertiesEnd = message.topicEnd;
  message.payloadStart = message.topicEnd;
  message.payloadEnd = message.topicEnd + payload.length;
  return message;
}

class Retained {
  readonly #messages = new Map<string, Message>();
  readonly pages = new RetainedPages((message) => this.#messages.get(message.topic) === message);

  set(topic: string, payload: string): Message {
    this.delete(topic);
    const message = messageOf(topic, payload);
    this.#messages.set(topic, message);
    this.pages.take(message);
    return message;
  }

  delete(topic: string): void {
    const message = this.#messages.get(topic);
    if (message === undefined) return;
    this.#messages.delete(topic);
    this.pages.release(message);
  }

  get contents(): Record<string, string> {
    return Object.fromEntries([...this.#messages].map(([topic, { payload }]) => [topic, payload.toString()]));
  }

  get span(): number {
    let bytes = 0;
    for (const { span } of this.#messages.values()) bytes += span;
    return bytes;
  }
}

const buffersOf = (messages: readonly Message[]): number => new Set(messages.map(({ bytes }) => bytes)).size;

describe('RetainedPages', () => {
  it('packs small messages, and leaves a large one a buffer of its own', () => {
    const retained = new Retained();
    const small = Array.from({ length: 80 }, (_, n) => retained.set(`t/${n}`, 'x'.repeat(40)));
    expect(buffersOf(small)).toBe(1);
    const large = retained.set('large', 'y'.repeat(600));
    expect(large.bytes.length).toBe(605);
    expect(large.payload.toString()).toBe('y'.repeat(600));
    retained.delete('large');
    expect(small[79]?.payload.toString()).toBe('x'.repeat(40));
  });

  it('keeps no pages for what has been replaced', () => {
    const retained = new Retained();
    retained.set('still', 'here');
    for (let n = 0; n < 10_000; n++) retained.set('t', `${n}`);
    expect(retained.pages.bytes).toBeLessThanOrEqual(2 * 4096);
    expect(retained.contents).toEqual({ still: 'here', t: '9999' });
  });

  it('leaves the content of what was replaced to those who hold it', () => {
    const retained = new Retained();
    const held = Array.from({ length: 500 }, (_, n) => retained.set('t', `value ${n}`));
    expect(held.map(({ payload }) => payload.toString())).toEqual(held.map((_, n) => `value ${n}`));
  });

  it('holds what is retained, in pages that are half full at least, whatever comes and goes', () => {
    const change = fc.record({
      topic: fc.integer({ min: 0, max: 60 }).map((n) => `t/${n}`),
      length: fc.oneof(
        { weight: 5, arbitrary: fc.integer({ min: 1, max: 508 }) },
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
          // What is being filled, and what a message of 512 bytes did not fit into.
          expect(retained.pages.bytes).toBeLessThanOrEqual(2 * retained.span + 2 * 4096);
        });
        expect(retained.contents).toEqual(expected);
      }),
    );
  });
});
