/**
 * Where checks of credentials wait that take time: few run at once, others wait in line, and not for long. What checks share
 * with the rest of the broker (Node's thread pool, which syncs the database too; the cores) is not theirs alone,
 * and a client that waits too long is told to come again instead of being checked for nobody.
 */
import type { Clock } from '../core/clock.js';

export interface LaneLimits {
  /** Checks that run at once. */
  readonly concurrency: number;
  /** Checks that wait for their turn; one more is refused. */
  readonly maximumWaiting: number;
  /** What has waited for longer is refused when its turn comes. */
  readonly maximumWaitMs: number;
}

/** Instead of an outcome: too many wait, or it has waited for too long. */
export const BUSY = Symbol('busy');
export type Busy = typeof BUSY;

interface Waiting {
  readonly begin: () => void;
  readonly refuse: () => void;
  readonly isWanted: () => boolean;
  readonly endsAtMs: number;
}

/** Gone entries at the head of the line that are worth moving the rest for. */
const COMPACTION = 1024;

export class CheckLane {
  readonly #limits: LaneLimits;
  readonly #clock: Clock;
  #line: Waiting[] = [];
  #head = 0;
  #running = 0;
  #refused = 0;

  constructor(limits: LaneLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Checks that wait. */
  get waiting(): number {
    return this.#line.length - this.#head;
  }

  /** Checks that were not made because of too many others. */
  get refused(): number {
    return this.#refused;
  }

  /**
   * Runs `work` in its turn.
   * @param isWanted asked when the turn comes: what nobody wants any more is not begun, and ends as busy
   * @returns rejected if `work` is
   */
  run<Outcome>(work: () => Promise<Outcome>, isWanted: () => boolean): Promise<Outcome | Busy> {
    return new Promise((resolve, reject) => {
      const begin = (): void => {
        this.#running++;
        work()
          .then(resolve, reject)
          .finally(() => {
            this.#running--;
            this.#advance();
          });
      };
      const refuse = (): void => resolve(BUSY);
      if (this.#running < this.#limits.concurrency) begin();
      else if (this.waiting >= this.#limits.maximumWaiting) {
        this.#refused++;
        refuse();
      } else {
        const endsAtMs = this.#clock.now() + this.#limits.maximumWaitMs;
        this.#line.push({ begin, refuse, isWanted, endsAtMs });
      }
    });
  }

  #advance(): void {
    const nowMs = this.#clock.now();
    while (this.#running < this.#limits.concurrency) {
      const next = this.#line[this.#head];
      if (next === undefined) break;
      this.#head++;
      if (!next.isWanted()) next.refuse();
      else if (next.endsAtMs < nowMs) {
        this.#refused++;
        next.refuse();
      } else next.begin();
    }
    if (this.#head < COMPACTION && this.waiting > 0) return;
    this.#line = this.#line.slice(this.#head);
    this.#head = 0;
  }
}
