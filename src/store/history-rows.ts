/**
 * The rows that the queues' history consists of: a part of the database with keys of its own, where nothing is kept in memory. What is put
 * or removed joins the open commit, so that it is on the disk together with what it tells of. All keys begin
 * with `history`.
 */
import type { AbstractIterator } from 'abstract-level';
import type { CommittedLevel } from './committed-level.js';
import type { Ticket } from './ticket.js';

/** Rows, in the order of their keys. */
export interface HistoryRange {
  /** From this key on. */
  readonly from: string;
  /** Up to, and without, this key. */
  readonly to: string;
  /** The last one first. */
  readonly isReverse?: boolean;
}

export type HistoryRow = readonly [key: string, value: Buffer];

/** Goes through a range, as it was on the disk when the scan began. */
export interface HistoryScan {
  /** @returns the next ones, `rows` or {@link BYTES_PER_READ} at most, safe to keep; none at the end */
  next(rows: number): Promise<readonly HistoryRow[]>;
  /** To be called in any case. Never fails. */
  close(): Promise<void>;
}

export interface HistoryRows {
  /** @param value copied */
  put(key: string, value: Buffer): void;
  /** @returns the ticket of the commit that is open */
  del(key: string): Ticket;
  /** Has the open commit written, whatever is in it. @returns its ticket */
  requireCommit(): Ticket;
  /** What was put and removed up to here can be read, and not before. */
  readonly settledTicket: Ticket;
  /** Sees what is on the disk only, as {@link scan}. @throws StoreUnavailable, StoreClosed, and what the disk says */
  getMany(keys: readonly string[]): Promise<readonly (Buffer | undefined)[]>;
  scan(range: HistoryRange): HistoryScan;
  /** What stood between the keys has been removed: its room is given back in the background. */
  reclaim(from: string, to: string): void;
}

/** One large row may exceed it. */
const BYTES_PER_READ = 256 * 1024;

export class LevelHistoryRows implements HistoryRows {
  readonly #level: CommittedLevel;
  #isReclaiming = false;

  constructor(level: CommittedLevel) {
    this.#level = level;
  }

  put(key: string, value: Buffer): void {
    // Whoever waits for the change itself has that synced.
    this.#level.putNow(key, value, false);
  }

  del(key: string): Ticket {
    return this.#level.delNow(key, false);
  }

  requireCommit(): Ticket {
    return this.#level.requireCommit(false);
  }

  get settledTicket(): Ticket {
    return this.#level.settledTicket;
  }

  getMany(keys: readonly string[]): Promise<readonly (Buffer | undefined)[]> {
    return this.#level.getMany([...keys]);
  }

  scan({ from, to, isReverse = false }: HistoryRange): HistoryScan {
    const range = { gte: from, lt: to, reverse: isReverse };
    return new LevelScan(this.#level.iterator({ ...range, highWaterMarkBytes: BYTES_PER_READ, fillCache: false }));
  }

  reclaim(from: string, to: string): void {
    if (this.#isReclaiming) return;
    this.#isReclaiming = true;
    const done = (): void => {
      this.#isReclaiming = false;
    };
    // What fails here fails at the next write too, and is told there.
    this.#level.compactRange(from, to).then(done, done);
  }
}

class LevelScan implements HistoryScan {
  readonly #iterator: AbstractIterator<unknown, string, Buffer>;

  constructor(iterator: AbstractIterator<unknown, string, Buffer>) {
    this.#iterator = iterator;
  }

  next(rows: number): Promise<readonly HistoryRow[]> {
    return this.#iterator.nextv(rows);
  }

  async close(): Promise<void> {
    await this.#iterator.close();
  }
}
