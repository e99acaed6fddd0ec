/**
 * A disk and its committer, in memory. What is put joins the open group; a test closes groups with {@link commit} and
 * lets them reach the disk with {@link settle}. A second committer on the same disk is the process after a crash: it
 * finds what was settled, and nothing else.
 */
import type { Ticket } from '../../src/store/ticket.js';

export type StandInDisk = Map<string, unknown>;

interface Group {
  readonly ticket: Ticket;
  /** In order; undefined removes. */
  readonly changes: (readonly [key: string, value: unknown])[];
  isRequired: boolean;
}

export class StandInCommitter {
  readonly disk: StandInDisk;
  /** Called before a group closes: what it puts then joins that group. */
  contribute: () => void = () => {};
  onSettled: () => void = () => {};
  #open: Group = { ticket: 1, changes: [], isRequired: false };
  #closed: Group[] = [];
  #settledTicket: Ticket = 0;

  constructor(disk: StandInDisk = new Map()) {
    this.disk = disk;
  }

  get settledTicket(): Ticket {
    return this.#settledTicket;
  }

  /** Somebody has asked for the open group. */
  get isRequired(): boolean {
    return this.#open.isRequired;
  }

  put(key: string, value: unknown): Ticket {
    this.#open.changes.push([key, value]);
    return this.require();
  }

  remove(key: string): Ticket {
    this.#open.changes.push([key, undefined]);
    return this.require();
  }

  require(): Ticket {
    this.#open.isRequired = true;
    return this.#open.ticket;
  }

  /** Closes the open group if somebody has asked for it. Nothing of it is on the disk yet. */
  commit(): void {
    if (!this.#open.isRequired) return;
    this.contribute();
    this.#closed.push(this.#open);
    this.#open = { ticket: this.#open.ticket + 1, changes: [], isRequired: false };
  }

  /** Brings the first `groups` of those that are closed to the disk. */
  settle(groups = this.#closed.length): void {
    for (const { ticket, changes } of this.#closed.splice(0, groups)) {
      for (const [key, value] of changes) {
        if (value === undefined) this.disk.delete(key);
        else this.disk.set(key, value);
      }
      this.#settledTicket = ticket;
    }
    this.onSettled();
  }

  /** Brings everything to the disk, also what settling gives rise to. */
  flush(): void {
    this.commit();
    this.settle();
    while (this.isRequired) {
      this.commit();
      this.settle();
    }
  }
}
