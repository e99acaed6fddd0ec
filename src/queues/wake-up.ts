/** One call of the clock for the earliest of many deadlines. */
import type { CancelTimer, Clock } from '../core/clock.js';

export class WakeUp {
  readonly #clock: Clock;
  readonly #onDue: () => void;
  #dueAtMs = Number.POSITIVE_INFINITY;
  #cancel: CancelTimer | null = null;
  #isEnded = false;

  constructor(clock: Clock, onDue: () => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** It will call back. */
  get isSet(): boolean {
    return this.#cancel !== null;
  }

  /** Calls back at `dueAtMs` or before, if a call was due before. Infinity for not at all. */
  ensure(dueAtMs: number): void {
    if (dueAtMs >= this.#dueAtMs || this.#isEnded) return;
    this.#cancel?.();
    this.#dueAtMs = dueAtMs;
    // Timers take 31 bits: a longer delay is looked at again on the way.
    const delayMs = Math.min(2 ** 31 - 1, Math.max(0, dueAtMs - this.#clock.now()));
    this.#cancel = this.#clock.schedule(delayMs, () => {
      this.stop();
      this.#onDue();
    });
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#dueAtMs = Number.POSITIVE_INFINITY;
  }

  /** Stops for good: what is ensured later calls nobody. */
  end(): void {
    this.#isEnded = true;
    this.stop();
  }
}
