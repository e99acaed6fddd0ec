import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ArrivalIndex } from '../../../src/queues/arrival-index.js';

it('knows count, bytes and the oldest whatever goes in whatever order', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(1000), fc.nat(500), fc.nat(2)), { minLength: 1, maxLength: 200, size: 'max' }),
      fc.infiniteStream(fc.nat(10_000)),
      (messages, order) => {
        const index = new ArrivalIndex(2000);
        let atMs = 10_000;
        const here = new Map<number, { atMs: number; bytes: number }>();
        for (const [number, [passedMs, bytes]] of messages.entries()) {
          atMs += passedMs;
          index.add(2 * number + 1, atMs, bytes);
          here.set(2 * number + 1, { atMs, bytes });
        }
        while (here.size > 0) {
          const sequences = [...here.keys()];
          const sequence = sequences[(order.next().value as number) % sequences.length] as number;
          index.remove(sequence, here.get(sequence)?.bytes ?? -1);
          here.delete(sequence);
          const rest = [...here.values()];
          expect(index.count).toBe(rest.length);
          expect(index.bytes).toBe(rest.reduce((sum, { bytes }) => sum + bytes, 0));
          if (rest.length === 0) continue;
          const oldestMs = Math.min(...rest.map((message) => message.atMs));
          expect(index.oldestMs).toBeLessThanOrEqual(oldestMs);
          expect(index.oldestMs).toBeGreaterThanOrEqual(oldestMs - 3000);
          for (const [other, message] of here) {
            if (other < index.olderThan(oldestMs + 5000)) expect(message.atMs).toBeLessThanOrEqual(oldestMs + 5000);
          }
        }
        expect(index.oldestMs).toBe(0);
      },
    ),
    { numRuns: 50 },
  );
});

it('estimates the bytes of what nobody has read, and is exact when its slice is empty', () => {
  const index = new ArrivalIndex(1000);
  for (let sequence = 1; sequence <= 10; sequence++) index.add(sequence, 1, sequence * 10);
  index.remove(1, -1);
  expect(index.bytes).toBe(550 - 55);
  for (let sequence = 2; sequence <= 10; sequence++) index.remove(sequence, -1);
  expect(index.bytes).toBe(0);
});
