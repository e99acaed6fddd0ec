/**
 * Growing numbers, first in first out, 8 bytes each. They stand in chunks, the first ones small, so that neither a short
 * queue nor a long one wastes room, and nothing is copied when it grows. One may be removed from the middle: its
 * place stays, as a negative number, until it is reached, or until more places are empty than taken.
 */
const SMALLEST_CHUNK = 8;
const LARGEST_CHUNK = 1024;
/** Chunks that have been read before the list of chunks is cut. */
const CUT_FROM = 64;

export class SequenceQueue {
  #chunks: Float64Array[] = [];
  /** Index of the chunk in front, and of the place in it that comes next. */
  #headChunk = 0;
  #head = 0;
  /** Places that are filled in the last chunk. */
  #tail = 0;
  #live = 0;
  #removed = 0;

  get length(): number {
    return this.#live;
  }

  /** The next one; 0 if it is empty. */
  get first(): number {
    return this.#live === 0 ? 0 : ((this.#chunks[this.#headChunk] as Float64Array)[this.#head] as number);
  }

  /** Adds one, larger than all before. */
  push(value: number): void {
    let last = this.#chunks.at(-1);
    if (last === undefined || this.#tail === last.length) {
      last = new Float64Array(last === undefined ? SMALLEST_CHUNK : Math.min(LARGEST_CHUNK, 2 * last.length));
      this.#chunks.push(last);
      this.#tail = 0;
    }
    last[this.#tail++] = value;
    this.#live++;
  }

  /** Takes the next one; 0 if it is empty. */
  take(): number {
    const value = this.first;
    if (value === 0) return 0;
    this.#live--;
    this.#advance();
    this.#skipRemoved();
    return value;
  }

  /** Takes one from where it stands. @returns false if it is not there */
  remove(value: number): boolean {
    const place = this.#find(value);
    const chunk = place === null ? undefined : this.#chunks[place.chunk];
    if (place === null || chunk === undefined || chunk[place.at] !== value) return false;
    chunk[place.at] = -value;
    this.#live--;
    this.#removed++;
    this.#skipRemoved();
    if (this.#removed > this.#live + LARGEST_CHUNK) this.#rebuild();
    return true;
  }

  has(value: number): boolean {
    const place = this.#find(value);
    return place !== null && this.#chunks[place.chunk]?.[place.at] === value;
  }

  /** All that are there, in order. */
  [Symbol.iterator](): IterableIterator<number> {
    return this.from(0);
  }

  /** Those from `value` on, in order; what comes before is not walked. Not to be kept while the queue changes. */
  *from(value: number): IterableIterator<number> {
    const place = this.#find(value);
    if (place === null) return;
    for (let index = place.chunk; index < this.#chunks.length; index++) {
      const chunk = this.#chunks[index] as Float64Array;
      const end = index === this.#chunks.length - 1 ? this.#tail : chunk.length;
      for (let at = index === place.chunk ? place.at : 0; at < end; at++) {
        if ((chunk[at] as number) >= value) yield chunk[at] as number;
      }
    }
  }

  #advance(): void {
    if (this.#live === 0) {
      this.#chunks = [];
      this.#headChunk = 0;
      this.#head = 0;
      this.#tail = 0;
      this.#removed = 0;
      return;
    }
    if (++this.#head < (this.#chunks[this.#headChunk] as Float64Array).length) return;
    this.#head = 0;
    this.#headChunk++;
    if (this.#headChunk < CUT_FROM || this.#headChunk * 2 < this.#chunks.length) {
      this.#chunks[this.#headChunk - 1] = EMPTY;
      return;
    }
    this.#chunks = this.#chunks.slice(this.#headChunk);
    this.#headChunk = 0;
  }

  #skipRemoved(): void {
    if (this.#live === 0) this.#advance();
    while (this.#live > 0 && this.first < 0) {
      this.#removed--;
      this.#advance();
    }
  }

  #rebuild(): void {
    const values = [...this];
    this.#live = 0;
    this.#advance();
    for (const value of values) this.push(value);
  }

  /** Where the value stands, or would: the last place before those that are larger, or after those that are lower. */
  #find(value: number): { readonly chunk: number; readonly at: number } | null {
    let low = this.#headChunk;
    let high = this.#chunks.length - 1;
    if (low > high) return null;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (Math.abs((this.#chunks[middle] as Float64Array)[0] as number) <= value) low = middle;
      else high = middle - 1;
    }
    const chunk = this.#chunks[low] as Float64Array;
    let from = low === this.#headChunk ? this.#head : 0;
    let to = (low === this.#chunks.length - 1 ? this.#tail : chunk.length) - 1;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (Math.abs(chunk[middle] as number) < value) from = middle + 1;
      else to = middle;
    }
    return { chunk: low, at: from };
  }
}

const EMPTY = new Float64Array(0);
