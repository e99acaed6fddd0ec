/**
 * The database as aedes-persistence-level gets it for writing: each verb goes straight into the open group. The level's
 * own verbs would do the same at three times the cost, and refuse while the level closes, when the last group is still
 * being filled.
 */
import type { PersistenceDatabase } from './aedes-persistence.js';
import type { CommittedLevel } from './committed-level.js';
import type { BatchOperation } from './native-level.js';

export class OpenGroupDatabase implements PersistenceDatabase {
  readonly #level: CommittedLevel;
  #calls = 0;

  constructor(level: CommittedLevel) {
    this.#level = level;
  }

  /** Calls so far. */
  get calls(): number {
    return this.#calls;
  }

  async put(key: string, value: Buffer): Promise<void> {
    this.#calls++;
    this.#level.putNow(key, value);
  }

  async del(key: string): Promise<void> {
    this.#calls++;
    this.#level.delNow(key);
  }

  async batch(operations: readonly (BatchOperation & { readonly key: string })[]): Promise<void> {
    this.#calls++;
    for (const { type, key, value } of operations) {
      if (type === 'put') this.#level.putNow(key, value as Buffer);
      else this.#level.delNow(key);
    }
  }
}
