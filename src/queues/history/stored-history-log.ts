/** The history's rows in the store. The journal asks whoever has announced a change for its state when the commit closes: then is the time. */
import type { HistoryRows } from '../../store/history-rows.js';
import type { StateSource } from '../../store/journal.js';
import type { Store } from '../../store/store.js';
import type { HistoryLog, HistoryLogClient } from './history-log.js';

export class StoredHistoryLog implements HistoryLog, StateSource {
  readonly rows: HistoryRows;
  /** Of a state that is never stored. */
  readonly number = 0;
  readonly isWorthStoring = false;
  readonly #store: Store;
  #client: HistoryLogClient | null = null;

  constructor(store: Store, rows: HistoryRows) {
    this.#store = store;
    this.rows = rows;
  }

  get nextSequence(): number {
    return this.#store.log.nextSequence;
  }

  connect(client: HistoryLogClient): void {
    this.#client = client;
  }

  requireClosingRows(): void {
    this.#store.journal.stateChanged(this, true);
  }

  /** The commit closes. @returns nothing to store beside the rows */
  encodeState(): null {
    this.#client?.onCommitClosing();
    return null;
  }
}
