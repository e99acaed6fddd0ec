import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DeadlineHeap } from '../../../src/queues/deadline-heap.js';
import { SequenceHeap } from '../../../src/queues/sequence-heap.js';

it('the heap of sequence numbers gives the lowest first', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1000)), (values) => {
      const heap = new SequenceHeap();
      for (const value of values) heap.push(value);
      const sorted = [...values].sort((one, other) => one - other);
      expect(values.map(() => heap.takeLowest())).toEqual(sorted);
      expect(heap.takeLowest()).toBeUndefined();
    }),
  );
});

it('the heap of deadlines gives what is due by time and number, without what was overtaken', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(50), fc.boolean()), { maxLength: 300 }), (deadlines) => {
      const live = new Map<number, number>();
      const heap = new DeadlineHeap((sequence, dueAtMs) => live.get(sequence) === dueAtMs);
      for (const [index, [dueAtMs, isOvertaken]] of deadlines.entries()) {
        live.set(index, dueAtMs);
        heap.push(index, dueAtMs);
        if (!isOvertaken) continue;
        live.delete(index);
        heap.onStale();
      }
      const expected = [...live].sort(([one, oneMs], [other, otherMs]) => oneMs - otherMs || one - other);
      const taken: number[] = [];
      for (let at = 0; at <= 50; at++) {
        for (let due = heap.takeDue(at); due !== -1; due = heap.takeDue(at)) {
          expect(live.get(due)).toBe(at);
          taken.push(due);
        }
      }
      expect(taken).toEqual(expected.map(([sequence]) => sequence));
      expect(heap.earliestMs).toBe(Number.POSITIVE_INFINITY);
    }),
  );
});

it('deadlines that are overtaken again and again do not pile up', () => {
  let current = 0;
  const heap = new DeadlineHeap((_sequence, dueAtMs) => dueAtMs === current);
  for (current = 1; current <= 100_000; current++) {
    if (current > 1) heap.onStale();
    heap.push(7, current);
  }
  current = 100_000;
  expect(heap.earliestMs).toBeGreaterThan(90_000);
  expect(heap.takeDue(100_000)).toBe(7);
});
