/**
 * Hands out growing numbers that never come again, whatever crashes. The store holds a number that none has reached
 * yet: it is moved ahead in steps, in the open group, so that whoever records something under a new number records it
 * with or after the reservation. What a crash leaves of a step is never handed out.
 *
 * Damage can take the reservation from the store, or bring an earlier one back. Whoever reads the store therefore tells
 * which numbers it has met; the counter goes on above all of them.
 */
import type { CommittedLevel } from './committed-level.js';

const PREFIX = 'meta:counter:';
/** No counter gets there: what bears such a number is damaged itself. The log's blocks have six bytes for theirs. */
const LIMIT = 2 ** 48;

export class PersistentCounter {
  readonly #level: CommittedLevel;
  readonly #key: string;
  readonly #step: number;
  readonly #onBehind: () => void;
  #isBehind = false;
  #next: number;
  /** What the store says, or will say with the open group: no number from here on has been handed out. */
  #reserved: number;

  /**
   * @param start the first number to hand out
   * @param step how many are reserved at once
   * @param onBehind called once if the store turns out to have lost what was reserved
   */
  constructor(level: CommittedLevel, name: string, start: number, step: number, onBehind: () => void = () => {}) {
    this.#level = level;
    this.#key = PREFIX + name;
    this.#step = step;
    this.#onBehind = onBehind;
    this.#next = start;
    this.#reserved = start;
  }

  /** Goes on where the store says; from the start, and behind, if what it says is no number. */
  static async load(
    level: CommittedLevel,
    name: string,
    step: number,
    onBehind?: () => void,
  ): Promise<PersistentCounter> {
    const text = (await level.get(PREFIX + name))?.toString() ?? '1';
    const stored = Number(text);
    const isNumber = /^\d+$/.test(text) && Number.isSafeInteger(stored);
    const counter = new PersistentCounter(level, name, isNumber ? Math.max(stored, 1) : 1, step, onBehind);
    if (!isNumber) counter.#noteBehind();
    return counter;
  }

  next(): number {
    if (this.#reserved - this.#next < this.#step / 2) this.#reserve(this.#next + this.#step);
    return this.#next++;
  }

  /** Something bears this number: neither it nor one before it is handed out from now on. */
  ensureAbove(number: number): void {
    if (!(number >= this.#next && number < LIMIT)) return;
    this.#noteBehind();
    this.#next = number + 1;
    if (this.#reserved < this.#next) this.#reserve(this.#next + this.#step);
  }

  /** Gives back what is reserved and not handed out: before the store is closed. */
  release(): void {
    if (this.#reserved !== this.#next) this.#reserve(this.#next);
  }

  #noteBehind(): void {
    if (this.#isBehind) return;
    this.#isBehind = true;
    this.#onBehind();
  }

  #reserve(number: number): void {
    this.#reserved = number;
    this.#level.putNow(this.#key, Buffer.from(String(number)));
  }
}
