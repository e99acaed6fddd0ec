/**
 * Puts together what the history has of each message, from rows as they stand behind each other: the message and its events. In memory are the
 * rows of a slice, and those of one message.
 */
import type { HistoryRow, HistoryRows } from '../../store/history-rows.js';
import type { SearchBudget } from '../search-budget.js';
import { messageRange, parseRowKey } from './history-keys.js';
import { RowSlices } from './row-slices.js';
import type { TracePosition } from './trace-query.js';

/** Rows of one message in one queue, in the order of their keys. */
export interface MessageRows extends TracePosition {
  readonly rows: readonly HistoryRow[];
}

/** Gives rows of messages, in the order of an answer. */
export interface MessageSource {
  /** The next one; null if there are no more, or the budget is spent. */
  readonly head: MessageRows | null;
  /** Up to here everything has been looked at. */
  readonly position: TracePosition | null;
  /** There may be more, but the budget is spent. */
  readonly isCutOff: boolean;
  advance(): Promise<void>;
  close(): Promise<void>;
}

/** All messages of a queue whose numbers are in a range. */
export class QueueRows {
  readonly #queue: number;
  readonly #isReverse: boolean;
  readonly #slices: RowSlices;
  #head: MessageRows | null = null;

  constructor(
    rows: HistoryRows,
    queue: number,
    range: { readonly from: number; readonly to: number },
    isReverse: boolean,
    budget: SearchBudget,
  ) {
    this.#queue = queue;
    this.#isReverse = isReverse;
    this.#slices = new RowSlices(rows.scan({ ...messageRange(queue, range.from, range.to), isReverse }), budget);
  }

  get head(): MessageRows | null {
    return this.#head;
  }

  async advance(): Promise<void> {
    const rows: HistoryRow[] = [];
    let sequence = -1;
    for (;;) {
      const row = this.#slices.head ?? (await this.#slices.read());
      if (row === undefined) break;
      const rowSequence = parseRowKey(row[0]).sequence;
      if (sequence !== -1 && rowSequence !== sequence) break;
      sequence = rowSequence;
      rows.push(row);
      this.#slices.skip();
    }
    if (this.#isReverse) rows.reverse();
    this.#head = rows.length === 0 ? null : { queue: this.#queue, sequence, rows };
  }

  async close(): Promise<void> {
    await this.#slices.close();
  }
}

/** Messages of several queues, in the order in which they were stored. */
export class MergedRows implements MessageSource {
  readonly #sources: QueueRows[];
  readonly #isReverse: boolean;
  readonly #budget: SearchBudget;
  #head: QueueRows | null = null;
  #position: TracePosition | null = null;
  #isCutOff = false;

  constructor(sources: readonly QueueRows[], isReverse: boolean, budget: SearchBudget) {
    this.#sources = [...sources];
    this.#isReverse = isReverse;
    this.#budget = budget;
  }

  get head(): MessageRows | null {
    return this.#head?.head ?? null;
  }

  get position(): TracePosition | null {
    return this.#position;
  }

  get isCutOff(): boolean {
    return this.#isCutOff;
  }

  async advance(): Promise<void> {
    const last = this.#head;
    if (last === null) await Promise.all(this.#sources.map((source) => source.advance()));
    else {
      this.#position = last.head;
      await last.advance();
      if (this.#budget.isSpent) {
        this.#isCutOff = true;
        this.#head = null;
        return;
      }
    }
    this.#head = null;
    for (const source of this.#sources) {
      const { head } = source;
      const first = this.#head?.head ?? null;
      if (head !== null && (first === null || isBefore(head, first, this.#isReverse))) this.#head = source;
    }
  }

  async close(): Promise<void> {
    for (const source of this.#sources) await source.close();
  }
}

/** @param isReverse newest first */
export function isBefore(one: TracePosition, other: TracePosition, isReverse: boolean): boolean {
  const difference = one.sequence - other.sequence || one.queue - other.queue;
  return isReverse ? difference > 0 : difference < 0;
}
