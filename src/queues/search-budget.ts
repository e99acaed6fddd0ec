/** What one search may cost. Each slice of it is small, so that it holds nobody up; all of them together are bounded here. */
import type { Clock } from '../core/clock.js';

/** Rows read at a time: a millisecond of the event loop's time, or two. */
export const ROWS_PER_SLICE = 256;
/** They take two seconds or three. */
const MOST_ROWS = 400_000;
/** Whoever asks waits for the answer. */
const LONGEST_MS = 5000;

export class SearchBudget {
  readonly #clock: Clock;
  readonly #endMs: number;
  #rows = 0;
  #damaged = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#endMs = clock.now() + LONGEST_MS;
  }

  get rows(): number {
    return this.#rows;
  }

  get damaged(): number {
    return this.#damaged;
  }

  /** The search has to end; asked for each slice. */
  get isSpent(): boolean {
    return this.#rows >= MOST_ROWS || this.#clock.now() >= this.#endMs;
  }

  onRead(rows: number): void {
    this.#rows += rows;
  }

  onDamaged(): void {
    this.#damaged++;
  }
}
