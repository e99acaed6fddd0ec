/**
 * The history of all queues: which numbers of queues have one, and what each of them may keep. Queues get from it the book that they write to;
 * the registry keeps on record what a restart has to know.
 */
import type { Clock } from '../../core/clock.js';
import type { QueueOptions } from '../queue-options.js';
import type { GoneQueue, GoneReason } from './gone-queue.js';
import type { HistoryBook, HistoryBookOwner } from './history-book.js';
import type { HistoryLog, HistoryLogClient } from './history-log.js';
import { type HistoryQueue, HistoryShelf, type HistoryShelfOwner } from './history-shelf.js';

/** Of a queue that is purged again and again: more of its former numbers are given up before their time. */
const GONE_NUMBERS_PER_QUEUE = 64;

/** What is kept of a queue's history. */
export interface HistoryStatistics {
  /** Messages that have left the queue. */
  readonly messages: number;
  /** What they take, about. */
  readonly bytes: number;
  /** When the one left that left first, ms since the epoch; null if there is none, or it is not known yet after a start. */
  readonly oldestLeftAtMs: number | null;
  /** Messages removed since the start because they had been kept for long enough, */
  readonly expired: number;
  /** and before that because there were too many bytes. */
  readonly evicted: number;
}

export class History implements HistoryShelfOwner, HistoryLogClient, HistoryBookOwner {
  readonly clock: Clock;
  readonly log: HistoryLog;
  readonly processName: string;
  readonly #onForgotten: (number: number) => void;
  readonly #shelves = new Map<number, HistoryShelf>();
  readonly #departing: HistoryBook[] = [];
  #goneNumbers = 0;

  /**
   * @param processName some hexadecimal digits, drawn at each start
   * @param onForgotten told of numbers that were given up, when nothing is kept of them any more
   */
  constructor(log: HistoryLog, clock: Clock, processName: string, onForgotten: (number: number) => void) {
    this.log = log;
    this.clock = clock;
    this.processName = processName;
    this.#onForgotten = onForgotten;
    log.connect(this);
  }

  /** Of numbers of queues that have one, in order of the numbers. */
  shelves(): readonly HistoryShelf[] {
    return [...this.#shelves.values()].sort((one, other) => one.number - other.number);
  }

  find(number: number): HistoryShelf | undefined {
    return this.#shelves.get(number);
  }

  /**
   * A queue is there, and what it does from now on is written down if it wants that.
   * @param sinceSequence as it is on record; 0 for a new number
   */
  open(queue: HistoryQueue, options: QueueOptions, sinceSequence: number): HistoryBook | null {
    if (options.historyMs === 0 && sinceSequence === 0) return null;
    const shelf = new HistoryShelf(queue.name, queue.number, sinceSequence, options, queue, this);
    this.#shelves.set(queue.number, shelf);
    return shelf.book;
  }

  /** The options have changed. */
  change(queue: HistoryQueue, options: QueueOptions): HistoryBook | null {
    const shelf = this.#shelves.get(queue.number);
    if (shelf === undefined) {
      return options.historyMs === 0 ? null : this.open(queue, options, this.log.nextSequence);
    }
    shelf.setOptions(options);
    return shelf.book;
  }

  /** The number is given up: its shelf says what has to be on record. @param queueBytes what was in the queue still */
  giveUp(number: number, reason: GoneReason, queueBytes: number): void {
    const shelf = this.#shelves.get(number);
    if (shelf === undefined) return;
    shelf.giveUp(reason, queueBytes);
    this.#goneNumbers++;
    this.#evictTooMany(shelf.name);
  }

  /** A number that was given up before this process began. */
  restoreGone(number: number, gone: GoneQueue): void {
    this.#shelves.set(number, HistoryShelf.ofGone(number, gone, this));
    this.#goneNumbers++;
  }

  /** Of all numbers of a queue. */
  statisticsOf(name: string): HistoryStatistics {
    // In no order: this is asked for each queue in turn.
    const shelves = [...this.#shelves.values()].filter((shelf) => shelf.name === name);
    const sum = (of: (shelf: HistoryShelf) => number): number => shelves.reduce((total, shelf) => total + of(shelf), 0);
    return {
      messages: sum(({ keptMessages }) => keptMessages),
      bytes: sum(({ keptBytes }) => keptBytes),
      oldestLeftAtMs: earliestOf(shelves),
      expired: sum(({ expired }) => expired),
      evicted: sum(({ evicted }) => evicted),
    };
  }

  mustShrink(shelf: HistoryShelf): boolean {
    if (shelf.gone !== null || shelf.keptBytes <= shelf.maxBytes) return false;
    return this.#goneOf(shelf.name).length === 0;
  }

  onGrown(shelf: HistoryShelf): void {
    if (this.#goneNumbers === 0 && shelf.keptBytes <= shelf.maxBytes) return;
    const gone = this.#goneOf(shelf.name);
    let bytes = shelf.keptBytes;
    for (const { keptBytes } of gone) bytes += keptBytes;
    if (bytes <= shelf.maxBytes) return;
    if (gone[0] === undefined) shelf.ensureSwept();
    else gone[0].evict();
  }

  onForgotten(shelf: HistoryShelf): void {
    shelf.stop();
    this.#shelves.delete(shelf.number);
    this.#goneNumbers--;
    const successor = this.shelves().find(({ name }) => name === shelf.name);
    successor?.addCounts(shelf);
    successor?.ensureSwept();
    this.#onForgotten(shelf.number);
  }

  onDeparted(book: HistoryBook): void {
    if (this.#departing.length === 0) this.log.requireClosingRows();
    this.#departing.push(book);
  }

  onCommitClosing(): void {
    for (const book of this.#departing) book.onCommitClosing();
    this.#departing.length = 0;
  }

  /** Calls nobody any more. */
  stop(): void {
    for (const shelf of this.#shelves.values()) shelf.stop();
  }

  #goneOf(name: string): readonly HistoryShelf[] {
    return this.shelves().filter((shelf) => shelf.name === name && shelf.gone !== null);
  }

  #evictTooMany(name: string): void {
    const gone = this.#goneOf(name);
    for (const shelf of gone.slice(0, Math.max(0, gone.length - GONE_NUMBERS_PER_QUEUE))) shelf.evict();
  }
}

function earliestOf(shelves: readonly HistoryShelf[]): number | null {
  const earliest = Math.min(...shelves.map(({ oldestLeftAtMs }) => oldestLeftAtMs ?? Number.POSITIVE_INFINITY));
  return earliest === Number.POSITIVE_INFINITY ? null : earliest;
}
