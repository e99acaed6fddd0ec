/** A search for the retained messages that match a filter, step by step: see RetainedCursor. Made by RetainedMessages. */
import type { Message } from '../core/message.js';
import type { RetainedCursor } from '../topics/retained-cursor.js';
import type { RetainedPages } from './retained-pages.js';
import type { Row } from './retained-row.js';

export class RetainedSearch {
  readonly #rows: RetainedCursor<Row>;
  readonly #pages: RetainedPages;

  constructor(rows: RetainedCursor<Row>, pages: RetainedPages) {
    this.#rows = rows;
    this.#pages = pages;
  }

  /** Whether it has come to its end. */
  get done(): boolean {
    return this.#rows.done;
  }

  /** What {@link find} has left of its steps. */
  get stepsLeft(): number {
    return this.#rows.stepsLeft;
  }

  /** The next match, unless it is more than `steps` away. @returns undefined if none has been found, or none is left */
  find(steps: number): Message | undefined {
    const row = this.#rows.find(steps);
    return row === undefined ? undefined : this.#pages.read(row);
  }

  /** All that are left. */
  *[Symbol.iterator](): Generator<Message, void> {
    for (const row of this.#rows) yield this.#pages.read(row);
  }
}
