/** Moving averages over 1, 5 and 15 minutes of how fast counters grow, per minute, as mosquitto publishes them. */

const MINUTES = [1, 5, 15] as const;

export class LoadAverage {
  readonly #read: () => number;
  #last = 0;
  readonly #averages = [0, 0, 0];

  /** @param read the counter's present value */
  constructor(read: () => number) {
    this.#read = read;
  }

  /** Takes the growth of the last `seconds` in. */
  update(seconds: number): void {
    const value = this.#read();
    const perMinute = ((value - this.#last) / seconds) * 60;
    this.#last = value;
    MINUTES.forEach((minutes, i) => {
      const weight = Math.exp(-seconds / (60 * minutes));
      this.#averages[i] = perMinute * (1 - weight) + (this.#averages[i] ?? 0) * weight;
    });
  }

  /** `[suffix, value]`, for example `['1min', '12.50']`. */
  entries(): [string, string][] {
    return MINUTES.map((minutes, i) => [`${minutes}min`, (this.#averages[i] ?? 0).toFixed(2)]);
  }
}
