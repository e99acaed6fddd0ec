/**
 * How many need each message of a block. As long as it is the same number for all, as for messages that wait, it is kept
 * once; then in a byte each, and in four from the first number on that does not fit into one.
 */
const SMALLEST_ROOM = 16;
const LARGEST_BYTE = 0xff;

export class ReferenceCounts {
  #length = 0;
  /** What all of them have, while {@link #each} is null. */
  #common = 0;
  #each: Uint8Array | Uint32Array | null = null;

  get length(): number {
    return this.#length;
  }

  /** @returns 0 where there is no message */
  at(index: number): number {
    if (index < 0 || index >= this.#length) return 0;
    return this.#each === null ? this.#common : (this.#each[index] as number);
  }

  append(count: number): void {
    if (this.#length === 0) this.#common = count;
    const index = this.#length++;
    if (this.#each !== null || count !== this.#common) this.#put(index, count);
  }

  /** @param index of a message that has been appended */
  set(index: number, count: number): void {
    if (this.#each !== null || count !== this.#common) this.#put(index, count);
  }

  #put(index: number, count: number): void {
    const each = this.#roomFor(index, count);
    each[index] = count;
    this.#each = each;
  }

  #roomFor(index: number, count: number): Uint8Array | Uint32Array {
    const each = this.#each;
    if (each === null) {
      const room = Math.max(SMALLEST_ROOM, this.#length);
      const isByteEnough = count <= LARGEST_BYTE && this.#common <= LARGEST_BYTE;
      return (isByteEnough ? new Uint8Array(room) : new Uint32Array(room)).fill(this.#common, 0, this.#length);
    }
    const mustWiden = count > LARGEST_BYTE && each instanceof Uint8Array;
    if (index < each.length && !mustWiden) return each;
    const room = index < each.length ? each.length : 2 * each.length;
    const larger = mustWiden || each instanceof Uint32Array ? new Uint32Array(room) : new Uint8Array(room);
    larger.set(each);
    return larger;
  }
}
