/** What every MessageQueue does, whatever it keeps its messages in. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MessageQueue, QueuedMessage } from '../../src/store/message-queue.js';
import { testMessage } from '../support/test-message.js';

export interface MessageQueueFactory {
  /** An empty queue with these limits. */
  open(maximumMessages: number, maximumBytes: number): MessageQueue;
}

function entry(payload: string, fields: Partial<QueuedMessage> = {}): QueuedMessage {
  return { message: testMessage({ topic: 't', payload }), qos: 1, retain: false, identifiers: null, ...fields };
}

export function describeMessageQueue(name: string, { open }: MessageQueueFactory): void {
  describe(`MessageQueue: ${name}`, () => {
    it('hands out what it was offered, in order, with everything that belongs to it', () => {
      const queue = open(10, 1000);
      queue.offer(entry('a', { qos: 2, retain: true, identifiers: [1, 2] }));
      queue.offer(entry('b'));
      const [a, b] = [queue.take(), queue.take()];
      expect(a).toMatchObject({ qos: 2, retain: true, identifiers: [1, 2] });
      expect([a?.message.payload.toString(), b?.message.payload.toString()]).toEqual(['a', 'b']);
      expect(b).toMatchObject({ qos: 1, retain: false, identifiers: null });
      expect(queue.take()).toBeUndefined();
    });

    it('refuses what would pass its limit of messages, and has not changed then', () => {
      const queue = open(2, 1000);
      expect([queue.offer(entry('a')), queue.offer(entry('b')), queue.offer(entry('c'))]).toEqual([true, true, false]);
      expect(queue.length).toBe(2);
      expect(queue.take()?.message.payload.toString()).toBe('a');
      expect(queue.offer(entry('c'))).toBe(true);
    });

    it('refuses what would pass its limit of bytes, to the byte', () => {
      const queue = open(10, 20);
      expect(queue.maximumBytes).toBe(20);
      expect(queue.offer(entry('123456789'))).toBe(true);
      expect(queue.offer(entry('1234567890'))).toBe(false);
      expect(queue.offer(entry('123456789'))).toBe(true);
      expect(queue.bytes).toBe(20);
      expect(queue.offer(entry(''))).toBe(false);
    });

    it('says how much it drops when it is cleared, and goes on', () => {
      const queue = open(100, 1000);
      for (let i = 0; i < 30; i++) queue.offer(entry(String(i)));
      expect(queue.clear()).toBe(30);
      expect([queue.length, queue.bytes, queue.clear()]).toEqual([0, 0, 0]);
      queue.offer(entry('again'));
      expect(queue.take()?.message.payload.toString()).toBe('again');
    });

    it('does what an array would do', () => {
      const operation = fc.oneof(
        { weight: 6, arbitrary: fc.nat(30) },
        { weight: 5, arbitrary: fc.constant('take' as const) },
        { weight: 1, arbitrary: fc.constant('clear' as const) },
      );
      fc.assert(
        fc.property(fc.array(operation, { maxLength: 400 }), (operations) => {
          const queue = open(50, 700);
          let oracle: string[] = [];
          const bytesOf = (texts: string[]) => texts.reduce((sum, text) => sum + text.length + 1, 0);
          operations.forEach((what, i) => {
            if (what === 'take') expect(queue.take()?.message.payload.toString()).toBe(oracle.shift());
            else if (what === 'clear') {
              expect(queue.clear()).toBe(oracle.length);
              oracle = [];
            } else {
              const text = String(i).padEnd(what, '.');
              const fits = oracle.length < 50 && bytesOf([...oracle, text]) <= 700;
              expect(queue.offer(entry(text))).toBe(fits);
              if (fits) oracle.push(text);
            }
            expect([queue.length, queue.bytes]).toEqual([oracle.length, bytesOf(oracle)]);
          });
        }),
        { numRuns: 100 },
      );
    });
  });
}
