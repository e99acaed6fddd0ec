import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FlushQueue } from '../../../src/transport/flush-queue.js';
import { OutboundBuffer } from '../../../src/transport/outbound-buffer.js';
import { FakeChannel } from '../../support/fake-channel.js';

const SOURCE = Buffer.from(Array.from({ length: 60_000 }, (_, i) => (i * 31) % 251));

function setUp() {
  const channel = new FakeChannel();
  const queue = new FlushQueue();
  return { channel, queue, outbound: new OutboundBuffer(channel, queue) };
}

/** One turn of the event loop, in which the queue flushes. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

const lengths = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 200 }) },
  { weight: 2, arbitrary: fc.integer({ min: 500, max: 3000 }) },
  { weight: 2, arbitrary: fc.constantFrom(8_191, 8_192, 16_384, 16_385, 40_000) },
);
const operation = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('append' as const), length: lengths, at: fc.nat(15_000) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('run' as const), length: lengths, at: fc.constant(0) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('patched' as const), length: lengths, at: fc.nat(15_000) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('four' as const), length: fc.constant(4), at: fc.nat(65_535) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('reserve' as const), length: lengths, at: fc.nat(255) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('flush' as const), length: fc.constant(0), at: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('channel' as const), length: fc.constant(0), at: fc.nat(3) }) },
);

describe('OutboundBuffer', () => {
  it('sends the bytes of a plain concatenation, whatever is mixed and whenever the channel is slow', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 120 }), (operations) => {
        const { channel, outbound } = setUp();
        const expected: Buffer[] = [];
        let runEnd = 0;
        let written = 0;
        for (const { kind, length, at } of operations) {
          switch (kind) {
            case 'append':
            case 'run': {
              // A run goes on where the last one ended, in the same source.
              const start = kind === 'run' && runEnd + length <= SOURCE.length ? runEnd : at;
              outbound.append(SOURCE, start, start + length);
              expected.push(SOURCE.subarray(start, start + length));
              runEnd = start + length;
              break;
            }
            case 'patched': {
              const size = Math.max(length, 5);
              outbound.appendPatched(SOURCE.subarray(at, at + size), 0x3d, 2, 0xbeef);
              const copy = Buffer.from(SOURCE.subarray(at, at + size));
              copy[0] = 0x3d;
              copy.writeUInt16BE(0xbeef, 2);
              expected.push(copy);
              break;
            }
            case 'four':
              outbound.appendFour(0x40, 2, at);
              expected.push(Buffer.from([0x40, 2, at >> 8, at & 0xff]));
              break;
            case 'reserve': {
              const target = outbound.reserve(length);
              target.fill(at, outbound.reservedAt, outbound.reservedAt + length);
              expected.push(Buffer.alloc(length, at));
              break;
            }
            case 'flush':
              outbound.flush();
              break;
            default:
              if (at === 0) channel.drain();
              channel.isSlow = at === 1 || at === 2;
              channel.mustWait = at === 2;
              if (!channel.isSlow) channel.drain();
          }
          written = expected.reduce((sum, bytes) => sum + bytes.length, 0);
          const arrived = channel.received.reduce((sum, bytes) => sum + bytes.length, 0);
          expect(outbound.pendingBytes + arrived).toBe(written);
        }
        channel.drain();
        outbound.flushAtEnd();
        channel.drain();
        expect(channel.corks).toBe(0);
        expect(outbound.pendingBytes).toBe(0);
        expect(channel.receivedBytes.equals(Buffer.concat(expected))).toBe(true);
      }),
      { numRuns: 400 },
    );
  });

  it('writes once for a turn, however many packets there are', async () => {
    const { channel, queue, outbound } = setUp();
    for (let i = 0; i < 100; i++) outbound.appendFour(0x40, 2, i);
    expect(channel.writes).toBe(0);
    await turn();
    expect(channel.writes).toBe(1);
    expect(channel.receivedBytes.length).toBe(400);
    expect(queue.bytesSent).toBe(400);
    await turn();
    expect(channel.writes).toBe(1);
  });

  it('writes packets that lie one behind the other as one range, without copying them', async () => {
    const { channel, outbound } = setUp();
    channel.isSlow = true;
    const source = Buffer.alloc(10_000, 1);
    for (let at = 0; at < 10_000; at += 100) outbound.append(source, at, at + 100);
    await turn();
    expect(channel.writes).toBe(1);
    // It is the source itself that is on its way.
    source.fill(2);
    channel.drain();
    expect(channel.receivedBytes.equals(Buffer.alloc(10_000, 2))).toBe(true);
  });

  it('copies what has to wait: a chunk is not pinned by a slow client', async () => {
    const { channel, outbound } = setUp();
    channel.mustWait = true;
    const source = Buffer.alloc(1000, 1);
    outbound.append(source, 0, 1000);
    await turn();
    expect(channel.writes).toBe(0);
    source.fill(2);
    channel.mustWait = false;
    outbound.flush();
    expect(channel.receivedBytes.equals(Buffer.alloc(1000, 1))).toBe(true);
  });

  it('sends a large run where it is, whatever stands before and behind it', async () => {
    const { channel, outbound } = setUp();
    channel.isSlow = true;
    const source = Buffer.alloc(20_000, 1);
    outbound.appendFour(9, 9, 0x0909);
    outbound.append(source, 0, 10_000);
    outbound.appendFour(8, 8, 0x0808);
    await turn();
    source.fill(2);
    channel.drain();
    const expected = [Buffer.alloc(4, 9), Buffer.alloc(10_000, 2), Buffer.alloc(4, 8)];
    expect(channel.receivedBytes.equals(Buffer.concat(expected))).toBe(true);
  });

  it('shares what is behind the identifier of a large packet with other receivers', async () => {
    const { channel, outbound } = setUp();
    channel.isSlow = true;
    const packet = Buffer.alloc(10_000, 1);
    outbound.appendPatched(packet, 0x32, 10, 0xbeef);
    outbound.appendFour(9, 9, 0x0909);
    await turn();
    expect(packet.equals(Buffer.alloc(10_000, 1))).toBe(true);
    packet.fill(2, 12);
    channel.drain();
    const head = Buffer.alloc(12, 1);
    head[0] = 0x32;
    head.writeUInt16BE(0xbeef, 10);
    const expected = [head, Buffer.alloc(9988, 2), Buffer.alloc(4, 9)];
    expect(channel.receivedBytes.equals(Buffer.concat(expected))).toBe(true);
  });

  it('keeps a large run for a slow client where it is only if little else lies there', async () => {
    const { channel, outbound } = setUp();
    channel.mustWait = true;
    const chunk = Buffer.alloc(100_000, 1);
    const own = Buffer.alloc(10_000, 1);
    outbound.append(chunk, 0, 10_000);
    outbound.append(own, 0, 10_000);
    await turn();
    const pieces = outbound.discard();
    expect(pieces.some(({ buffer }) => buffer === own.buffer)).toBe(true);
    expect(pieces.some(({ buffer }) => buffer === chunk.buffer)).toBe(false);
    expect(Buffer.concat(pieces).equals(Buffer.alloc(20_000, 1))).toBe(true);
  });

  it('does not use a slab again that is still on its way', async () => {
    const channel = new FakeChannel();
    const queue = new FlushQueue();
    const one = new OutboundBuffer(channel, queue);
    channel.isSlow = true;
    one.appendFour(1, 1, 0x0101);
    await turn();
    const other = new OutboundBuffer(new FakeChannel(), queue);
    for (let i = 0; i < 1000; i++) other.appendFour(9, 9, 0x0909);
    await turn();
    channel.drain();
    expect([...channel.receivedBytes]).toEqual([1, 1, 1, 1]);
  });

  it('does not wait for the end of the turn with much to send', () => {
    const { channel, outbound } = setUp();
    const source = Buffer.alloc(200_000);
    outbound.append(source, 0, 100_000);
    expect(channel.writes).toBe(0);
    outbound.append(source, 100_000, 200_000);
    expect(channel.receivedBytes.length).toBe(200_000);
    expect(outbound.gatheredBytes).toBe(0);
  });

  it('gathers while the channel asks to wait, early flush or not', () => {
    const { channel, outbound } = setUp();
    channel.mustWait = true;
    const source = Buffer.alloc(200_000);
    outbound.append(source, 0, 200_000);
    outbound.flush();
    expect(channel.writes).toBe(0);
    expect(outbound.gatheredBytes).toBe(200_000);
  });

  it('gives back what it throws away, and goes on', async () => {
    const { channel, outbound } = setUp();
    channel.mustWait = true;
    outbound.append(SOURCE, 0, 300);
    outbound.appendFour(1, 2, 3);
    outbound.append(SOURCE, 1000, 1100);
    const dropped = Buffer.concat(outbound.discard());
    const expected = [SOURCE.subarray(0, 300), Buffer.from([1, 2, 0, 3]), SOURCE.subarray(1000, 1100)];
    expect(dropped.equals(Buffer.concat(expected))).toBe(true);
    expect(outbound.gatheredBytes).toBe(0);
    expect(outbound.discard()).toEqual([]);
    outbound.appendFour(7, 7, 0x0707);
    outbound.flushAtEnd();
    expect([...channel.receivedBytes]).toEqual([7, 7, 7, 7]);
    outbound.appendFour(8, 8, 8);
    await turn();
    expect(channel.receivedBytes.length).toBe(4);
  });
});
