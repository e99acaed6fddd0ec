/**
 * The operations that will be written together, atomically. Wraps one native batch, which is emptied and used again for
 * a later group: LevelDB's batches give their memory back only at a garbage collection that cannot see their size.
 */
import { BATCH_HEADER_BYTES, operationBytes } from './log-format.js';
import type { Encoded, NativeBatch } from './native-level.js';
import { NO_TICKET, type Ticket } from './ticket.js';

export class CommitGroup {
  readonly batch: NativeBatch;
  #ticket: Ticket = NO_TICKET;
  #bytes = 0;
  #isRequired = false;
  #isSynced = false;
  #settlement: Settlement | null = null;

  constructor(batch: NativeBatch) {
    this.batch = batch;
  }

  get ticket(): Ticket {
    return this.#ticket;
  }

  /** Bytes of its operations. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What the batch takes in LevelDB's log, to the byte, besides the headers of its blocks. */
  get batchBytes(): number {
    return BATCH_HEADER_BYTES + this.#bytes;
  }

  /** Whether anybody waits for this group. */
  get isRequired(): boolean {
    return this.#isRequired;
  }

  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  get isSynced(): boolean {
    return this.#isSynced;
  }

  /** Resolves when the group is settled. Made when somebody asks, since most writers keep the ticket instead. */
  get settled(): Promise<void> {
    this.#settlement ??= new Settlement();
    return this.#settlement.promise;
  }

  /** Begins a new group, empty, in place of the settled one. */
  reset(ticket: Ticket): void {
    this.batch._clear();
    this.#ticket = ticket;
    this.#bytes = 0;
    this.#isRequired = false;
    this.#isSynced = false;
    this.#settlement = null;
  }

  put(key: Encoded, value: Encoded, isSynced: boolean): void {
    this.batch._put(key, value);
    this.#bytes += operationBytes(key, value);
    this.require(isSynced);
  }

  del(key: Encoded, isSynced: boolean): void {
    this.batch._del(key);
    this.#bytes += operationBytes(key);
    this.require(isSynced);
  }

  require(isSynced: boolean): void {
    this.#isRequired = true;
    if (isSynced) this.#isSynced = true;
  }

  settle(): void {
    this.#settlement?.resolve();
  }

  abandon(error: Error): void {
    this.#settlement?.reject(error);
  }
}

class Settlement {
  readonly promise: Promise<void>;
  resolve: () => void = () => {};
  reject: (error: Error) => void = () => {};

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }
}
