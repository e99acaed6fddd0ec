/**
 * A map that forgets what was not used for long: it keeps at least the `minimum` entries that were used last, and at most twice as
 * many. Every operation takes the same short time, whatever an attacker puts in: nothing is ever searched for or sorted.
 *
 *   young   used since the last change of generations
 *   old     not used since; dropped as a whole when the young ones are as many as are to be kept
 */
export class AgeingMap<Value> {
  readonly #minimum: number;
  #young = new Map<string, Value>();
  #old = new Map<string, Value>();

  constructor(minimum: number) {
    this.#minimum = minimum;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** Counts as a use. */
  get(key: string): Value | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: string, value: Value): void {
    this.#old.delete(key);
    this.#young.set(key, value);
    if (this.#young.size < this.#minimum) return;
    this.#old = this.#young;
    this.#young = new Map();
  }

  delete(key: string): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }
}
