/**
 * Writes groups of operations one after the other: one is in flight, the next one forms meanwhile.
 *
 *   put, del ─► open group ─(contribute)─► in flight ─► settled: tickets, promises, listeners
 *
 * No timer: what comes to an idle committer is written at the end of the event loop's turn, what comes while a write is
 * in flight goes with the next. Groups settle in order; one that cannot be written holds up all later ones, and is
 * tried again until it is written or the committer is closed.
 */
import type { CancelTimer, Clock } from '../core/clock.js';
import { StoreClosed, StoreNotSettled } from '../core/errors.js';
import { CommitGroup } from './commit-group.js';
import type { Encoded, NativeBatch } from './native-level.js';
import type { StoreHealthMonitor } from './store-health.js';
import { NO_TICKET, type Ticket } from './ticket.js';

/** Adds to a group what is only known, or only worth writing, once per group. */
export interface CommitContributor {
  contribute(): void;
}

/** The database, as far as it is written to. */
export interface CommitTarget {
  createBatch(): NativeBatch;
  writeGroup(group: CommitGroup): Promise<void>;
  /** Brings the database back to a state in which `bytes` may be written to it, after a write that failed. */
  recover(bytes: number): Promise<void>;
}

const RETRY_MS = 1000;

export class GroupCommitter {
  readonly #target: CommitTarget;
  readonly #clock: Clock;
  readonly #health: StoreHealthMonitor;
  readonly #listeners: (() => void)[] = [];
  #contributor: CommitContributor | null = null;
  #open: CommitGroup;
  /** The other of the two groups, while it is not in flight. */
  #spare: CommitGroup;
  #inFlight: CommitGroup | null = null;
  #isScheduled = false;
  #settledTicket: Ticket = NO_TICKET;
  #state: 'new' | 'running' | 'closed' = 'new';
  #isClosing = false;
  /** Ends the pause before the next attempt. */
  #wake: () => void = () => {};

  constructor(target: CommitTarget, clock: Clock, health: StoreHealthMonitor) {
    this.#target = target;
    this.#clock = clock;
    this.#health = health;
    this.#open = new CommitGroup(target.createBatch());
    this.#spare = new CommitGroup(target.createBatch());
    this.#open.reset(this.#settledTicket + 1);
  }

  get openTicket(): Ticket {
    return this.#open.ticket;
  }

  get settledTicket(): Ticket {
    return this.#settledTicket;
  }

  /** Bytes that are not settled. */
  get pendingBytes(): number {
    return this.#open.bytes + (this.#inFlight?.bytes ?? 0);
  }

  /** A group is being written, or waits for its turn. */
  get isCommitting(): boolean {
    return this.#inFlight !== null || this.#open.isRequired;
  }

  /** Resolves when what is in the open group now has been settled. */
  get openSettled(): Promise<void> {
    return this.#open.settled;
  }

  setContributor(contributor: CommitContributor): void {
    this.#contributor = contributor;
  }

  onSettled(listener: () => void): void {
    this.#listeners.push(listener);
  }

  put(key: Encoded, value: Encoded, isSynced: boolean): Ticket {
    this.#assertRunning();
    this.#open.put(key, value, isSynced);
    this.#schedule();
    return this.#open.ticket;
  }

  del(key: Encoded, isSynced: boolean): Ticket {
    this.#assertRunning();
    this.#open.del(key, isSynced);
    this.#schedule();
    return this.#open.ticket;
  }

  require(isSynced: boolean): Ticket {
    this.#assertRunning();
    this.#open.require(isSynced);
    this.#schedule();
    return this.#open.ticket;
  }

  /** What was abandoned at a close is still in the groups: a new instance is needed. */
  assertNotClosed(): void {
    if (this.#state === 'closed') throw new StoreClosed('A store that was closed is not opened again');
  }

  /** From now on there is a database to write to. */
  start(): void {
    this.#state = 'running';
  }

  async flush(): Promise<void> {
    this.#assertRunning();
    if (this.#open.isRequired) await this.#open.settled;
    else await this.#inFlight?.settled;
  }

  /**
   * Settles everything, what is added meanwhile too, then takes no more.
   * @throws StoreNotSettled if the last attempt to write failed
   */
  async close(): Promise<void> {
    if (this.#state !== 'running') return;
    this.#isClosing = true;
    this.#wake();
    while (this.#open.isRequired || this.#inFlight !== null) await this.flush();
    this.#state = 'closed';
  }

  #schedule(): void {
    if (this.#isScheduled || this.#inFlight !== null) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#startNext();
    });
  }

  #startNext(): void {
    if (this.#state !== 'running' || this.#inFlight !== null || !this.#open.isRequired) return;
    this.#contributor?.contribute();
    const group = this.#open;
    this.#inFlight = group;
    this.#open = this.#spare;
    this.#open.reset(group.ticket + 1);
    if (group.isEmpty) this.#settle(group);
    else void this.#write(group);
  }

  async #write(group: CommitGroup): Promise<void> {
    try {
      await this.#target.writeGroup(group);
    } catch (error) {
      const lastError = await this.#writeAgain(group, error);
      if (lastError !== null) {
        this.#giveUp(group, lastError);
        return;
      }
    }
    this.#settle(group);
  }

  /** @returns null when the group is written, or the last error if the committer was closed meanwhile */
  async #writeAgain(group: CommitGroup, firstError: unknown): Promise<unknown> {
    this.#health.noteFailure(messageOf(firstError), this.#clock.now());
    for (;;) {
      const error = await this.#attempt(group);
      if (error === null) break;
      this.#health.noteFailure(messageOf(error), this.#clock.now());
      if (this.#isClosing) return error;
      await this.#pause();
    }
    this.#health.noteRecovery();
    return null;
  }

  async #attempt(group: CommitGroup): Promise<unknown> {
    try {
      // LevelDB goes on after a torn record in its log, and what follows the torn record is lost at the next start.
      await this.#target.recover(group.bytes);
      await this.#target.writeGroup(group);
      return null;
    } catch (error) {
      return error;
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const cancel: CancelTimer = this.#clock.schedule(RETRY_MS, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }

  #settle(group: CommitGroup): void {
    this.#inFlight = null;
    this.#spare = group;
    this.#settledTicket = group.ticket;
    group.settle();
    // The disk first: the next write is under way while the listeners answer clients.
    if (!this.#isScheduled) this.#startNext();
    for (const listener of this.#listeners) listener();
  }

  #giveUp(group: CommitGroup, cause: unknown): void {
    this.#state = 'closed';
    this.#inFlight = null;
    const error = new StoreNotSettled(`What was recorded last is not on disk: ${messageOf(cause)}`, { cause });
    group.abandon(error);
    this.#open.abandon(error);
  }

  #assertRunning(): void {
    if (this.#state !== 'running') throw new StoreClosed('The store is not open');
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
