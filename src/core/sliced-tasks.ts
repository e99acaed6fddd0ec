/**
 * Work that comes in crowds: a fleet that connects, or leaves, all at once. Of what comes in one turn of the event loop so much is
 * done as fits into a few milliseconds; the rest waits, in its order, for the next turns. Those who are connected are served between.
 *
 *   run ──▶ done at once ──(the slice is used up)──▶ [ wait | wait | … ] ──▶ a slice in each turn
 */
import type { Clock } from './clock.js';

/** The clock counts whole milliseconds. */
const SLICE_MS = 2;
/** Gone entries at the head of the line that are worth moving the rest for. */
const COMPACTION = 1024;

export class SlicedTasks {
  readonly #clock: Clock;
  #line: (() => void)[] = [];
  #head = 0;
  /** When the slice of this turn began. */
  #beganAtMs = 0;
  #isTurnBegun = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Tasks that wait. */
  get waiting(): number {
    return this.#line.length - this.#head;
  }

  /** Whether {@link run} would do a task at once: whoever asks first may do it without one. */
  get takesNow(): boolean {
    if (!this.#isTurnBegun) this.#beginTurn();
    return this.waiting === 0 && !this.#isUsedUp;
  }

  /** @returns whether the task was done at once; if not, it follows after all that wait already */
  run(task: () => void): boolean {
    if (this.takesNow) {
      task();
      return true;
    }
    this.#line.push(task);
    return false;
  }

  get #isUsedUp(): boolean {
    return this.#clock.now() - this.#beganAtMs >= SLICE_MS;
  }

  #beginTurn(): void {
    this.#isTurnBegun = true;
    this.#beganAtMs = this.#clock.now();
    setImmediate(this.#onTurnEnd);
  }

  readonly #onTurnEnd = (): void => {
    this.#isTurnBegun = false;
    if (this.waiting === 0) return;
    // Before the tasks: one that throws must not keep the others from their turn.
    this.#beginTurn();
    while (this.waiting > 0 && !this.#isUsedUp) (this.#line[this.#head++] as () => void)();
    if (this.#head < COMPACTION && this.waiting > 0) return;
    this.#line = this.#line.slice(this.#head);
    this.#head = 0;
  };
}
