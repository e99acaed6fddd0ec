/** The lowest of many numbers, each once; no more of them are kept than are wanted. */
export class LowestNumbers {
  readonly #most: number;
  #numbers: number[] = [];
  #bound = Number.POSITIVE_INFINITY;

  constructor(most: number) {
    this.#most = most;
  }

  /** Whoever is above it is not among the lowest. */
  get bound(): number {
    return this.#bound;
  }

  add(number: number): void {
    if (number > this.#bound) return;
    this.#numbers.push(number);
    // Sorted when there are twice as many: each number costs a logarithm, however many come.
    if (this.#numbers.length >= 2 * this.#most) this.#cut();
  }

  /** In order. Some were left out if there are `most`, and `bound` is the last one then. */
  take(): readonly number[] {
    this.#cut();
    return this.#numbers;
  }

  #cut(): void {
    this.#numbers.sort((one, other) => one - other);
    this.#numbers = this.#numbers.filter((number, at) => number !== this.#numbers[at - 1]);
    if (this.#numbers.length <= this.#most) return;
    this.#numbers.length = this.#most;
    this.#bound = this.#numbers[this.#most - 1] as number;
  }
}
