/**
 * Says when a device sends its next reading. The times lie on a fixed grid, counted from the start of the device's
 * replay, and not from the reading before: a slow acknowledgement delays one reading and the rest catch up, so a run at
 * 5 readings a second stays at 5. The jitter keeps the fleet from sending in step.
 */
import { type Clock, sleep } from './clock.js';
import type { SeededRandom } from './seeded-random.js';

/** A reading is sent up to this part of the interval after its place on the grid, drawn anew for each; less than 1, so that the order stays. */
const JITTER_PART = 0.2;

export interface Pacer {
  /** Resolves when the next reading is due, or when `signal` is aborted. */
  untilNextIsDue(signal: AbortSignal): Promise<void>;
}

/** `readingsPerSecond` on average, beginning at a random place within the first interval. */
export class SteadyPacer implements Pacer {
  readonly #clock: Clock;
  readonly #random: SeededRandom;
  readonly #intervalMs: number;
  #gridMs: number | undefined;

  /** @param random shared by a fleet or not; the same seed gives the same times */
  constructor(clock: Clock, random: SeededRandom, readingsPerSecond: number) {
    this.#clock = clock;
    this.#random = random;
    this.#intervalMs = 1000 / readingsPerSecond;
  }

  async untilNextIsDue(signal: AbortSignal): Promise<void> {
    this.#gridMs =
      this.#gridMs === undefined
        ? this.#clock.now() + this.#random.next() * this.#intervalMs
        : this.#gridMs + this.#intervalMs;
    const dueMs = this.#gridMs + this.#random.next() * JITTER_PART * this.#intervalMs;
    const waitMs = dueMs - this.#clock.now();
    if (waitMs > 0) await sleep(this.#clock, waitMs, signal);
  }
}

/** Always due: the in-flight window alone, that is the broker's acknowledgements, sets the speed. */
export class UnpacedPacer implements Pacer {
  async untilNextIsDue(): Promise<void> {}
}
