/**
 * What the parts of one queue share: its name and number, its options, its messages and what is counted. Whatever a queue records
 * passes through here, so that the ticket of the last record is known.
 */
import type { Clock } from '../core/clock.js';
import type { Message } from '../core/message.js';
import type { TimingWheel } from '../core/timing-wheel.js';
import { NO_TICKET, type Ticket } from '../store/ticket.js';
import type { MessageEntry } from './entry-codec.js';
import type { GoneReason } from './history/gone-queue.js';
import type { History } from './history/history.js';
import type { HistoryBook } from './history/history-book.js';
import type { MessageIds } from './message-ids.js';
import { MessageIndex } from './message-index.js';
import { QueueCounters } from './queue-counters.js';
import type { QueueLog } from './queue-log.js';
import type { QueueOptions } from './queue-options.js';
import { RateMeters } from './rate-meters.js';
import type { ReceiptHandles } from './receipt-handle.js';
import type { ReceiptResult, Receipts } from './receipts.js';
import type { SettledAnswers } from './settled-answers.js';
import type { TrackedMessage } from './tracked-message.js';

/** What all queues share. */
export interface QueueContext {
  readonly clock: Clock;
  /** For calls that wait. */
  readonly wheel: TimingWheel;
  readonly log: QueueLog;
  readonly handles: ReceiptHandles;
  readonly ids: MessageIds;
  readonly answers: SettledAnswers;
  /** null where nothing outlives the process. */
  readonly history: History | null;
  /** Stores a message in another queue as well. @returns false if that queue does not exist, or is full */
  moveTo(queue: string, message: Message, entry: MessageEntry): boolean;
  readonly receipts: Receipts;
  /** Its last consumer has been gone for as long as `autoDeleteAfterMs` says. */
  onUnused(queue: string): void;
}

/** A slice of arrivals spans at most this part of the retention: so much too late an unread message may go. */
const LEAST_SLICES_PER_RETENTION = 64;
/** A handle from before so many purges is taken for one of another queue: it is refused, as what it names is gone in any case. */
const MOST_FORMER_NUMBERS = 1000;
/** And no less than this part, or a second: a trickle that nobody reads would otherwise have a slice for each message. */
const MOST_SLICES_PER_RETENTION = 32_768;
const SHORTEST_SLICE_MS = 1000;

export class QueueCore {
  readonly name: string;
  readonly context: QueueContext;
  readonly counters = new QueueCounters();
  readonly rates: RateMeters;
  #options: QueueOptions;
  #number: number;
  #index: MessageIndex;
  #history: HistoryBook | null;
  /** Numbers that the queue had before it was purged: the last ones. */
  readonly #formerNumbers = new Set<number>();
  #lastTicket: Ticket = NO_TICKET;

  /** @param historySince messages with lower numbers have no history */
  constructor(name: string, number: number, options: QueueOptions, context: QueueContext, historySince: number) {
    this.name = name;
    this.context = context;
    this.rates = new RateMeters(this.counters, context.clock.now());
    this.#number = number;
    this.#options = options;
    this.#index = newIndex(options);
    this.#history = context.history?.open(this, options, historySince) ?? null;
  }

  get number(): number {
    return this.#number;
  }

  get options(): QueueOptions {
    return this.#options;
  }

  get index(): MessageIndex {
    return this.#index;
  }

  /** Where it is written down what happens to messages; null if it is not. */
  get history(): HistoryBook | null {
    return this.#history;
  }

  /** Bytes of a message of the queue, on average. */
  get meanBytes(): number {
    const { count, bytes } = this.#index;
    return count === 0 ? 0 : Math.round(bytes / count);
  }

  get isFifo(): boolean {
    return this.#options.type === 'fifo';
  }

  get isPipelined(): boolean {
    return this.#options.ordering === 'pipelined';
  }

  get nowMs(): number {
    return this.context.clock.now();
  }

  /** Of the last thing that the queue has recorded: what it says now is on disk when this is settled. */
  get lastTicket(): Ticket {
    return this.#lastTicket;
  }

  isTracked(sequence: number): boolean {
    return this.#index.find(sequence) !== undefined;
  }

  hadNumber(number: number): boolean {
    return this.#formerNumbers.has(number);
  }

  onRecorded(ticket: Ticket): void {
    if (ticket > this.#lastTicket) this.#lastTicket = ticket;
  }

  /** What has become of a message that was received, for whoever wants to know. */
  tellOutcome({ receipt }: TrackedMessage, outcome: ReceiptResult): void {
    if (receipt !== null) this.context.receipts.add(this.name, receipt, outcome);
  }

  settle(sequence: number): void {
    this.onRecorded(this.context.log.settle(this.#number, sequence));
  }

  stateChanged(message: TrackedMessage): void {
    this.onRecorded(this.context.log.stateChanged(this.#number, message.sequence));
  }

  /**
   * A message in flight is about to come back: in a pipelined queue, what is in flight of its group behind it comes back before, and
   * its receive does not count.
   */
  recallBehind(message: TrackedMessage): void {
    for (const later of this.#index.inFlightBehind(message)) {
      later.attempts--;
      this.#history?.onReturned(later, 'recalled');
      this.#index.giveBack(later);
      this.stateChanged(later);
      this.counters.recalled++;
    }
  }

  /** All but the type may change. */
  setOptions(options: QueueOptions): void {
    this.#options = options;
    this.#index.setPipelined(this.isPipelined);
    this.#history = this.context.history?.change(this, options) ?? null;
  }

  /** Begins anew under another number, or ends if that is 0. @returns the messages that it had */
  renew(number: number, reason: GoneReason): MessageIndex {
    const former = this.#index;
    this.context.history?.giveUp(this.#number, reason, former.bytes);
    this.#formerNumbers.add(this.#number);
    // In order of their age. Anybody may purge as often as he likes.
    const [oldest = 0] = this.#formerNumbers;
    if (this.#formerNumbers.size > MOST_FORMER_NUMBERS) this.#formerNumbers.delete(oldest);
    this.#number = number;
    this.#index = newIndex(this.#options);
    this.#history = number === 0 ? null : (this.context.history?.open(this, this.#options, 0) ?? null);
    return former;
  }
}

function newIndex({ type, ordering, retentionMs }: QueueOptions): MessageIndex {
  // Also how exactly the age of the oldest message is known: ten seconds with a retention of four days.
  const sliceMs = Math.min(
    retentionMs / LEAST_SLICES_PER_RETENTION,
    Math.max(SHORTEST_SLICE_MS, retentionMs / MOST_SLICES_PER_RETENTION),
  );
  const index = new MessageIndex(type === 'fifo', Math.ceil(sliceMs));
  index.setPipelined(ordering === 'pipelined');
  return index;
}
