import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MessageStream } from '../../../src/core/message-stream.js';
import { type MergeSource, StreamMerge } from '../../../src/sessions/stream-merge.js';

interface Source extends MergeSource {
  readonly name: number;
}

/** Bytes of a message: the same in every stream in which it stands. */
const bytesOf = (sequence: number): number => (sequence * 37) % 101;

function streamOf(sequences: readonly number[]): MessageStream {
  const stream = new MessageStream(1);
  for (const sequence of sequences) stream.push(sequence, bytesOf(sequence));
  return stream;
}

/** Everything that the merge reads: number, bytes and where it stood. */
function readAll(merge: StreamMerge<Source>): [number, number, number[]][] {
  const read: [number, number, number[]][] = [];
  while (merge.advance()) {
    read.push([merge.sequence, merge.bytes, merge.sources.map(({ name }) => name).sort((a, b) => a - b)]);
  }
  return read;
}

/** The same by sorting. */
function sorted(streams: readonly (readonly number[])[], afters: readonly number[], last: number) {
  const places = new Map<number, number[]>();
  streams.forEach((sequences, name) => {
    for (const sequence of sequences) {
      if (sequence <= (afters[name] as number) || sequence > last) continue;
      places.set(sequence, [...(places.get(sequence) ?? []), name]);
    }
  });
  return [...places]
    .sort(([a], [b]) => a - b)
    .map(([sequence, names]): [number, number, number[]] => [sequence, bytesOf(sequence), names]);
}

const sequencesArbitrary = fc
  .uniqueArray(fc.integer({ min: 1, max: 120 }), { maxLength: 60 })
  .map((sequences) => sequences.sort((a, b) => a - b));

describe('StreamMerge', () => {
  it('reads what sorting would give, each message once with all its sources', () => {
    const sources = fc.array(fc.tuple(sequencesArbitrary, fc.nat(130)), { maxLength: 12 });
    fc.assert(
      fc.property(sources, fc.oneof(fc.nat(130), fc.constant(Number.POSITIVE_INFINITY)), (pairs, last) => {
        const merge = new StreamMerge<Source>(
          pairs.map(([sequences, after], name) => ({ name, stream: streamOf(sequences), after })),
          last,
        );
        const streams = pairs.map(([sequences]) => sequences);
        const afters = pairs.map(([, after]) => after);
        expect(readAll(merge)).toEqual(sorted(streams, afters, last));
        expect(merge.advance()).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it('stays right while its streams are trimmed behind it and pushed to before it', () => {
    const operation = fc.oneof(
      fc.constant('read' as const),
      fc.constant('trim' as const),
      fc.constant('push' as const),
    );
    fc.assert(
      fc.property(
        fc.array(sequencesArbitrary, { minLength: 1, maxLength: 6 }),
        fc.array(operation, { maxLength: 200 }),
        (streams, operations) => {
          let position = 0;
          const reader = { positionIn: () => position };
          const sources = streams.map((sequences, name) => ({ name, stream: streamOf(sequences), after: 0 }));
          for (const { stream } of sources) stream.addReader(reader);
          const merge = new StreamMerge<Source>(sources, 120);
          const expected = sorted(
            streams,
            streams.map(() => 0),
            120,
          );
          let pushed = 120;
          let read = 0;
          for (const what of operations) {
            if (what === 'trim') for (const { stream } of sources) stream.trim(() => {});
            else if (what === 'push') {
              pushed++;
              for (const { stream } of sources) stream.push(pushed, bytesOf(pushed));
            } else {
              expect(merge.advance()).toBe(read < expected.length);
              if (read === expected.length) return;
              const [sequence, bytes, names] = expected[read++] as [number, number, number[]];
              expect([merge.sequence, merge.bytes]).toEqual([sequence, bytes]);
              expect(merge.sources.map(({ name }) => name).sort((a, b) => a - b)).toEqual(names);
              position = sequence;
            }
          }
        },
      ),
    );
  });
});
