import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DEAD_LETTER_REASONS,
  decodeEntry,
  encodeEntry,
  enqueuedAtMsOf,
  type MessageEntry,
} from '../../../src/queues/entry-codec.js';
import { DamagedQueueRecord } from '../../../src/queues/queue-errors.js';

const text = fc.oneof(fc.string({ maxLength: 60 }), fc.string({ unit: 'grapheme', maxLength: 300 }));
const timeMs = fc.nat(2 ** 47);
const entryArbitrary: fc.Arbitrary<MessageEntry> = fc
  .record({
    id: text,
    enqueuedAtMs: timeMs,
    group: text,
    priority: fc.nat(9),
    delayMs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 2 ** 40 })),
    deduplicationId: text,
    key: text,
    attributes: fc.array(fc.tuple(text, text), { maxLength: 5 }),
    receiptTo: text,
    origin: fc.option(
      fc.record({
        queue: text,
        sequence: fc.maxSafeNat(),
        reason: fc.constantFrom(...DEAD_LETTER_REASONS),
        receives: fc.nat(),
        firstFailedAtMs: timeMs,
        lastFailedAtMs: timeMs,
        movedAtMs: timeMs,
      }),
    ),
  })
  .map(({ delayMs, ...entry }) => ({ ...entry, delayedUntilMs: delayMs === 0 ? 0 : entry.enqueuedAtMs + delayMs }));

describe('an entry', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(entryArbitrary, (entry) => {
        const bytes = encodeEntry(entry);
        expect(decodeEntry(bytes)).toEqual(entry);
        expect(enqueuedAtMsOf(bytes)).toBe(entry.enqueuedAtMs);
      }),
    );
  });

  it('of a plain message is small', () => {
    const entry = { enqueuedAtMs: 1_800_000_000_000, group: '', priority: 0, delayedUntilMs: 0, deduplicationId: '' };
    const bytes = encodeEntry({ ...entry, id: 'x'.repeat(24), key: '', attributes: [], receiptTo: '', origin: null });
    expect(bytes.length).toBe(2 + 25 + 6);
  });

  it('that is cut off or made up is refused, whatever it is', () => {
    fc.assert(
      fc.property(entryArbitrary, fc.double({ min: 0, max: 0.999, noNaN: true }), (entry, part) => {
        const bytes = encodeEntry(entry);
        expect(() => decodeEntry(bytes.subarray(0, Math.floor(bytes.length * part)))).toThrow(DamagedQueueRecord);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          decodeEntry(Buffer.from(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(DamagedQueueRecord);
        }
      }),
    );
  });
});
