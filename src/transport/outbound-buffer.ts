/**
 * What one connection has to send, gathered during an event-loop turn and written once at its end.
 * Small packets are copied into a slab. Packets that lie one behind the other in the same source are remembered as one
 * range (a run) and copied, or sent without copying, as one. A large run keeps its place without being copied, so that all
 * receivers of a large message share its bytes.
 *
 *   full    [####] [run] [##]    slabs, parts of slabs and large runs, in order
 *   slab    [####....]           packets already copied, behind them
 *   run     source[start, end)   what comes after all of that, not copied yet
 */
import type { ByteChannel } from './byte-channel.js';
import type { FlushQueue } from './flush-queue.js';
import { SLAB_BYTES, type SlabPool } from './slab-pool.js';

/** A run of at least this many bytes is sent without copying. */
const ZERO_COPY_BYTES = 512;
/** A run of at least this many bytes is not copied when something else comes behind it: a piece of its own costs less. */
export const LARGE_RUN_BYTES = 8 * 1024;
/** Gathered bytes from which we do not wait for the end of the turn. */
const EARLY_FLUSH_BYTES = 128 * 1024;

export class OutboundBuffer {
  readonly #channel: ByteChannel;
  readonly #flushQueue: FlushQueue;
  readonly #pool: SlabPool;
  #slab: Buffer | null = null;
  #slabUsed = 0;
  /** What of `#slab` stands in `#full` already, in front of a large run. */
  #slabStart = 0;
  /** What stands before the rest of `#slab`. */
  #full: Buffer[] | null = null;
  #runSource: Buffer | null = null;
  #runStart = 0;
  #runEnd = 0;
  #gatheredBytes = 0;
  /** How much of it counts in the flush queue's `heldBytes`. */
  #heldBytes = 0;
  #isQueued = false;
  #isLast = false;
  #isClosed = false;

  constructor(channel: ByteChannel, flushQueue: FlushQueue) {
    this.#channel = channel;
    this.#flushQueue = flushQueue;
    this.#pool = flushQueue.pool;
  }

  /** Bytes that are gathered here, or written and not yet taken by the operating system. */
  get pendingBytes(): number {
    return this.#gatheredBytes + this.#channel.unsentBytes;
  }

  /** Bytes gathered here since the last flush: the cheap part of {@link pendingBytes}. */
  get gatheredBytes(): number {
    return this.#gatheredBytes;
  }

  /** Adds `source[start, end)`, which must stay unchanged until it is sent. */
  append(source: Buffer, start: number, end: number): void {
    this.#gatheredBytes += end - start;
    if (source === this.#runSource && start === this.#runEnd) this.#runEnd = end;
    else {
      if (this.#runSource !== null) this.#sealRun();
      this.#runSource = source;
      this.#runStart = start;
      this.#runEnd = end;
      if (!this.#isQueued) this.#enqueue();
    }
    if (this.#gatheredBytes > EARLY_FLUSH_BYTES) this.#flushEarly();
  }

  /**
   * Adds a copy of `packet` with another first byte and with `id` (two bytes) at `idOffset`. A view that is made once for
   * all receivers makes the copy three times cheaper than one out of a range. What is behind the identifier in a large packet
   * is not copied: it must stay unchanged until it is sent.
   */
  appendPatched(packet: Buffer, firstByte: number, idOffset: number, id: number): void {
    const { length } = packet;
    const head = length < LARGE_RUN_BYTES ? length : idOffset + 2;
    const target = this.reserve(head);
    const offset = this.#reservedAt;
    if (head === length) target.set(packet, offset);
    else packet.copy(target, offset, 0, head);
    target[offset] = firstByte;
    target[offset + idOffset] = id >> 8;
    target[offset + idOffset + 1] = id & 0xff;
    if (head < length) this.append(packet, head, length);
  }

  /** Adds four bytes: an acknowledgement. */
  appendFour(first: number, second: number, id: number): void {
    const target = this.reserve(4);
    const offset = this.#reservedAt;
    target[offset] = first;
    target[offset + 1] = second;
    target[offset + 2] = id >> 8;
    target[offset + 3] = id & 0xff;
  }

  /**
   * Makes room for `length` bytes at the end and returns the buffer to write them into, at {@link reservedAt}. They
   * must be written before anything else is added.
   */
  reserve(length: number): Buffer {
    if (this.#runSource !== null) this.#sealRun();
    this.#gatheredBytes += length;
    if (!this.#isQueued) this.#enqueue();
    return this.#room(length);
  }

  #reservedAt = 0;

  /** Where the bytes of the last {@link reserve} begin. */
  get reservedAt(): number {
    return this.#reservedAt;
  }

  /** Writes everything to the channel, unless it asks to wait: then all stays, in memory of our own. */
  flush(): void {
    this.#isQueued = false;
    if (this.#gatheredBytes === 0 || this.#isClosed) return;
    const channel = this.#channel;
    if (channel.mustWait && !this.#isLast) {
      if (this.#runSource !== null) this.#sealRun();
      this.#countHeld(this.#gatheredBytes);
      return;
    }
    if (this.#heldBytes > 0) this.#countHeld(0);
    const run = this.#runSource;
    if (run !== null && this.#runEnd - this.#runStart < ZERO_COPY_BYTES && this.#slab !== null) this.#sealRun();
    this.#flushQueue.bytesSent += this.#gatheredBytes;
    this.#gatheredBytes = 0;
    const slab = this.#slab;
    const isMany = this.#full !== null || (slab !== null && this.#runSource !== null);
    if (isMany) channel.cork();
    if (this.#full !== null) {
      for (const bytes of this.#full) channel.write(bytes);
      this.#full = null;
    }
    if (slab !== null && this.#slabUsed > this.#slabStart)
      channel.write(slab.subarray(this.#slabStart, this.#slabUsed));
    if (this.#runSource !== null) {
      channel.write(this.#runSource.subarray(this.#runStart, this.#runEnd));
      this.#runSource = null;
    }
    if (isMany) channel.uncork();
    if (slab !== null) {
      this.#slab = null;
      this.#slabUsed = 0;
      this.#slabStart = 0;
      if (channel.unsentBytes === 0) this.#pool.give(slab);
    }
  }

  /** Writes everything, whether or not the channel asks to wait: nothing follows. */
  flushAtEnd(): void {
    this.#isLast = true;
    this.flush();
    this.#isClosed = true;
  }

  /** Takes out what has been gathered and not been written, in its order. */
  discard(): Buffer[] {
    this.#sealSlab();
    const pieces = this.#full ?? [];
    if (this.#runSource !== null) pieces.push(this.#runSource.subarray(this.#runStart, this.#runEnd));
    if (this.#heldBytes > 0) this.#countHeld(0);
    this.#gatheredBytes = 0;
    this.#slab = null;
    this.#slabUsed = 0;
    this.#slabStart = 0;
    this.#full = null;
    this.#runSource = null;
    return pieces;
  }

  #countHeld(bytes: number): void {
    this.#flushQueue.heldBytes += bytes - this.#heldBytes;
    this.#heldBytes = bytes;
  }

  #enqueue(): void {
    this.#isQueued = true;
    this.#flushQueue.add(this);
  }

  // Waiting longer would only make the consumer look slow; if it is, the channel says so and the bytes stay counted.
  #flushEarly(): void {
    if (this.#channel.mustWait) return;
    const wasQueued = this.#isQueued;
    this.flush();
    this.#isQueued = wasQueued;
  }

  #sealRun(): void {
    const source = this.#runSource as Buffer;
    const length = this.#runEnd - this.#runStart;
    this.#runSource = null;
    // Who does not read for long must keep no more memory than what is counted for him.
    if (length >= LARGE_RUN_BYTES && (!this.#channel.mustWait || source.buffer.byteLength <= 2 * length)) {
      this.#sealSlab();
      this.#full ??= [];
      this.#full.push(source.subarray(this.#runStart, this.#runEnd));
      return;
    }
    const target = this.#room(length);
    source.copy(target, this.#reservedAt, this.#runStart, this.#runEnd);
  }

  /** What has been copied so far stands in front of what comes now. */
  #sealSlab(): void {
    if (this.#slab === null || this.#slabUsed === this.#slabStart) return;
    this.#full ??= [];
    this.#full.push(this.#slab.subarray(this.#slabStart, this.#slabUsed));
    this.#slabStart = this.#slabUsed;
  }

  #room(length: number): Buffer {
    let slab = this.#slab;
    if (slab !== null && this.#slabUsed + length <= slab.length) {
      this.#reservedAt = this.#slabUsed;
      this.#slabUsed += length;
      return slab;
    }
    this.#sealSlab();
    slab = length > SLAB_BYTES ? Buffer.allocUnsafeSlow(length) : this.#pool.take();
    this.#slab = slab;
    this.#slabUsed = length;
    this.#slabStart = 0;
    this.#reservedAt = 0;
    return slab;
  }
}
