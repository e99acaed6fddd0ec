import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { InflightEntry } from '../../../src/sessions/inflight-window.js';
import { decodeSessionState, encodeSessionState, type SessionState } from '../../../src/sessions/session-state.js';

const sequence = fc.oneof(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 2 ** 40 }), fc.maxSafeNat());
const packetId = fc.integer({ min: 1, max: 65_535 });
const identifiers = fc.option(fc.array(fc.integer({ min: 1, max: 268_435_455 }), { minLength: 1, maxLength: 12 }));

/** On its way to the client, in the order of sending. */
const inflightArbitrary: fc.Arbitrary<InflightEntry[]> = fc
  .uniqueArray(
    fc.record({
      packetId,
      sequence: sequence.filter((number) => number > 0),
      kind: fc.constantFrom('qos1', 'qos2', 'released'),
      retain: fc.boolean(),
      identifiers,
    }),
    { maxLength: 60, selector: (entry) => entry.packetId },
  )
  .map((entries) =>
    entries.map(({ kind, ...entry }, order): InflightEntry => {
      if (kind !== 'released') return { ...entry, qos: kind === 'qos1' ? 1 : 2, isReleased: false, order };
      // Nothing but the identifier is left of it.
      const { packetId } = entry;
      return { packetId, sequence: 0, qos: 2, isReleased: true, retain: false, identifiers: null, order };
    }),
  );

const stateArbitrary: fc.Arbitrary<SessionState> = fc.record({
  place: fc.record({
    position: fc.maxSafeNat(),
    done: fc.array(fc.maxSafeNat(), { maxLength: 4 }),
    holes: fc.array(fc.maxSafeNat(), { maxLength: 40 }).map((holes) => holes.slice(0, holes.length & ~1)),
  }),
  repeatsThrough: fc.maxSafeNat(),
  receivedIds: fc.uniqueArray(packetId, { maxLength: 500 }),
  inflight: inflightArbitrary,
});

describe('the stored state of a session', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(stateArbitrary, (state) => {
        expect(decodeSessionState(Buffer.from(encodeSessionState(state)))).toEqual(state);
      }),
      { numRuns: 500 },
    );
  });

  it('has the order of sending, in whatever order the window gives it out', () => {
    fc.assert(
      fc.property(inflightArbitrary, fc.infiniteStream(fc.nat()), (inflight, shuffle) => {
        const shuffled = inflight
          .map((entry) => ({ entry: { ...entry, order: 1000 + 3 * entry.order }, key: shuffle.next().value as number }))
          .sort((a, b) => a.key - b.key)
          .map(({ entry }) => entry);
        const place = { position: 1, done: [], holes: [] };
        const state = { place, repeatsThrough: 0, receivedIds: [], inflight: shuffled };
        expect(decodeSessionState(Buffer.from(encodeSessionState(state))).inflight).toEqual(inflight);
      }),
    );
  });

  it('takes a few bytes for each message, however large the numbers have grown', () => {
    const entry = { qos: 1, retain: false, isReleased: false, identifiers: null } as const;
    const first = 2 ** 45;
    const inflight = Array.from({ length: 1000 }, (_, i) => ({
      ...entry,
      packetId: i + 1,
      sequence: first + i,
      order: i,
    }));
    const place = { position: first + 1000, done: [0], holes: [] };
    const bytes = encodeSessionState({ place, repeatsThrough: 0, receivedIds: [], inflight });
    expect(bytes.length).toBeLessThan(8000);
  });

  it('that is cut off, goes on too long, or is of a later format is refused', () => {
    fc.assert(
      fc.property(stateArbitrary, fc.nat(), (state, pick) => {
        const bytes = Buffer.from(encodeSessionState(state));
        const damaged = [
          bytes.subarray(0, pick % bytes.length),
          // Its last entry had lost its flags, and was taken for one without any.
          bytes.subarray(0, -1),
          Buffer.concat([bytes, Buffer.alloc(1)]),
          Buffer.concat([Buffer.from([3]), bytes.subarray(1)]),
        ];
        for (const one of damaged) expect(() => decodeSessionState(one)).toThrow(RangeError);
      }),
    );
  });

  it('of format 1, with a position for ordinary copies and one for others, is read still', () => {
    const write = (ordinary: number, own: number) => Buffer.from([1, ordinary, own, 3, 1, 7, 2, 20, 30, 127, 0]);
    const rest = { repeatsThrough: 3, receivedIds: [7], inflight: [] };
    const place = (position: number, done: number[]) => ({ place: { position, done, holes: [20, 30] }, ...rest });
    expect(decodeSessionState(write(9, 9))).toEqual(place(9, []));
    expect(decodeSessionState(write(9, 5))).toEqual(place(8, [0]));
    expect(decodeSessionState(write(5, 9))).toEqual(place(9, []));
  });

  it('in which a packet identifier is none, or stands twice, is refused', () => {
    // A window that was filled with it grew without end.
    const entry = { qos: 1, retain: false, isReleased: false, identifiers: null, sequence: 7 } as const;
    const place = { position: 9, done: [], holes: [] };
    for (const packetIds of [[5, 5], [65_536]]) {
      const inflight = packetIds.map((packetId, order) => ({ ...entry, packetId, order }));
      const bytes = encodeSessionState({ place, repeatsThrough: 0, receivedIds: [], inflight });
      expect(() => decodeSessionState(Buffer.from(bytes))).toThrow(RangeError);
    }
  });
});
