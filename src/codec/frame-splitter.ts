/**
 * Cuts a byte stream into MQTT packets, in place. One per connection; knows the fixed header and nothing else.
 * A packet that lies whole within a chunk is handed on as a range of that chunk. Only a packet that is cut by the end of
 * a chunk is buffered: in one buffer that grows with what has really arrived, never with what a header declares.
 *
 *   chunk    |aaaa|bbbbbb|cc     a and b are ranges of the chunk, cc begins the partial buffer
 *   chunk    cccc|dd|            the partial buffer becomes packet c, d is a range again
 *
 * What is still missing of a large packet can be read straight into that buffer: into its {@link FrameSplitter.room}.
 */
import { MalformedPacket, OversizedPacket } from '../core/errors.js';
import { PUBLISH } from './packet-type.js';

/** Takes the packets. `bytes[start, end)` is one whole packet, its variable header begins at `bodyStart`. */
export interface FrameSink {
  /** Largest packet to take, in bytes, fixed header included. May grow: that of a client is asked before CONNECT too. */
  readonly maximumPacketSize: number;
  /** @returns false to be given no more: the rest waits in the splitter for {@link FrameSplitter.resume} */
  onFrame(bytes: Buffer, start: number, bodyStart: number, end: number): boolean;
}

const SMALLEST_PARTIAL = 64;
const LONGEST_HEADER = 5;
/**
 * Of smaller packets nobody asks where they are cut: too much work for what copying a part of one twice costs. Nor of others than
 * PUBLISH, which may be far dearer by the byte.
 */
const LARGE_PACKET = 2048;
/** A packet of which less has come, or less is missing, is not worth reads of its own. */
const SMALLEST_ROOM = 8 * 1024;

export class FrameSplitter {
  #partial: Buffer | null = null;
  #partialLength = 0;
  /** Length of the whole packet in `#partial`, or 0 while its header is incomplete. */
  #expectedLength = 0;
  /** Bytes behind the packet after which the sink asked to stop. */
  #held: Buffer | null = null;
  #stopped = false;
  #hasLargePackets = false;

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
    if (this.#stopped) this.#hold(chunk);
    else this.#split(chunk, sink);
  }

  /**
   * The same for memory that is read into again: what is to stay is copied, each byte of a large packet once.
   * The same errors as {@link push}.
   */
  pushShared(chunk: Buffer, sink: FrameSink): void {
    if (this.#stopped) {
      this.#hold(chunk);
      return;
    }
    const start = this.#partial === null ? 0 : this.#fillPartial(chunk, sink);
    const firstCut = findCutPacket(chunk, start);
    this.#hasLargePackets = firstCut !== -1;
    const cut = this.#stopped || firstCut === -1 ? chunk.length : firstCut;
    if (start < cut) this.#split(ownCopy(chunk, start, cut), sink);
    if (cut === chunk.length) return;
    if (this.#stopped) this.#hold(chunk.subarray(cut));
    else this.#split(chunk.subarray(cut), sink);
  }

  /** There was nothing but large PUBLISHes in what was last given to {@link pushShared}: more of them can be handled at once. */
  get hasLargePackets(): boolean {
    return this.#hasLargePackets;
  }

  /**
   * Where what comes next is best read to, or null if it is better read elsewhere and pushed: never more than has come already.
   * Whoever takes it reads at most as much and says so by {@link fillRoom}, before anything is pushed.
   */
  get room(): Buffer | null {
    const missing = this.#expectedLength - this.#partialLength;
    if (this.#partial === null || this.#partialLength < SMALLEST_ROOM || missing < SMALLEST_ROOM) return null;
    return this.#ensureRoom(SMALLEST_ROOM, this.#expectedLength).subarray(this.#partialLength);
  }

  /** So many bytes have been read to {@link room}. The same errors as {@link push}. */
  fillRoom(length: number, sink: FrameSink): void {
    this.#partialLength += length;
    this.#handOnWhole(sink);
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
        this.#hold(chunk.subarray(offset));
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

  /** A copy: it may wait for long, and would keep all that the chunk lies in. */
  #hold(bytes: Buffer): void {
    this.#held = this.#held === null ? ownCopy(bytes, 0, bytes.length) : Buffer.concat([this.#held, bytes]);
  }

  #startPartial(chunk: Buffer, offset: number): void {
    const available = chunk.length - offset;
    const expected = expectedLength(chunk, offset, chunk.length);
    const partial = Buffer.allocUnsafeSlow(Math.max(SMALLEST_PARTIAL, available, Math.min(expected, 2 * available)));
    chunk.copy(partial, 0, offset);
    this.#partial = partial;
    this.#partialLength = available;
    this.#expectedLength = expected;
  }

  /** Moves bytes of `chunk` to the partial packet, hands it on when complete; returns where the chunk goes on. */
  #fillPartial(chunk: Buffer, sink: FrameSink): number {
    let offset = 0;
    while (this.#expectedLength === 0) {
      if (offset === chunk.length) return offset;
      const partial = this.#partial as Buffer;
      partial[this.#partialLength++] = chunk[offset++] as number;
      this.#expectedLength = expectedLength(partial, 0, this.#partialLength);
    }
    const expected = this.#expectedLength;
    const taken = Math.min(expected - this.#partialLength, chunk.length - offset);
    const partial = this.#ensureRoom(taken, expected);
    chunk.copy(partial, this.#partialLength, offset, offset + taken);
    this.#partialLength += taken;
    const limit = sink.maximumPacketSize;
    if (expected > limit) refuseSize(expected, limit, partial.subarray(0, this.#partialLength));
    this.#handOnWhole(sink);
    return offset + taken;
  }

  /** Hands the partial packet on if it is complete. */
  #handOnWhole(sink: FrameSink): void {
    const expected = this.#expectedLength;
    if (this.#partialLength < expected) return;
    const partial = this.#partial as Buffer;
    this.#partial = null;
    this.#partialLength = 0;
    this.#expectedLength = 0;
    if (!sink.onFrame(partial, 0, headerLength(partial), expected)) this.#stopped = true;
  }

  #ensureRoom(more: number, expected: number): Buffer {
    const partial = this.#partial as Buffer;
    const needed = this.#partialLength + more;
    if (needed <= partial.length) return partial;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, Math.min(expected, 2 * this.#partialLength)));
    partial.copy(grown, 0, 0, this.#partialLength);
    this.#partial = grown;
    return grown;
  }
}

function ownCopy(bytes: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafeSlow(end - start);
  bytes.copy(copy, 0, start, end);
  return copy;
}

/** Where the packet begins that the end of the chunk cuts, or the chunk's end; -1 if it or one before it is no large PUBLISH. */
function findCutPacket(chunk: Buffer, start: number): number {
  let offset = start;
  while (offset < chunk.length) {
    let remaining = 0;
    let bodyStart = offset + 1;
    let byte = 0x80;
    for (let shift = 0; byte > 0x7f && shift <= 21 && bodyStart < chunk.length; shift += 7) {
      byte = chunk[bodyStart++] as number;
      remaining |= (byte & 0x7f) << shift;
    }
    // What is no packet is found out in its turn.
    if (byte > 0x7f || remaining < LARGE_PACKET || (chunk[offset] as number) >> 4 !== PUBLISH) return -1;
    if (bodyStart + remaining > chunk.length) return offset;
    offset = bodyStart + remaining;
  }
  return offset;
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

/** Of the packet at `start`, or 0 if its header is not whole. */
function expectedLength(bytes: Buffer, start: number, end: number): number {
  const remaining = readRemainingLength(bytes, start, Math.min(end, start + LONGEST_HEADER));
  return remaining === -1 ? 0 : remainingLengthEnd - start + remaining;
}

function headerLength(bytes: Buffer): number {
  readRemainingLength(bytes, 0, LONGEST_HEADER);
  return remainingLengthEnd;
}

function refuseSize(size: number, maximumPacketSize: number, head: Buffer): never {
  throw new OversizedPacket(`a packet of ${size} bytes is larger than the maximum of ${maximumPacketSize}`, head);
}
