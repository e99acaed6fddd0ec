import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SequenceQueue } from '../../../src/queues/sequence-queue.js';

type Step = { readonly push: number } | { readonly take: number } | { readonly remove: number };

const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ push: fc.integer({ min: 1, max: 2000 }) }),
  fc.record({ take: fc.integer({ min: 1, max: 2000 }) }),
  fc.record({ remove: fc.nat(100_000) }),
);

it('gives what was put in, in order, without what was removed', () => {
  fc.assert(
    fc.property(fc.array(stepArbitrary, { maxLength: 40, size: 'max' }), (steps) => {
      const queue = new SequenceQueue();
      let model: number[] = [];
      let next = 1;
      for (const step of steps) {
        if ('push' in step) {
          for (let left = step.push; left > 0; left--) {
            queue.push(next);
            model.push(next);
            next += 1 + (next % 3);
          }
        } else if ('take' in step) {
          for (let left = step.take; left > 0; left--) expect(queue.take()).toBe(model.shift() ?? 0);
        } else if (model.length > 0) {
          const value = model[step.remove % model.length] as number;
          expect(queue.remove(value)).toBe(true);
          expect(queue.remove(value)).toBe(false);
          model = model.filter((other) => other !== value);
        }
        expect(queue.length).toBe(model.length);
        expect(queue.first).toBe(model[0] ?? 0);
      }
      expect([...queue]).toEqual(model);
      expect(queue.remove(next + 5)).toBe(false);
    }),
    { numRuns: 25 },
  );
});

it('keeps no more than it must of what is removed from the middle', () => {
  const queue = new SequenceQueue();
  queue.push(1);
  for (let value = 2; value < 100_000; value++) {
    queue.push(value);
    queue.remove(value);
  }
  expect(queue.length).toBe(1);
  expect([...queue]).toEqual([1]);
});
