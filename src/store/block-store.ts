/** Where the blocks of the message log lie, and their marks. What is written joins the commit that is open. */
import type { Ticket } from './ticket.js';

/** What recovery finds under a number. */
export interface StoredBlock {
  readonly number: number;
  /** The block; null if there are marks of one that is gone. */
  readonly value: Buffer | null;
  readonly marks: Buffer | null;
}

export interface BlockStore {
  /** Adds or replaces a block. `value` is copied. @returns the ticket of the commit that will hold it */
  write(number: number, value: Buffer, isSynced: boolean): Ticket;
  /**
   * Removes a block: not synced by itself, since what a crash brings back is known to be settled.
   * @param bytes that it took @param lowest number below which no block is left
   */
  drop(number: number, bytes: number, lowest: number): void;
  /** Adds or replaces the marks of a block. `value` is copied. Synced if the commit is: see {@link requireCommit}. */
  writeMarks(number: number, value: Buffer): void;
  /** Removes them. */
  dropMarks(number: number): void;
  /** @returns undefined if there is no such block */
  read(number: number): Promise<Buffer | undefined>;
  /** All blocks in their order, each with its marks, for recovery. */
  scan(): AsyncIterable<StoredBlock>;
  /** Has what will be written in the commit that is open asked for: see {@link MessageLog.contribute}. */
  requireCommit(isSynced: boolean): Ticket;
  readonly settledTicket: Ticket;
}
