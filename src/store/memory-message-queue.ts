/** A MessageQueue in memory: a ring that grows and shrinks by doubling. */
import type { MessageQueue, QueuedMessage } from './message-queue.js';

const SMALLEST_RING = 16;

export class MemoryMessageQueue implements MessageQueue {
  readonly maximumBytes: number;
  readonly #maximumMessages: number;
  #ring: (QueuedMessage | undefined)[] = [];
  #head = 0;
  #length = 0;
  #bytes = 0;

  constructor(maximumMessages: number, maximumBytes: number) {
    this.#maximumMessages = maximumMessages;
    this.maximumBytes = maximumBytes;
  }

  get length(): number {
    return this.#length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  offer(entry: QueuedMessage): boolean {
    const bytes = entry.message.byteLength;
    if (this.#length >= this.#maximumMessages || this.#bytes + bytes > this.maximumBytes) return false;
    if (this.#length === this.#ring.length) this.#resize(Math.max(SMALLEST_RING, 2 * this.#length));
    this.#ring[(this.#head + this.#length) & (this.#ring.length - 1)] = entry;
    this.#length++;
    this.#bytes += bytes;
    return true;
  }

  take(): QueuedMessage | undefined {
    if (this.#length === 0) return undefined;
    const entry = this.#ring[this.#head] as QueuedMessage;
    this.#ring[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    this.#length--;
    this.#bytes -= entry.message.byteLength;
    if (this.#length * 4 < this.#ring.length && this.#ring.length > SMALLEST_RING) this.#resize(this.#ring.length / 2);
    return entry;
  }

  clear(): number {
    const dropped = this.#length;
    this.#ring = [];
    this.#head = 0;
    this.#length = 0;
    this.#bytes = 0;
    return dropped;
  }

  #resize(size: number): void {
    const ring = new Array<QueuedMessage | undefined>(size).fill(undefined);
    for (let i = 0; i < this.#length; i++) ring[i] = this.#ring[(this.#head + i) & (this.#ring.length - 1)];
    this.#ring = ring;
    this.#head = 0;
  }
}
