import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  largestRecord,
  RecordOutline,
  readEntry,
  readMessage,
  readOutline,
  readStep,
  recordEnd,
  writeRecord,
} from '../../../src/store/message-record.js';
import { NO_ENTRIES } from '../../../src/store/queue-entry.js';
import { contentOf, messageArbitrary } from '../../support/arbitrary-message.js';
import { testMessage } from '../../support/test-message.js';

const numberArbitrary = fc.oneof(fc.nat(300), fc.nat(2 ** 31 - 1), fc.maxSafeNat());
const UNUSED_QUEUE = 77;
const entriesArbitrary = fc.uniqueArray(
  fc.record({
    queue: numberArbitrary.filter((queue) => queue !== UNUSED_QUEUE),
    bytes: fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ minLength: 200, maxLength: 400 })),
  }),
  { maxLength: 4, selector: ({ queue }) => queue },
);
const streamsArbitrary = fc.array(numberArbitrary, { maxLength: 20 });

describe('a record of the message log', () => {
  it('gives back the message, whatever it is, and stays within the room that was asked for', () => {
    fc.assert(
      fc.property(
        messageArbitrary,
        streamsArbitrary,
        entriesArbitrary,
        numberArbitrary,
        fc.nat(20),
        (message, ids, entries, step, start) => {
          const streams = ids.map((id) => ({ id }));
          const room = largestRecord(message, streams.length, entries);
          const target = Buffer.alloc(start + room, 0xdd);
          const end = writeRecord(target, start, step, message, streams, entries);
          expect(end).toBeLessThanOrEqual(start + room);
          expect(recordEnd(target, start)).toBe(end);
          expect(readStep(target, start)).toBe(step);
          expect(contentOf(readMessage(target, start))).toEqual(contentOf(message));
          for (const { queue, bytes } of entries) expect(readEntry(target, start, queue)).toEqual(Buffer.from(bytes));
          expect(readEntry(target, start, UNUSED_QUEUE)).toBeNull();
        },
      ),
      { numRuns: 300 },
    );
  });

  it('tells recovery the number, the size, the QoS, the streams and the entries, without the rest', () => {
    fc.assert(
      fc.property(
        messageArbitrary,
        streamsArbitrary,
        entriesArbitrary,
        fc.nat(1000),
        fc.nat(2 ** 40),
        (message, ids, entries, step, before) => {
          const streams = ids.map((id) => ({ id }));
          const target = Buffer.alloc(largestRecord(message, streams.length, entries));
          writeRecord(target, 0, step, message, streams, entries);
          const outline = new RecordOutline();
          outline.streams.push(99);
          outline.addEntry(UNUSED_QUEUE, Buffer.from('x'));
          readOutline(target, 0, before, outline);
          expect(outline).toMatchObject({
            sequence: before + step,
            byteLength: message.byteLength,
            qos: message.qos,
            streams: ids,
          });
          expect(outline.entries.map(({ queue, bytes }) => ({ queue, bytes: Uint8Array.from(bytes) }))).toEqual(
            entries,
          );
          expect(outline.entries.every(({ isSettled, state }) => !isSettled && state === null)).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('reads the outline behind a publisher id of any length', () => {
    // The length was added to where it had been read from, not to where it ends.
    const outline = new RecordOutline();
    for (const length of [0, 1, 22, 127, 128, 300]) {
      const target = Buffer.alloc(2000);
      const [message] = fc.sample(messageArbitrary, { seed: 7, numRuns: 1 });
      if (message === undefined) return expect.unreachable();
      message.publisherId = 'p'.repeat(length);
      message.bytes = message.bytes.subarray(0, message.payloadStart);
      message.payloadEnd = message.payloadStart;
      writeRecord(target, 0, 1, message, [{ id: 5 }, { id: 6 }], NO_ENTRIES);
      readOutline(target, 0, 10, outline);
      expect([outline.sequence, outline.streams, outline.byteLength]).toEqual([11, [5, 6], message.byteLength]);
    }
  });

  it('without entries is what it was before there were any, byte for byte', () => {
    const message = testMessage({ topic: 'a/b', payload: 'xy', publisherId: 'dev', qos: 1, nowMs: 0x0102030405 });
    const target = Buffer.alloc(200);
    const end = writeRecord(target, 0, 3, message, [{ id: 7 }], NO_ENTRIES);
    const expected = ['00000017', '03', '01', '000102030405', '03646576', '0107', '03000000', '612f62', '7879'].join(
      '',
    );
    expect(target.subarray(0, end).toString('hex')).toBe(expected);
  });
});
