/**
 * What the history of queues needs of the store. What is put and removed between two commits is in one commit, together with what
 * the queues have recorded meanwhile.
 */
import type { HistoryRows } from '../../store/history-rows.js';

export interface HistoryLog {
  readonly rows: HistoryRows;
  /** The number that the next message will have, whatever queue it is for. */
  readonly nextSequence: number;
  /** The client is to be asked for what is left to write when the open commit closes, once. */
  requireClosingRows(): void;
  /** @param client told when a commit closes for which that was required */
  connect(client: HistoryLogClient): void;
}

export interface HistoryLogClient {
  /** The commit closes: what is put now is in it still. */
  onCommitClosing(): void;
}
