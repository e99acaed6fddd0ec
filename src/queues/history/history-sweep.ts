/**
 * Removes the history of one number of a queue as it gets too old or too much: of messages that have left the queue, those first that left
 * first. A slice at a time, and in memory only what a slice needs.
 *
 *   history-end rows, oldest first ──▶ messages, events and terms of those that they name
 *   clear(below)                   ──▶ everything of messages below a number, whether they have left or not
 *
 * Whatever a slice removes is removed in one commit.
 */
import type { Clock } from '../../core/clock.js';
import type { HistoryRow, HistoryRows } from '../../store/history-rows.js';
import { NO_TICKET, type Ticket } from '../../store/ticket.js';
import { decodeEntry } from '../entry-codec.js';
import { DamagedQueueRecord } from '../queue-errors.js';
import { WakeUp } from '../wake-up.js';
import { decodeDepartedMessages, decodeDepartedTotals } from './departed-messages.js';
import {
  deliveredEvent,
  endRange,
  eventKey,
  KEPT_RECEIVES,
  LEFT,
  leftAtMsOf,
  messageKey,
  messageRange,
  parseRowKey,
  returnedEvent,
  termKey,
  uniqueOf,
} from './history-keys.js';
import { decodeHistoryMessage, historyTimeOf } from './history-message.js';
import { termHashes } from './history-term.js';
import { decodeTraceEvent } from './trace-event.js';

const BETWEEN_SLICES_MS = 2;
const ROWS_PER_SLICE = 512;
/** What is due is removed so much too late at most: one look for many commits. */
const SHORTEST_WAIT_MS = 1000;
/** After the store could not be read. */
const RETRY_MS = 1000;
/** Between two looks for what belongs to no message any more. */
const ORPHANS_EVERY_MS = 3_600_000;
/** Removed bytes after which the database is told to give their room back. */
const RECLAIMED_BYTES = 64 * 2 ** 20;

/** What the sweep asks whoever knows the queue. */
export interface SweptQueue {
  /** How long messages are kept after they have left, ms. */
  readonly keptMs: number;
  /** Nothing is in the queue for longer unless it is tracked. */
  readonly retentionMs: number;
  /** More is kept than may be, and it is this number's turn to give some up. */
  readonly mustShrink: boolean;
  /** The queue knows the message as more than one that waits. */
  isTracked(sequence: number): boolean;
  /** {@link HistorySweep.clear} has been done for `below`. */
  onCleared(below: number): void;
  /** There is nobody left who has left the queue. */
  onEmptied(): void;
}

export class HistorySweep {
  readonly #number: number;
  readonly #rows: HistoryRows;
  readonly #clock: Clock;
  readonly #queue: SweptQueue;
  readonly #processName: string;
  readonly #wakeUp: WakeUp;
  #keptMessages = 0;
  #keptBytes = 0;
  #oldestLeftAtMs: number | null = null;
  #expired = 0;
  #evicted = 0;
  /** Messages below it are to be removed altogether; 0 for none. */
  #clearBelow = 0;
  #clearedCountAs: 'expired' | 'evicted' | null = null;
  #isCounted = false;
  #isRunning = false;
  #mustRunAgain = false;
  #isStopped = false;
  #awaitedTicket: Ticket = NO_TICKET;
  #reclaimableBytes = 0;
  #lowestRemoved = Number.POSITIVE_INFINITY;
  #highestRemoved = 0;
  #orphansCheckedAtMs = Number.NEGATIVE_INFINITY;

  /** @param processName tells rows of this process, which it is told of, from those of others, which it counts */
  constructor(number: number, rows: HistoryRows, clock: Clock, processName: string, queue: SweptQueue) {
    this.#number = number;
    this.#rows = rows;
    this.#clock = clock;
    this.#queue = queue;
    this.#processName = processName;
    this.#wakeUp = new WakeUp(clock, () => void this.#run());
    this.ensure();
  }

  /** Messages that have left the queue, and are kept. */
  get keptMessages(): number {
    return this.#keptMessages;
  }

  /** What they take, about. */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  /** When the one left that left first, as of the last look; null if there is none. */
  get oldestLeftAtMs(): number | null {
    return this.#oldestLeftAtMs;
  }

  /** Removed because they had been kept for long enough. */
  get expired(): number {
    return this.#expired;
  }

  /** Removed before that: there were too many bytes. */
  get evicted(): number {
    return this.#evicted;
  }

  onKept(messages: number, bytes: number): void {
    this.#keptMessages += messages;
    this.#keptBytes += bytes;
    this.#oldestLeftAtMs ??= this.#clock.now();
    this.#wakeUp.ensure(this.#clock.now() + Math.max(SHORTEST_WAIT_MS, this.#queue.keptMs));
  }

  /** Something may have to go that did not have to before. */
  ensure(): void {
    this.#wakeUp.ensure(this.#clock.now());
  }

  /**
   * Removes everything that there is of messages with lower numbers.
   * @param countAs what they count as, if they count
   */
  clear(below: number, countAs: 'expired' | 'evicted' | null = null): void {
    this.#clearBelow = Math.max(this.#clearBelow, below);
    this.#clearedCountAs = countAs;
    // Some of it may be on its way to the disk.
    this.#awaitedTicket = this.#rows.requireCommit();
    this.ensure();
  }

  /** Takes over what another number of the queue has counted. */
  addCounts({ expired, evicted }: Pick<HistorySweep, 'expired' | 'evicted'>): void {
    this.#expired += expired;
    this.#evicted += evicted;
  }

  stop(): void {
    this.#isStopped = true;
    this.#wakeUp.stop();
  }

  async #run(): Promise<void> {
    if (this.#isRunning) {
      this.#mustRunAgain = true;
      return;
    }
    this.#isRunning = true;
    let nextMs: number;
    try {
      nextMs = await this.#removeSome();
    } catch {
      // The store is closed, or is being opened again.
      nextMs = this.#clock.now() + RETRY_MS;
    }
    this.#isRunning = false;
    if (this.#isStopped) return;
    this.#wakeUp.ensure(this.#mustRunAgain ? this.#nextSliceMs : nextMs);
    this.#mustRunAgain = false;
  }

  /** @returns when there may be more, ms since the epoch: time goes on while it reads */
  async #removeSome(): Promise<number> {
    // What has been removed can be read until then, and would be removed and counted again.
    if (this.#awaitedTicket > this.#rows.settledTicket) return this.#nextSliceMs;
    if (this.#clearBelow > 0) return await this.#clearSome();
    if (!this.#isCounted) await this.#countKept();
    const first = await this.#findFirst(endRange(this.#number));
    if (this.#isStopped) return Number.POSITIVE_INFINITY;
    // What has left since the last commit cannot be read yet.
    if (first !== null || this.#keptMessages <= 0) this.#oldestLeftAtMs = first === null ? null : leftAtMsOf(first[0]);
    const dueAtMs = first === null ? Number.POSITIVE_INFINITY : leftAtMsOf(first[0]) + this.#queue.keptMs;
    const isDue = dueAtMs <= this.#clock.now();
    if (first !== null && (isDue || this.#queue.mustShrink)) {
      await this.#removeDeparted(first, isDue);
      return this.#nextSliceMs;
    }
    if (first === null) this.#queue.onEmptied();
    if (this.#isStopped) return Number.POSITIVE_INFINITY;
    if (await this.#removeOrphan()) return this.#nextSliceMs;
    const nowMs = this.#clock.now();
    return Math.min(nowMs + ORPHANS_EVERY_MS, Math.max(nowMs + SHORTEST_WAIT_MS, dueAtMs));
  }

  /** What other processes have left behind, beside what this one has been told of meanwhile. */
  async #countKept(): Promise<void> {
    const scan = this.#rows.scan(endRange(this.#number));
    let keptMessages = 0;
    let keptBytes = 0;
    try {
      for (let rows = await scan.next(ROWS_PER_SLICE); rows.length > 0; rows = await scan.next(ROWS_PER_SLICE)) {
        for (const [key, row] of rows) {
          if (uniqueOf(key).startsWith(this.#processName)) continue;
          const { messages, bytes } = tryDecode(() => decodeDepartedTotals(row)) ?? { messages: 0, bytes: 0 };
          keptMessages += messages;
          keptBytes += bytes;
        }
      }
    } finally {
      await scan.close();
    }
    this.#keptMessages += keptMessages;
    this.#keptBytes += keptBytes;
    this.#isCounted = true;
  }

  get #nextSliceMs(): number {
    return this.#clock.now() + BETWEEN_SLICES_MS;
  }

  async #removeDeparted([key, row]: HistoryRow, isExpired: boolean): Promise<void> {
    const departed = tryDecode(() => decodeDepartedMessages(row)) ?? [];
    const values = await this.#rows.getMany(departed.map(({ sequence }) => messageKey(this.#number, sequence)));
    if (this.#isStopped) return;
    for (const [at, { sequence, receives }] of departed.entries()) {
      const value = values[at];
      if (value !== undefined) this.#removeMessage(sequence, value);
      const kept = Math.min(receives, KEPT_RECEIVES);
      for (let generation = 1; generation <= kept; generation++) {
        this.#remove(eventKey(this.#number, sequence, deliveredEvent(generation)));
        this.#remove(eventKey(this.#number, sequence, returnedEvent(generation)));
      }
      this.#remove(eventKey(this.#number, sequence, LEFT));
    }
    this.#remove(key);
    const { messages, bytes } = tryDecode(() => decodeDepartedTotals(row)) ?? { messages: 0, bytes: 0 };
    this.#keptMessages -= messages;
    this.#keptBytes -= bytes;
    if (isExpired) this.#expired += messages;
    else this.#evicted += messages;
    this.#reclaim(bytes);
  }

  /** @returns when there may be more, ms since the epoch: time goes on while it reads */
  async #clearSome(): Promise<number> {
    const below = this.#clearBelow;
    const found = await this.#readSome(messageRange(this.#number, 0, below));
    if (this.#isStopped) return Number.POSITIVE_INFINITY;
    for (const [key, value] of found) {
      const { sequence, event } = parseRowKey(key);
      if (event === -1) {
        this.#removeMessage(sequence, value);
        if (this.#clearedCountAs === 'expired') this.#expired++;
        if (this.#clearedCountAs === 'evicted') this.#evicted++;
      } else this.#remove(key);
      this.#reclaim(key.length + value.length);
    }
    if (found.length === 0 && below === this.#clearBelow) {
      this.#clearBelow = 0;
      this.#queue.onCleared(below);
    }
    return this.#nextSliceMs;
  }

  /** A message that has neither left the queue nor can be in it. @returns whether there was one */
  async #removeOrphan(): Promise<boolean> {
    if (this.#clock.now() < this.#orphansCheckedAtMs + ORPHANS_EVERY_MS) return false;
    const found = await this.#readSome(messageRange(this.#number));
    if (this.#isStopped) return false;
    const [first] = found;
    const sequence = first === undefined ? 0 : parseRowKey(first[0]).sequence;
    const rows = found.filter(([key]) => parseRowKey(key).sequence === sequence);
    const isOrphan =
      first !== undefined &&
      !rows.some(([key]) => parseRowKey(key).event === LEFT) &&
      this.#ageOf(first) > 2 * this.#queue.retentionMs + this.#queue.keptMs &&
      !this.#queue.isTracked(sequence);
    if (!isOrphan) {
      this.#orphansCheckedAtMs = this.#clock.now();
      return false;
    }
    for (const [key, value] of rows) {
      if (parseRowKey(key).event === -1) this.#removeMessage(sequence, value);
      else this.#remove(key);
    }
    return true;
  }

  #ageOf([key, value]: HistoryRow): number {
    const atMs =
      parseRowKey(key).event === -1 ? historyTimeOf(value) : (tryDecode(() => decodeTraceEvent(value))?.atMs ?? 0);
    return this.#clock.now() - atMs;
  }

  /** The message itself, and what it can be found by. */
  #removeMessage(sequence: number, value: Buffer): void {
    const number = this.#number;
    this.#remove(messageKey(number, sequence));
    this.#lowestRemoved = Math.min(this.#lowestRemoved, sequence);
    this.#highestRemoved = Math.max(this.#highestRemoved, sequence);
    const known = tryDecode(() => decodeHistoryMessage(value, number));
    const entry = known === null ? null : tryDecode(() => decodeEntry(known.entryBytes));
    if (known === null || entry === null) return;
    for (const hash of termHashes(known.message, entry)) this.#remove(termKey(hash, number, sequence));
  }

  #remove(key: string): void {
    this.#awaitedTicket = this.#rows.del(key);
  }

  #reclaim(bytes: number): void {
    this.#reclaimableBytes += bytes;
    if (this.#reclaimableBytes < RECLAIMED_BYTES) return;
    this.#reclaimableBytes = 0;
    if (this.#lowestRemoved <= this.#highestRemoved) {
      const { from, to } = messageRange(this.#number, this.#lowestRemoved, this.#highestRemoved + 1);
      this.#rows.reclaim(from, to);
    }
    this.#lowestRemoved = Number.POSITIVE_INFINITY;
    this.#highestRemoved = 0;
  }

  async #findFirst(range: { from: string; to: string }): Promise<HistoryRow | null> {
    const scan = this.#rows.scan(range);
    try {
      return (await scan.next(1))[0] ?? null;
    } finally {
      await scan.close();
    }
  }

  async #readSome(range: { from: string; to: string }): Promise<readonly HistoryRow[]> {
    const scan = this.#rows.scan(range);
    try {
      return await scan.next(ROWS_PER_SLICE);
    } finally {
      await scan.close();
    }
  }
}

/** null for what is damaged: it can only be removed. */
function tryDecode<T>(decode: () => T): T | null {
  try {
    return decode();
  } catch (error) {
    if (error instanceof DamagedQueueRecord) return null;
    throw error;
  }
}
