/**
 * The history of one number of a queue, from when it is turned on until its last row is removed:
 *
 *   open (a book is written) ──turned off──▶ off: everything goes ──▶ as if it had never been
 *     └──purged, deleted──▶ gone: kept for as long as was configured ──▶ forgotten
 */
import type { Clock } from '../../core/clock.js';
import type { QueueOptions } from '../queue-options.js';
import { WakeUp } from '../wake-up.js';
import type { GoneQueue } from './gone-queue.js';
import { HistoryBook, type HistoryBookOwner } from './history-book.js';
import { ALL_SEQUENCES } from './history-keys.js';
import { HistorySweep, type SweptQueue } from './history-sweep.js';

/** The queue, as far as its history asks. */
export interface HistoryQueue {
  readonly name: string;
  readonly number: number;
  /** It is in flight, delayed, or has come back. */
  isTracked(sequence: number): boolean;
}

export interface HistoryShelfOwner extends HistoryBookOwner {
  /** More is kept of the queue than may be, and no older number of it has anything to give up. */
  mustShrink(shelf: HistoryShelf): boolean;
  /** More is kept than before. */
  onGrown(shelf: HistoryShelf): void;
  /** Nothing is left of a number that is gone. */
  onForgotten(shelf: HistoryShelf): void;
}

export class HistoryShelf implements SweptQueue {
  readonly name: string;
  readonly number: number;
  readonly #owner: HistoryShelfOwner;
  readonly #queue: HistoryQueue | null;
  readonly #sweep: HistorySweep;
  readonly #end: WakeUp;
  #sinceSequence: number;
  #options: Pick<QueueOptions, 'historyMs' | 'historyMaxBytes' | 'retentionMs'>;
  #book: HistoryBook | null = null;
  #gone: GoneQueue | null = null;
  /** Nothing is left of a number that is gone but what says so. */
  #isCleared = false;

  /** @param queue null for a number that is gone */
  constructor(
    name: string,
    number: number,
    sinceSequence: number,
    options: Pick<QueueOptions, 'historyMs' | 'historyMaxBytes' | 'retentionMs'>,
    queue: HistoryQueue | null,
    owner: HistoryShelfOwner,
  ) {
    this.name = name;
    this.number = number;
    this.#sinceSequence = sinceSequence;
    this.#options = options;
    this.#queue = queue;
    this.#owner = owner;
    const { clock, log, processName } = owner;
    this.#end = new WakeUp(clock, () => this.#sweep.clear(ALL_SEQUENCES, 'expired'));
    this.#sweep = new HistorySweep(number, log.rows, clock, processName, this);
    if (queue !== null && options.historyMs > 0) this.#open();
    if (sinceSequence > 0) this.#sweep.clear(sinceSequence);
  }

  static ofGone(number: number, gone: GoneQueue, owner: HistoryShelfOwner): HistoryShelf {
    const { name, sinceSequence, keptMs, maxBytes } = gone;
    const options = { historyMs: keptMs, historyMaxBytes: maxBytes, retentionMs: 0 };
    const shelf = new HistoryShelf(name, number, sinceSequence, options, null, owner);
    shelf.#keepUntilGone(gone);
    return shelf;
  }

  get #clock(): Clock {
    return this.#owner.clock;
  }

  /** null while nothing is written: the history is off, or the number is given up. */
  get book(): HistoryBook | null {
    return this.#book;
  }

  /** Messages with lower numbers have no history. */
  get sinceSequence(): number {
    return this.#sinceSequence;
  }

  get gone(): GoneQueue | null {
    return this.#gone;
  }

  get keptMessages(): number {
    return this.#sweep.keptMessages;
  }

  get keptBytes(): number {
    if (this.#gone === null) return this.#sweep.keptBytes;
    return this.#isCleared ? 0 : this.#gone.bytes;
  }

  /** When the message left that left first, of those that are kept; null if there is none, or it is not known yet. */
  get oldestLeftAtMs(): number | null {
    if (this.#gone === null) return this.#sweep.oldestLeftAtMs;
    // What was in the queue to its end left then.
    return this.#isCleared ? null : (this.#sweep.oldestLeftAtMs ?? this.#gone.goneAtMs);
  }

  get maxBytes(): number {
    return this.#options.historyMaxBytes;
  }

  get expired(): number {
    return this.#sweep.expired;
  }

  get evicted(): number {
    return this.#sweep.evicted;
  }

  get keptMs(): number {
    return this.#isCleared ? 0 : this.#options.historyMs;
  }

  get retentionMs(): number {
    // What has not left a queue that is gone was in it to the end: it is no orphan, however old.
    return this.#gone === null ? this.#options.retentionMs : Number.POSITIVE_INFINITY;
  }

  get mustShrink(): boolean {
    return this.#owner.mustShrink(this);
  }

  isTracked(sequence: number): boolean {
    return this.#queue?.isTracked(sequence) ?? false;
  }

  /** The queue's options have changed. */
  setOptions(options: QueueOptions): void {
    const wasOn = this.#options.historyMs > 0;
    this.#options = options;
    if (wasOn !== options.historyMs > 0) {
      this.#sinceSequence = this.#owner.log.nextSequence;
      this.#sweep.clear(this.#sinceSequence);
      if (wasOn) this.#close();
      else this.#open();
    }
    this.#sweep.ensure();
  }

  /** The number is given up. @param queueBytes what was in the queue still, about */
  giveUp(reason: GoneQueue['reason'], queueBytes: number): void {
    this.#close();
    this.#keepUntilGone({
      name: this.name,
      reason,
      goneAtMs: this.#clock.now(),
      keptMs: this.#options.historyMs,
      maxBytes: this.#options.historyMaxBytes,
      sinceSequence: this.#sinceSequence,
      bytes: this.#sweep.keptBytes + queueBytes,
    });
  }

  /** Removes everything of a number that is gone before its time. */
  evict(): void {
    if (this.#isCleared) return;
    this.#end.stop();
    this.#sweep.clear(ALL_SEQUENCES, 'evicted');
  }

  /** Takes over what a number of the queue that is forgotten has counted. */
  addCounts(counts: Pick<HistoryShelf, 'expired' | 'evicted'>): void {
    this.#sweep.addCounts(counts);
  }

  /** What has left more of the queue than may be kept has to go. */
  ensureSwept(): void {
    this.#sweep.ensure();
  }

  onCleared(below: number): void {
    if (below === ALL_SEQUENCES) this.#isCleared = true;
  }

  onEmptied(): void {
    if (this.#isCleared) this.#owner.onForgotten(this);
  }

  stop(): void {
    this.#end.stop();
    this.#sweep.stop();
  }

  #open(): void {
    this.#book = new HistoryBook(this.number, this.#sinceSequence, this.#owner, (messages, bytes) => {
      this.#sweep.onKept(messages, bytes);
      this.#owner.onGrown(this);
    });
  }

  #close(): void {
    // What has left in this commit is written down still.
    this.#book?.onCommitClosing();
    this.#book = null;
  }

  #keepUntilGone(gone: GoneQueue): void {
    this.#gone = gone;
    this.#end.ensure(gone.goneAtMs + gone.keptMs);
  }
}
