/**
 * When the messages of a queue arrived and how large they are, in slices of up to 1024: how old the oldest is, up to where all
 * have outlived their retention, and about how many bytes go with a message that nobody has read. Messages
 * come in order of their numbers and go in any order; a slice goes when it is empty and in front.
 */
const LARGEST_SLICE = 1024;

class Slice {
  readonly first: number;
  earliestMs: number;
  latestMs: number;
  count = 0;
  bytes = 0;

  constructor(first: number, atMs: number) {
    this.first = first;
    this.earliestMs = atMs;
    this.latestMs = atMs;
  }
}

export class ArrivalIndex {
  /** How much older its first message may be than its last one. */
  readonly #spanMs: number;
  #slices: Slice[] = [];
  #head = 0;
  #count = 0;
  #bytes = 0;
  /** Messages in the last slice, gone ones included. */
  #filled = 0;
  #recent: Slice | null = null;
  /** The first number behind the recent slice. */
  #recentEnd = 0;
  #lastSequence = 0;

  constructor(spanMs: number) {
    this.#spanMs = spanMs;
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** When the oldest message was enqueued, exact to a slice; 0 if there is none. */
  get oldestMs(): number {
    return this.#slices[this.#head]?.earliestMs ?? 0;
  }

  /** The largest number that was ever added; 0 before the first. */
  get lastSequence(): number {
    return this.#lastSequence;
  }

  /** @param sequence larger than all before */
  add(sequence: number, atMs: number, bytes: number): void {
    let last = this.#slices.at(-1);
    if (last === undefined || this.#filled >= LARGEST_SLICE || atMs - last.earliestMs > this.#spanMs) {
      last = new Slice(sequence, atMs);
      this.#slices.push(last);
      this.#filled = 0;
      this.#recent = null;
    }
    this.#lastSequence = sequence;
    this.#filled++;
    last.count++;
    last.bytes += bytes;
    if (atMs < last.earliestMs) last.earliestMs = atMs;
    if (atMs > last.latestMs) last.latestMs = atMs;
    this.#count++;
    this.#bytes += bytes;
  }

  /** The message is gone. @param bytes as added, or -1 if that is not known: the average of its neighbours then */
  remove(sequence: number, bytes: number): void {
    const slice = this.#sliceOf(sequence);
    if (slice === null) return;
    const known = bytes === -1 ? Math.floor(slice.bytes / slice.count) : Math.min(bytes, slice.bytes);
    const freed = slice.count === 1 ? slice.bytes : known;
    slice.count--;
    slice.bytes -= freed;
    this.#count--;
    this.#bytes -= freed;
    if (slice.count === 0) this.#dropEmpty();
  }

  /** All messages with lower numbers were enqueued at `beforeMs` or earlier. */
  olderThan(beforeMs: number): number {
    let boundary = 0;
    for (let index = this.#head; index < this.#slices.length; index++) {
      const slice = this.#slices[index] as Slice;
      if (slice.latestMs > beforeMs) return slice.first;
      boundary = Number.POSITIVE_INFINITY;
    }
    return boundary;
  }

  #sliceOf(sequence: number): Slice | null {
    const recent = this.#recent;
    if (recent !== null && sequence >= recent.first && sequence < this.#recentEnd) return recent;
    let low = this.#head;
    let high = this.#slices.length - 1;
    if (low > high) return null;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#slices[middle] as Slice).first <= sequence) low = middle;
      else high = middle - 1;
    }
    this.#recent = this.#slices[low] as Slice;
    this.#recentEnd = this.#slices[low + 1]?.first ?? Number.POSITIVE_INFINITY;
    return this.#recent;
  }

  #dropEmpty(): void {
    while (this.#head < this.#slices.length && (this.#slices[this.#head] as Slice).count === 0) this.#head++;
    this.#recent = null;
    if (this.#head === this.#slices.length) {
      this.#slices = [];
      this.#head = 0;
    } else if (this.#head * 2 > this.#slices.length) {
      this.#slices = this.#slices.slice(this.#head);
      this.#head = 0;
    }
  }
}
