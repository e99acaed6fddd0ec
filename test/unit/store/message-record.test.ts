import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  largestRecord,
  RecordOutline,
  readMessage,
  readOutline,
  readStep,
  recordEnd,
  writeRecord,
} from '../../../src/store/message-record.js';
import { contentOf, messageArbitrary } from '../../support/arbitrary-message.js';

const numberArbitrary = fc.oneof(fc.nat(300), fc.nat(2 ** 31 - 1), fc.maxSafeNat());
const streamsArbitrary = fc.array(numberArbitrary, { maxLength: 20 });

describe('a record of the message log', () => {
  it('gives back the message, whatever it is, and stays within the room that was asked for', () => {
    fc.assert(
      fc.property(messageArbitrary, streamsArbitrary, numberArbitrary, fc.nat(20), (message, ids, step, start) => {
        const streams = ids.map((id) => ({ id }));
        const room = largestRecord(message, streams.length);
        const target = Buffer.alloc(start + room, 0xdd);
        const end = writeRecord(target, start, step, message, streams);
        expect(end).toBeLessThanOrEqual(start + room);
        expect(recordEnd(target, start)).toBe(end);
        expect(readStep(target, start)).toBe(step);
        expect(contentOf(readMessage(target, start))).toEqual(contentOf(message));
      }),
      { numRuns: 300 },
    );
  });

  it('tells recovery the number, the size, the QoS and the streams, without the rest', () => {
    fc.assert(
      fc.property(messageArbitrary, streamsArbitrary, fc.nat(1000), fc.nat(2 ** 40), (message, ids, step, before) => {
        const streams = ids.map((id) => ({ id }));
        const target = Buffer.alloc(largestRecord(message, streams.length));
        writeRecord(target, 0, step, message, streams);
        const outline = new RecordOutline();
        outline.streams.push(99);
        readOutline(target, 0, before, outline);
        expect(outline).toMatchObject({
          sequence: before + step,
          byteLength: message.byteLength,
          qos: message.qos,
          streams: ids,
        });
      }),
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
      writeRecord(target, 0, 1, message, [{ id: 5 }, { id: 6 }]);
      readOutline(target, 0, 10, outline);
      expect([outline.sequence, outline.streams, outline.byteLength]).toEqual([11, [5, 6], message.byteLength]);
    }
  });
});
