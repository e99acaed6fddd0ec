/** The rows of a scan one after the other, read a slice at a time; what is read counts against the budget of the search. */
import type { HistoryRow, HistoryScan } from '../../store/history-rows.js';
import { ROWS_PER_SLICE, type SearchBudget } from '../search-budget.js';

export class RowSlices {
  readonly #scan: HistoryScan;
  readonly #budget: SearchBudget;
  #slice: readonly HistoryRow[] = [];
  #at = 0;

  constructor(scan: HistoryScan, budget: SearchBudget) {
    this.#scan = scan;
    this.#budget = budget;
  }

  /** The next row, if it has been read. */
  get head(): HistoryRow | undefined {
    return this.#slice[this.#at];
  }

  skip(): void {
    this.#at++;
  }

  /** To be called when there is no head. @returns the next row; undefined if there are no more */
  async read(): Promise<HistoryRow | undefined> {
    this.#slice = await this.#scan.next(ROWS_PER_SLICE);
    this.#at = 0;
    this.#budget.onRead(this.#slice.length);
    return this.head;
  }

  async close(): Promise<void> {
    await this.#scan.close();
  }
}
