/**
 * Brings the messages of a dead-letter queue back: each to the queue that it came from, or all to one, with their attempts at zero. It receives
 * like any consumer, so it keeps to the order of groups and leaves alone what others have in flight; what it has
 * received it moves, so many a second. It ends when it has moved as many as were ready when it began.
 */
import type { Clock } from '../core/clock.js';
import type { Consumer } from './consumer.js';
import type { Delivery } from './delivery.js';
import type { Queue } from './queue.js';
import type { Receive, Receiver } from './receive.js';
import { WakeUp } from './wake-up.js';

export interface RedriveOptions {
  /** Where all messages go; each goes to where it came from unless given. */
  readonly target?: string;
  /** Messages moved in a second at most. */
  readonly perSecond: number;
}

export const REDRIVE_STATES = [
  'running',
  'completed',
  'cancelled',
  /** A target is missing or full, or a message has no origin: it and all behind it stay. */
  'failed',
  /** The process ended before it did. */
  'stopped',
] as const;
export type RedriveState = (typeof REDRIVE_STATES)[number];

export interface RedriveProgress {
  readonly state: RedriveState;
  /** null: each message's own origin. */
  readonly target: string | null;
  readonly startedAtMs: number;
  readonly moved: number;
  /** Messages that were ready when it began. */
  readonly total: number;
}

/** Between two batches. */
const BATCH_MS = 100;
const BATCHES_PER_SECOND = 1000 / BATCH_MS;

export class Redrive implements Receiver {
  readonly #queue: Queue;
  readonly #options: RedriveOptions;
  readonly #clock: Clock;
  readonly #onChanged: () => void;
  readonly #consumer: Consumer;
  readonly #wakeUp: WakeUp;
  readonly #startedAtMs: number;
  readonly #total: number;
  #state: RedriveState = 'running';
  #moved = 0;
  /** Messages that may be moved now; a part of one is carried over. */
  #allowance = 0;
  #receive: Receive | null = null;

  /** @param onChanged called when it has ended */
  constructor(queue: Queue, options: RedriveOptions, clock: Clock, onChanged: () => void) {
    this.#queue = queue;
    this.#options = options;
    this.#clock = clock;
    this.#onChanged = onChanged;
    this.#startedAtMs = clock.now();
    this.#total = queue.statistics.ready;
    this.#consumer = queue.openConsumer('redrive');
    this.#wakeUp = new WakeUp(clock, () => this.#takeSome());
    this.#wakeUp.ensure(this.#startedAtMs);
  }

  get progress(): RedriveProgress {
    return {
      state: this.#state,
      target: this.#options.target ?? null,
      startedAtMs: this.#startedAtMs,
      moved: this.#moved,
      total: this.#total,
    };
  }

  /** What has been moved stays moved. */
  cancel(): void {
    this.#end('cancelled');
  }

  /** The process is about to end, or the queue is gone. */
  stop(): void {
    this.#end('stopped');
  }

  onReceived(deliveries: readonly Delivery[]): void {
    if (this.#state !== 'running') return;
    for (const delivery of deliveries) {
      const target = this.#options.target ?? delivery.entry.origin?.queue;
      if (target === undefined || !this.#queue.moveDelivery(delivery, target)) {
        this.#end('failed');
        return;
      }
      this.#moved++;
      this.#allowance--;
    }
    if (deliveries.length === 0 || this.#moved >= this.#total) this.#end('completed');
    else this.#wakeUp.ensure(this.#clock.now() + BATCH_MS);
  }

  #takeSome(): void {
    this.#allowance = Math.min(
      Math.max(1, this.#options.perSecond / BATCHES_PER_SECOND),
      this.#allowance + this.#options.perSecond / BATCHES_PER_SECOND,
    );
    const max = Math.min(Math.floor(this.#allowance), this.#total - this.#moved);
    if (max === 0 && this.#moved < this.#total) {
      this.#wakeUp.ensure(this.#clock.now() + BATCH_MS);
      return;
    }
    if (max === 0) this.#end('completed');
    else this.#receive = this.#queue.receive({ max, visibilityTimeoutMs: null, consumer: this.#consumer }, this);
  }

  /** What it has in hand goes back, uncounted. */
  #end(state: RedriveState): void {
    if (this.#state !== 'running') return;
    this.#state = state;
    this.#wakeUp.stop();
    this.#receive?.cancel();
    this.#queue.closeConsumer(this.#consumer, false);
    this.#onChanged();
  }
}
