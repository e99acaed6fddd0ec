/**
 * Cuts a byte stream into MQTT packets, in place. One per connection; knows the fixed header and nothing else.
 * A packet that lies whole within a chunk is handed on as a range of that chunk. Only a packet that is cut by the end of
 * a chunk is buffered: in one buffer that grows with what has really arrived, never with what a header declares.
 *
 *   chunk    |aaaa|bbbbbb|cc     a and b are ranges of the chunk, cc begins the partial buffer
 *   chunk    cccc|dd|            the partial buffer becomes packet c, d is a range again
 */
import { MalformedPacket, OversizedPacket } from '../core/errors.js';

/** Takes the packets. `bytes[start, end)` is one whole packet, its variable header begins at `bodyStart`. */
export interface FrameSink {
  /** Largest packet to take, in bytes, fixed header included. May grow: that of a client is asked before CONNECT too. */
  readonly maximumPacketSize: number;
  /** @returns false to be given no more: the rest waits in the splitter for {@link FrameSplitter.resume} */
  onFrame(bytes: Buffer, start: number, bodyStart: number, end: number): boolean;
}

const SMALLEST_PARTIAL = 64;
const LONGEST_HEADER = 5;

export class FrameSplitter {
  #partial: Buffer | null = null;
  #partialLength = 0;
  /** Length of the whole packet in `#partial`, or 0 while its header is incomplete. */
  #expectedLength = 0;
  /** Bytes behind the packet after which the sink asked to stop. */
  #held: Buffer | null = null;
  #stopped = false;

  /** Bytes are held back behind a packet after which the sink asked to stop. */
  get isHolding(): boolean {
    return this.#held !== null;
  }

  /** Bytes that wait for the rest of their packet, or for {@link resume}. */
  get bufferedBytes(): number {
    return this.#partialLength + (this.#held?.length ?? 0);
  }

  /**
   * Takes what has arrived. `chunk` must not be written to afterwards.
   * The sink's limit is checked as soon as a packet's header is there.
   * @throws MalformedPacket for an impossible length, OversizedPacket for a packet above the limit
   */
  push(chunk: Buffer, sink: FrameSink): void {
    if (this.#stopped) {
      this.#held = this.#held === null ? ownCopy(chunk, 0) : Buffer.concat([this.#held, chunk]);
      return;
    }
    this.#split(chunk, sink);
  }

  /** Goes on after the sink had asked to stop. The same errors as {@link push}. */
  resume(sink: FrameSink): void {
    const held = this.#held;
    this.#stopped = false;
    this.#held = null;
    if (held !== null) this.#split(held, sink);
  }

  /** Has a packet handled again, before what waits for {@link resume}. Only while it waits. */
  putBack(packet: Buffer): void {
    this.#held = this.#held === null ? packet : Buffer.concat([packet, this.#held]);
  }

  #split(chunk: Buffer, sink: FrameSink): void {
    const length = chunk.length;
    let limit = sink.maximumPacketSize;
    let offset = this.#partial === null ? 0 : this.#fillPartial(chunk, sink);
    while (offset < length) {
      if (this.#stopped) {
        // A copy: it may wait for long, and would keep all that the chunk lies in.
        this.#held = ownCopy(chunk, offset);
        return;
      }
      let bodyStart = offset + 1;
      if (bodyStart === length) break;
      let remaining = chunk[bodyStart++] as number;
      if (remaining > 0x7f) {
        remaining = readRemainingLength(chunk, offset, length);
        if (remaining === -1) break;
        bodyStart = remainingLengthEnd;
      }
      const end = bodyStart + remaining;
      if (end - offset > limit) {
        // The packets before it may have changed the limit.
        limit = sink.maximumPacketSize;
        if (end - offset > limit) refuseSize(end - offset, limit, chunk.subarray(offset));
      }
      if (end > length) break;
      if (!sink.onFrame(chunk, offset, bodyStart, end)) this.#stopped = true;
      offset = end;
    }
    if (offset < length) this.#startPartial(chunk, offset);
  }

  #startPartial(chunk: Buffer, offset: number): void {
    const available = chunk.length - offset;
    const partial = Buffer.allocUnsafeSlow(Math.max(SMALLEST_PARTIAL, available));
    chunk.copy(partial, 0, offset);
    this.#partial = partial;
    this.#partialLength = available;
    this.#expectedLength = expectedLength(partial, available);
  }

  /** Moves bytes of `chunk` to the partial packet, hands it on when complete; returns where the chunk goes on. */
  #fillPartial(chunk: Buffer, sink: FrameSink): number {
    let offset = 0;
    while (this.#expectedLength === 0) {
      if (offset === chunk.length) return offset;
      const partial = this.#partial as Buffer;
      partial[this.#partialLength++] = chunk[offset++] as number;
      this.#expectedLength = expectedLength(partial, this.#partialLength);
    }
    const expected = this.#expectedLength;
    const taken = Math.min(expected - this.#partialLength, chunk.length - offset);
    const partial = this.#ensureRoom(taken, expected);
    chunk.copy(partial, this.#partialLength, offset, offset + taken);
    this.#partialLength += taken;
    offset += taken;
    const limit = sink.maximumPacketSize;
    if (expected > limit) refuseSize(expected, limit, partial.subarray(0, this.#partialLength));
    if (this.#partialLength === expected) {
      this.#partial = null;
      this.#partialLength = 0;
      this.#expectedLength = 0;
      if (!sink.onFrame(partial, 0, headerLength(partial), expected)) this.#stopped = true;
    }
    return offset;
  }

  #ensureRoom(more: number, expected: number): Buffer {
    const partial = this.#partial as Buffer;
    const needed = this.#partialLength + more;
    if (needed <= partial.length) return partial;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, Math.min(expected, 2 * partial.length)));
    partial.copy(grown, 0, 0, this.#partialLength);
    this.#partial = grown;
    return grown;
  }
}

function ownCopy(bytes: Buffer, from: number): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length - from);
  bytes.copy(copy, 0, from);
  return copy;
}

/** Where {@link readRemainingLength} stopped. */
let remainingLengthEnd = 0;

/** The Remaining Length of the packet at `start` (section 2.1.4), or -1 if more bytes are needed. */
function readRemainingLength(bytes: Buffer, start: number, end: number): number {
  let value = 0;
  let shift = 0;
  for (let i = start + 1; i < end; i++) {
    const byte = bytes[i] as number;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      if (byte === 0 && shift > 0) throw new MalformedPacket('Remaining Length is not in its shortest form');
      remainingLengthEnd = i + 1;
      return value;
    }
    shift += 7;
    if (shift > 21) throw new MalformedPacket('Remaining Length is longer than four bytes [MQTT-2.1.4]');
  }
  return -1;
}

function expectedLength(bytes: Buffer, available: number): number {
  const remaining = readRemainingLength(bytes, 0, Math.min(available, LONGEST_HEADER));
  return remaining === -1 ? 0 : remainingLengthEnd + remaining;
}

function headerLength(bytes: Buffer): number {
  readRemainingLength(bytes, 0, LONGEST_HEADER);
  return remainingLengthEnd;
}

function refuseSize(size: number, maximumPacketSize: number, head: Buffer): never {
  throw new OversizedPacket(`a packet of ${size} bytes is larger than the maximum of ${maximumPacketSize}`, head);
}
