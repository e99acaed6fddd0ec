/**
 * Hands out growing numbers that never come again, whatever crashes. The store holds a number that none has reached
 * yet: it is moved ahead in steps, in the open group, so that whoever records something under a new number records it
 * with or after the reservation. What a crash leaves of a step is never handed out.
 */
import { DamagedRecord } from '../core/errors.js';
import type { CommittedLevel } from './committed-level.js';

const PREFIX = 'meta:counter:';

export class PersistentCounter {
  readonly #level: CommittedLevel;
  readonly #key: string;
  readonly #step: number;
  #next: number;
  /** What the store says, or will say with the open group: no number from here on has been handed out. */
  #reserved: number;

  /** @param start the first number to hand out; @param step how many are reserved at once */
  constructor(level: CommittedLevel, name: string, start: number, step: number) {
    this.#level = level;
    this.#key = PREFIX + name;
    this.#step = step;
    this.#next = start;
    this.#reserved = start;
  }

  /**
   * Goes on where the store says.
   * @param least the lowest number to go on with: above all that are known to be in use, should the store have lost it
   * @throws DamagedRecord if the store says what is no number
   */
  static async load(level: CommittedLevel, name: string, step: number, least = 1): Promise<PersistentCounter> {
    const text = (await level.get(PREFIX + name))?.toString() ?? '0';
    const stored = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(stored)) {
      throw new DamagedRecord(`The counter ${name} has "${text}" for a number`);
    }
    return new PersistentCounter(level, name, Math.max(stored, least), step);
  }

  next(): number {
    if (this.#reserved - this.#next < this.#step / 2) this.#reserve(this.#next + this.#step);
    return this.#next++;
  }

  /** Gives back what is reserved and not handed out: before the store is closed. */
  release(): void {
    if (this.#reserved !== this.#next) this.#reserve(this.#next);
  }

  #reserve(number: number): void {
    this.#reserved = number;
    this.#level.putNow(this.#key, Buffer.from(String(number)));
  }
}
