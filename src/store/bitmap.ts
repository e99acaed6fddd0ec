/** A set of small numbers, one bit each. It grows with what is put into it. */
export class Bitmap {
  #bytes: Uint8Array;

  /** @param size room to begin with: numbers below it */
  constructor(size: number) {
    this.#bytes = new Uint8Array((size + 7) >>> 3);
  }

  has(number: number): boolean {
    return (((this.#bytes[number >>> 3] ?? 0) >>> (number & 7)) & 1) === 1;
  }

  add(number: number): void {
    const at = number >>> 3;
    if (at >= this.#bytes.length) this.#grow(at + 1);
    this.#bytes[at] = (this.#bytes[at] as number) | (1 << (number & 7));
  }

  delete(number: number): void {
    const at = number >>> 3;
    if (at < this.#bytes.length) this.#bytes[at] = (this.#bytes[at] as number) & ~(1 << (number & 7));
  }

  get isEmpty(): boolean {
    return this.start === this.#bytes.length;
  }

  /** Index of the first byte that is not 0; for an empty set the number of its bytes. */
  get start(): number {
    let start = 0;
    while (this.#bytes[start] === 0) start++;
    return start;
  }

  /** From {@link start} to the last byte that is not 0; the lowest number is the lowest bit. A view. */
  get usedBytes(): Uint8Array {
    const { start } = this;
    let end = this.#bytes.length;
    while (end > start && this.#bytes[end - 1] === 0) end--;
    return this.#bytes.subarray(start, end);
  }

  /** @returns the least number from `from` on that is in it, -1 for none */
  next(from: number): number {
    const end = 8 * this.#bytes.length;
    for (let number = from; number < end; number++) {
      if (this.#bytes[number >>> 3] === 0) number |= 7;
      else if (this.has(number)) return number;
    }
    return -1;
  }

  /** The set of which these are the {@link start} and the {@link usedBytes}. */
  static of(start: number, usedBytes: Uint8Array): Bitmap {
    const bitmap = new Bitmap(8 * (start + usedBytes.length));
    bitmap.#bytes.set(usedBytes, start);
    return bitmap;
  }

  #grow(bytes: number): void {
    const larger = new Uint8Array(Math.max(bytes, 2 * this.#bytes.length));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}
