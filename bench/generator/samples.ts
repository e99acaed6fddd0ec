/** Whoever notes how long something took, or how late it was. */
export interface Stopwatch {
  /** @param dueAtMs when it was due */
  add(milliseconds: number, dueAtMs: number): void;
}

/** The latest so many numbers. */
export class Samples {
  readonly #values: Float64Array;
  #count = 0;

  constructor(capacity: number) {
    this.#values = new Float64Array(capacity);
  }

  get capacity(): number {
    return this.#values.length;
  }

  add(value: number): void {
    this.#values[this.#count++ % this.#values.length] = value;
  }

  sorted(): Float64Array {
    return this.#values.slice(0, Math.min(this.#count, this.#values.length)).sort();
  }
}
