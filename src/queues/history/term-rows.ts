/** The messages that a term finds, in the order of an answer: those that the search is about, each read when it is its turn. */
import type { HistoryRow, HistoryRows } from '../../store/history-rows.js';
import type { SearchBudget } from '../search-budget.js';
import { messageRange, parseTermKey, termRange } from './history-keys.js';
import type { MessageRows, MessageSource } from './message-rows.js';
import { RowSlices } from './row-slices.js';
import type { TracePosition } from './trace-query.js';

/** More than a message has rows. */
const ROWS_OF_A_MESSAGE = 512;

export class TermRows implements MessageSource {
  readonly #rows: HistoryRows;
  readonly #isWanted: (position: TracePosition) => boolean;
  readonly #budget: SearchBudget;
  readonly #slices: RowSlices;
  #head: MessageRows | null = null;
  #position: TracePosition | null = null;
  #isCutOff = false;

  /** @param isWanted what else the search knows of a message before it is read */
  constructor(
    rows: HistoryRows,
    hash: string,
    range: { readonly from: number; readonly to: number },
    isReverse: boolean,
    budget: SearchBudget,
    isWanted: (position: TracePosition) => boolean,
  ) {
    this.#rows = rows;
    this.#isWanted = isWanted;
    this.#budget = budget;
    this.#slices = new RowSlices(rows.scan({ ...termRange(hash, range.from, range.to), isReverse }), budget);
  }

  get head(): MessageRows | null {
    return this.#head;
  }

  get position(): TracePosition | null {
    return this.#position;
  }

  get isCutOff(): boolean {
    return this.#isCutOff;
  }

  async advance(): Promise<void> {
    if (this.#head !== null) this.#position = this.#head;
    this.#head = null;
    for (;;) {
      // One message at least is looked at each time, or a search would never come to its end.
      if (this.#position !== null && this.#budget.isSpent) {
        this.#isCutOff = true;
        return;
      }
      const row = this.#slices.head ?? (await this.#slices.read());
      if (row === undefined) return;
      this.#slices.skip();
      const position = parseTermKey(row[0]);
      const rows = this.#isWanted(position) ? await this.#read(position) : [];
      if (rows.length > 0) {
        this.#head = { ...position, rows };
        return;
      }
      this.#position = position;
    }
  }

  async close(): Promise<void> {
    await this.#slices.close();
  }

  async #read({ queue, sequence }: TracePosition): Promise<readonly HistoryRow[]> {
    const scan = this.#rows.scan(messageRange(queue, sequence, sequence + 1));
    try {
      const rows = await scan.next(ROWS_OF_A_MESSAGE);
      this.#budget.onRead(rows.length);
      return rows;
    } finally {
      await scan.close();
    }
  }
}
