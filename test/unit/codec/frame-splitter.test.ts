import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FrameSink, FrameSplitter } from '../../../src/codec/frame-splitter.js';
import { OversizedPacket, ProtocolViolation } from '../../../src/core/errors.js';

class Collector implements FrameSink {
  maximumPacketSize = Number.MAX_SAFE_INTEGER;
  readonly frames: Buffer[] = [];
  /** Asks to stop after every frame with this number, counted from 1. */
  stopsAfter: (frame: number) => boolean = () => false;

  onFrame(bytes: Buffer, start: number, bodyStart: number, end: number): boolean {
    const frame = Buffer.from(bytes.subarray(start, end));
    expect(bodyStart - start).toBe(headerLength(frame));
    this.frames.push(frame);
    return !this.stopsAfter(this.frames.length);
  }
}

function headerLength(frame: Buffer): number {
  let length = 2;
  while ((frame[length - 1] as number) > 0x7f) length++;
  return length;
}

function frame(body: Buffer, first = 0x30): Buffer {
  const header = [first];
  let rest = body.length;
  do {
    header.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>= 7;
  } while (rest > 0);
  return Buffer.concat([Buffer.from(header), body]);
}

function patterned(length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, at) => (at * 31 + length) % 251));
}

function headOf(act: () => void): Buffer | undefined {
  try {
    act();
  } catch (error) {
    if (error instanceof OversizedPacket) return error.head;
    throw error;
  }
  return undefined;
}

function reasonCodeOf(act: () => void): number {
  try {
    act();
  } catch (error) {
    if (error instanceof ProtocolViolation) return error.reasonCode;
    throw error;
  }
  return 0;
}

const bodies = fc.oneof(
  { weight: 6, arbitrary: fc.uint8Array({ maxLength: 40 }) },
  { weight: 2, arbitrary: fc.integer({ min: 120, max: 400 }).map((length) => new Uint8Array(length).fill(length)) },
  { weight: 1, arbitrary: fc.integer({ min: 16_380, max: 16_390 }).map((length) => new Uint8Array(length).fill(7)) },
);
const frames = fc.array(
  bodies.map((body) => frame(Buffer.from(body))),
  { maxLength: 30 },
);

/** Where a stream is cut, as shares of its length. */
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 20 });

function pieces(bytes: Buffer, at: readonly number[]): Buffer[] {
  const offsets = [...at.map((share) => Math.floor(share * bytes.length)), 0, bytes.length].sort((a, b) => a - b);
  return offsets.slice(1).map((end, i) => Buffer.from(bytes.subarray(offsets[i], end)));
}

describe('FrameSplitter', () => {
  it('finds the same frames however the stream is cut', () => {
    fc.assert(
      fc.property(frames, cuts, (sent, at) => {
        const splitter = new FrameSplitter();
        const collector = new Collector();
        for (const piece of pieces(Buffer.concat(sent), at)) splitter.push(piece, collector);
        expect(collector.frames.map((one) => one.length)).toEqual(sent.map((one) => one.length));
        expect(Buffer.concat(collector.frames).equals(Buffer.concat(sent))).toBe(true);
        expect(splitter.bufferedBytes).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  it('finds them in single bytes', () => {
    fc.assert(
      fc.property(frames, (sent) => {
        const splitter = new FrameSplitter();
        const collector = new Collector();
        for (const byte of Buffer.concat(sent.filter((one) => one.length < 1000))) {
          splitter.push(Buffer.from([byte]), collector);
        }
        const expected = sent.filter((one) => one.length < 1000);
        expect(collector.frames.length).toBe(expected.length);
        expect(Buffer.concat(collector.frames).equals(Buffer.concat(expected))).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  it('stops after any frame and goes on later, with what came meanwhile', () => {
    fc.assert(
      fc.property(frames, cuts, fc.array(fc.boolean(), { minLength: 1, maxLength: 10 }), (sent, at, stops) => {
        const splitter = new FrameSplitter();
        const collector = new Collector();
        let isStopped = false;
        collector.stopsAfter = (n) => {
          expect(isStopped).toBe(false);
          isStopped = stops[n % stops.length] as boolean;
          return isStopped;
        };
        const resume = () => {
          isStopped = false;
          splitter.resume(collector);
        };
        pieces(Buffer.concat(sent), at).forEach((piece, i) => {
          splitter.push(piece, collector);
          if (i % 3 === 2 && isStopped) resume();
        });
        while (isStopped) resume();
        expect(collector.frames.length).toBe(sent.length);
        expect(Buffer.concat(collector.frames).equals(Buffer.concat(sent))).toBe(true);
        expect(splitter.bufferedBytes).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  it('finds them in memory that is read into again and in its own room, and they stay as they are', () => {
    const largeFrames = fc.array(fc.oneof(bodies, fc.integer({ min: 2000, max: 90_000 }).map(patterned)), {
      maxLength: 12,
    });
    const reads = fc.array(fc.record({ length: fc.integer({ min: 1, max: 40_000 }), isShared: fc.boolean() }), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(largeFrames, reads, fc.integer({ min: 2, max: 9 }), (sentBodies, readings, stopsAt) => {
        const sent = sentBodies.map((body) => frame(Buffer.from(body)));
        const stream = Buffer.concat(sent);
        const splitter = new FrameSplitter();
        const received: Buffer[] = [];
        let isStopped = false;
        const sink = {
          maximumPacketSize: Number.MAX_SAFE_INTEGER,
          onFrame(bytes: Buffer, start: number, _bodyStart: number, end: number): boolean {
            expect(isStopped).toBe(false);
            received.push(bytes.subarray(start, end));
            isStopped = received.length % stopsAt === 0;
            return !isStopped;
          },
        };
        const shared = Buffer.alloc(40_000);
        for (let at = 0, n = 0; at < stream.length; n++) {
          const { length, isShared } = readings[n % readings.length] as (typeof readings)[number];
          const room = splitter.room;
          const read = stream.subarray(at, at + Math.min(length, room?.length ?? length));
          at += read.length;
          if (room !== null) {
            read.copy(room);
            splitter.fillRoom(read.length, sink);
          } else if (isShared) {
            read.copy(shared);
            splitter.pushShared(shared.subarray(0, read.length), sink);
            shared.fill(0xee);
          } else splitter.push(Buffer.from(read), sink);
          for (; isStopped; splitter.resume(sink)) isStopped = false;
        }
        expect(received.map((one) => one.length)).toEqual(sent.map((one) => one.length));
        expect(Buffer.concat(received).equals(stream)).toBe(true);
        expect(splitter.bufferedBytes).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  it('copies no more of a chunk than whole packets, if they are large, and what is cut once', () => {
    const splitter = new FrameSplitter();
    const seen: Buffer[] = [];
    const sink = { maximumPacketSize: 100_000, onFrame: (bytes: Buffer) => seen.push(bytes) > 0 };
    const whole = frame(Buffer.alloc(5000));
    const cut = frame(Buffer.alloc(7000));
    splitter.pushShared(Buffer.concat([whole, cut.subarray(0, 6000)]), sink);
    expect(seen.map((bytes) => bytes.buffer.byteLength)).toEqual([whole.length]);
    splitter.push(cut.subarray(6000), sink);
    expect(seen[1]?.buffer.byteLength).toBe(cut.length);
    expect(splitter.hasLargePackets).toBe(true);
    splitter.pushShared(Buffer.concat([whole, frame(Buffer.alloc(3)), cut]), sink);
    expect(splitter.hasLargePackets).toBe(false);
    splitter.pushShared(whole, sink);
    expect(splitter.hasLargePackets).toBe(true);
    splitter.pushShared(frame(Buffer.alloc(5000), 0x82), sink);
    expect(splitter.hasLargePackets).toBe(false);
  });

  it('has room for as much as has come of a large packet, and none for a small one or a rest', () => {
    const splitter = new FrameSplitter();
    const collector = new Collector();
    const large = frame(patterned(100_000));
    splitter.push(large.subarray(0, 8000), collector);
    expect(splitter.room).toBeNull();
    let come = 8192;
    splitter.push(large.subarray(8000, come), collector);
    for (let room = splitter.room; room !== null; room = splitter.room) {
      expect(room.length).toBeLessThanOrEqual(come);
      large.copy(room, 0, come, come + room.length);
      splitter.fillRoom(room.length, collector);
      come += room.length;
    }
    expect(come).toBe(large.length);
    expect(collector.frames.map((one) => one.equals(large))).toEqual([true]);
    expect(splitter.room).toBeNull();
    splitter.push(frame(Buffer.alloc(20_000)).subarray(0, 15_000), collector);
    expect(splitter.room).toBeNull();
  });

  it('refuses in memory that is read into again what it refuses elsewhere, behind the packets before it', () => {
    const collector = new Collector();
    collector.maximumPacketSize = 10_000;
    const first = frame(patterned(9000));
    const tooLarge = Buffer.concat([first, frame(Buffer.alloc(20_000)).subarray(0, 5000)]);
    expect(reasonCodeOf(() => new FrameSplitter().pushShared(tooLarge, collector))).toBe(0x95);
    const malformed = Buffer.concat([first, Buffer.from([0x30, 0x80, 0x80, 0x80, 0x80, 0x01])]);
    expect(reasonCodeOf(() => new FrameSplitter().pushShared(malformed, collector))).toBe(0x81);
    expect(collector.frames.map((one) => one.equals(first))).toEqual([true, true]);
  });

  it('hands on a frame that lies whole in a chunk without copying it', () => {
    const chunk = Buffer.concat([frame(Buffer.from('abc')), frame(Buffer.from('def'))]);
    const seen: [Buffer, number, number, number][] = [];
    const sink = {
      maximumPacketSize: 100,
      onFrame: (...range: [Buffer, number, number, number]) => {
        seen.push(range);
        return true;
      },
    };
    new FrameSplitter().push(chunk, sink);
    expect(seen).toEqual([
      [chunk, 0, 2, 5],
      [chunk, 5, 7, 10],
    ]);
    expect(seen.every(([bytes]) => bytes === chunk)).toBe(true);
  });

  it('checks the limit as soon as the header is there', () => {
    const collector = new Collector();
    collector.maximumPacketSize = 100;
    const header = frame(Buffer.alloc(200)).subarray(0, 3);
    expect(reasonCodeOf(() => new FrameSplitter().push(header, collector))).toBe(0x95);
    const splitter = new FrameSplitter();
    splitter.push(header.subarray(0, 1), collector);
    splitter.push(header.subarray(1, 2), collector);
    expect(reasonCodeOf(() => splitter.push(Buffer.concat([header.subarray(2, 3), Buffer.alloc(1)]), collector))).toBe(
      0x95,
    );
    expect(collector.frames).toEqual([]);
  });

  it('hands on what has arrived of a packet above the limit', () => {
    const collector = new Collector();
    collector.maximumPacketSize = 100;
    const packet = frame(Buffer.alloc(200, 7));
    const chunk = Buffer.concat([frame(Buffer.alloc(8)), packet.subarray(0, 20)]);
    expect(headOf(() => new FrameSplitter().push(chunk, collector))).toEqual(packet.subarray(0, 20));
    const splitter = new FrameSplitter();
    splitter.push(packet.subarray(0, 2), collector);
    expect(headOf(() => splitter.push(packet.subarray(2, 150), collector))).toEqual(packet.subarray(0, 150));
  });

  it('takes a frame of exactly the limit, and its limit may grow on the way', () => {
    const collector = new Collector();
    collector.maximumPacketSize = 10;
    const exact = frame(Buffer.alloc(8));
    new FrameSplitter().push(exact, collector);
    expect(collector.frames.length).toBe(1);
    expect(reasonCodeOf(() => new FrameSplitter().push(frame(Buffer.alloc(9)), collector))).toBe(0x95);
    collector.stopsAfter = () => {
      collector.maximumPacketSize = 1000;
      return false;
    };
    new FrameSplitter().push(Buffer.concat([exact, frame(Buffer.alloc(500))]), collector);
    expect(collector.frames.length).toBe(3);
  });

  it('takes no memory for what a header declares', () => {
    const splitter = new FrameSplitter();
    const collector = new Collector();
    const before = process.memoryUsage().arrayBuffers;
    splitter.push(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f, 1, 2, 3]), collector);
    for (let i = 0; i < 100; i++) splitter.push(Buffer.alloc(10), collector);
    expect(splitter.bufferedBytes).toBe(1008);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1024 * 1024);
  });

  it('does not slow down with a large packet in small pieces', () => {
    const splitter = new FrameSplitter();
    const collector = new Collector();
    const large = frame(Buffer.alloc(2_000_000, 5));
    for (let offset = 0; offset < large.length; offset += 100)
      splitter.push(large.subarray(offset, offset + 100), collector);
    expect(collector.frames[0]?.equals(large)).toBe(true);
  });

  it.each([
    ['a length of five bytes', [0x30, 0x80, 0x80, 0x80, 0x80, 0x01]],
    ['a length that is not minimal', [0x30, 0x80, 0x00]],
    ['a long length that is not minimal', [0x30, 0xff, 0x80, 0x00]],
  ])('refuses %s, in one piece and in many', (_name, bytes) => {
    expect(reasonCodeOf(() => new FrameSplitter().push(Buffer.from(bytes), new Collector()))).toBe(0x81);
    const splitter = new FrameSplitter();
    const byteByByte = () => {
      for (const byte of bytes) splitter.push(Buffer.from([byte]), new Collector());
    };
    expect(reasonCodeOf(byteByByte)).toBe(0x81);
  });
});
