import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MessageStream, type StreamReader } from '../../../src/core/message-stream.js';

class Reader implements StreamReader {
  position: number;

  constructor(position: number) {
    this.position = position;
  }

  positionIn(): number {
    return this.position;
  }
}

/** The stream next to plain arrays of what was pushed and what has been let go. */
class Pair {
  readonly stream = new MessageStream(1);
  readonly entries: { readonly sequence: number; readonly bytes: number }[] = [];
  readonly readers = new Set<Reader>();
  readonly released: number[] = [];
  trimmed = 0;
  last = 0;

  readonly release = (sequence: number): void => void this.released.push(sequence);

  push(step: number, bytes: number): void {
    this.last += step;
    this.stream.push(this.last, bytes);
    this.entries.push({ sequence: this.last, bytes });
  }

  get slowest(): number {
    return Math.min(...[...this.readers].map(({ position }) => position));
  }

  /** What is let go of now: everything that all readers have passed. */
  takeExpectedReleases(): number[] {
    const passed = this.entries.filter(({ sequence }) => sequence <= this.slowest).length;
    this.trimmed += passed;
    return this.entries.splice(0, passed).map(({ sequence }) => sequence);
  }

  check(): void {
    const { stream, entries } = this;
    expect([stream.length, stream.trimmed, stream.hasReaders]).toEqual([
      entries.length,
      this.trimmed,
      this.readers.size > 0,
    ]);
    expect(entries.map((_, at) => [stream.sequenceAt(at), stream.bytesAt(at)])).toEqual(
      entries.map(({ sequence, bytes }) => [sequence, bytes]),
    );
  }
}

const operationArbitrary = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('push' as const),
      step: fc.integer({ min: 1, max: 5 }),
      bytes: fc.nat(1000),
      times: fc.nat(40),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('join' as const), behind: fc.nat(20) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('read' as const), pick: fc.nat(), by: fc.nat(60) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('leave' as const), pick: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('trim' as const) }) },
);

describe('MessageStream', () => {
  it('does what an array would do, and lets go of exactly what all readers have passed', () => {
    fc.assert(
      fc.property(fc.array(operationArbitrary, { maxLength: 100, size: 'max' }), (operations) => {
        const pair = new Pair();
        const { stream, readers } = pair;
        for (const operation of operations) {
          const reader = 'pick' in operation ? [...readers][operation.pick % Math.max(1, readers.size)] : undefined;
          if (operation.kind === 'push') {
            // Nobody pushes to a stream that nobody reads.
            if (readers.size === 0) continue;
            for (let i = 0; i < operation.times; i++) pair.push(operation.step, operation.bytes);
          } else if (operation.kind === 'join') {
            const position = Math.max(pair.last - operation.behind, (pair.entries[0]?.sequence ?? pair.last + 1) - 1);
            const joining = new Reader(position);
            readers.add(joining);
            stream.addReader(joining);
            stream.addReader(joining);
          } else if (operation.kind === 'read') {
            if (reader !== undefined) reader.position = Math.min(pair.last, reader.position + operation.by);
          } else if (operation.kind === 'leave') {
            if (reader === undefined) continue;
            readers.delete(reader);
            stream.removeReader(reader, pair.release);
            expect(pair.released.splice(0)).toEqual(pair.takeExpectedReleases());
          } else {
            stream.trim(pair.release);
            expect(pair.released.splice(0)).toEqual(pair.takeExpectedReleases());
          }
          pair.check();
        }
      }),
      { numRuns: 100 },
    );
  });

  it('finds the first entry after a number, and the bytes from there on', () => {
    const pushes = fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.nat(1000)), { maxLength: 60 });
    fc.assert(
      fc.property(pushes, fc.nat(60), fc.nat(250), (steps, passed, sequence) => {
        const pair = new Pair();
        const reader = new Reader(0);
        pair.readers.add(reader);
        pair.stream.addReader(reader);
        for (const [step, bytes] of steps) pair.push(step, bytes);
        reader.position = pair.entries[Math.min(passed, pair.entries.length) - 1]?.sequence ?? 0;
        pair.stream.trim(pair.release);
        pair.takeExpectedReleases();
        const after = pair.entries.findIndex((entry) => entry.sequence > sequence);
        const index = after === -1 ? pair.entries.length : after;
        expect(pair.stream.indexAfter(sequence)).toBe(index);
        const bytes = pair.entries.slice(index).reduce((sum, entry) => sum + entry.bytes, 0);
        expect(pair.stream.bytesFrom(index)).toBe(bytes);
      }),
    );
  });

  it('looks after a while by itself whether something can be let go', () => {
    const pair = new Pair();
    const reader = new Reader(0);
    pair.stream.addReader(reader);
    for (let i = 0; i < 1000; i++) pair.push(1, 1);
    for (let i = 1; i <= 1000; i++) {
      reader.position = i;
      pair.stream.onRead(pair.release);
    }
    expect(pair.released.length).toBeGreaterThan(900);
    expect(pair.released).toEqual(pair.released.map((_, i) => i + 1));
  });

  it('takes the leave of somebody who is no reader for nothing', () => {
    const pair = new Pair();
    pair.stream.addReader(new Reader(0));
    pair.push(1, 1);
    pair.stream.removeReader(new Reader(0), pair.release);
    expect([pair.released, pair.stream.length, pair.stream.hasReaders]).toEqual([[], 1, true]);
  });
});
