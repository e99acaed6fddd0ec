/**
 * Brings the messages of a dead-letter queue back, or chosen ones: each to the queue that it came from, or all to one, with their attempts
 * at zero. It works beside the consumers, as an administrator does: it walks the queue in order, so many messages a second, and
 * leaves alone what somebody has in flight; of a fifo queue also what that holds back, unless it was chosen. It ends behind the
 * last message that was there when it began.
 */
import type { Clock } from '../core/clock.js';
import type { Peek, Peeker, PeekPage } from './peek.js';
import type { PeekedMessage } from './peeked-message.js';
import type { Queue } from './queue.js';
import { InvalidQueueOption } from './queue-errors.js';
import { WakeUp } from './wake-up.js';

export interface RedriveOptions {
  /** Where all messages go; each goes to where it came from unless given. */
  readonly target?: string;
  /** Messages moved in a second at most. */
  readonly perSecond: number;
  /** Only messages with these numbers; delayed ones, too. Up to 10,000. */
  readonly sequences?: readonly number[];
  /** Only messages with these ids; the queue is read up to the last of them. Up to 10,000. */
  readonly ids?: readonly string[];
}

export const REDRIVE_STATES = [
  'running',
  'completed',
  'cancelled',
  /** Some could not be moved. They stay, and behind them those that would have gone to the same target. */
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
  /** Their target is missing, full, or not known; or they were chosen, and are not there or in flight. */
  readonly failed: number;
  /** Neither moved nor failed so far. When it has ended: in somebody's hands, gone, or held back. */
  readonly left: number;
  /** Messages that were ready when it began, or were chosen. */
  readonly total: number;
}

/** Between two batches. */
const BATCH_MS = 100;
const BATCHES_PER_SECOND = 1000 / BATCH_MS;
const LARGEST_PAGE = 1000;
const MOST_CHOSEN = 10_000;

export class Redrive implements Peeker {
  readonly #queue: Queue;
  readonly #options: RedriveOptions;
  readonly #clock: Clock;
  readonly #onEnded: () => void;
  readonly #wakeUp: WakeUp;
  readonly #startedAtMs: number;
  readonly #lastSequence: number;
  readonly #total: number;
  readonly #isOfChosen: boolean;
  /** Targets that did not take a message: what follows must not overtake it. */
  readonly #refusing = new Set<string>();
  #state: RedriveState = 'running';
  #moved = 0;
  #failed = 0;
  #afterSequence = 0;
  /** Messages that may be moved now; a part of one is carried over. */
  #allowance: number;
  #peek: Peek | null = null;

  /**
   * @param onEnded called when it has ended
   * @throws InvalidQueueOption
   */
  constructor(queue: Queue, options: RedriveOptions, clock: Clock, onEnded: () => void) {
    checkOptions(queue, options);
    this.#queue = queue;
    this.#options = options;
    this.#clock = clock;
    this.#onEnded = onEnded;
    this.#startedAtMs = clock.now();
    this.#lastSequence = queue.lastSequence;
    const chosen = options.ids ?? options.sequences;
    this.#isOfChosen = chosen !== undefined;
    this.#total = chosen === undefined ? queue.statistics.ready : new Set<unknown>(chosen).size;
    // The first one goes at once, however low the rate.
    this.#allowance = Math.max(0, 1 - options.perSecond / BATCHES_PER_SECOND);
    this.#wakeUp = new WakeUp(clock, () => this.#onBatch());
    this.#wakeUp.ensure(this.#startedAtMs);
  }

  get progress(): RedriveProgress {
    return {
      state: this.#state,
      target: this.#options.target ?? null,
      startedAtMs: this.#startedAtMs,
      moved: this.#moved,
      failed: this.#failed,
      left: this.#left,
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

  onPeeked({ messages, cursor }: PeekPage): void {
    this.#peek = null;
    for (const peeked of messages) {
      if (peeked.sequence > this.#lastSequence) {
        this.#onWalked();
        return;
      }
      this.#move(peeked);
      if (this.#state !== 'running') return;
    }
    if (cursor === null || this.#left === 0) {
      this.#onWalked();
      return;
    }
    this.#afterSequence = cursor;
    this.#wakeUp.ensure(this.#clock.now() + (this.#allowance >= 1 ? 0 : BATCH_MS));
  }

  get #left(): number {
    return Math.max(0, this.#total - this.#moved - this.#failed);
  }

  #onBatch(): void {
    const share = this.#options.perSecond / BATCHES_PER_SECOND;
    // What is left of a batch is gone on with at once: its share has been given out.
    if (this.#allowance < 1) this.#allowance = Math.min(Math.max(1, share), this.#allowance + share);
    if (this.#allowance < 1) {
      this.#wakeUp.ensure(this.#clock.now() + BATCH_MS);
      return;
    }
    const { ids, sequences } = this.#options;
    const peek = this.#queue.peek(
      {
        max: Math.min(LARGEST_PAGE, Math.floor(this.#allowance)),
        afterSequence: this.#afterSequence,
        ...(this.#isOfChosen ? {} : { state: 'ready' as const }),
        ...(ids === undefined ? {} : { ids }),
        ...(sequences === undefined ? {} : { sequences }),
      },
      this,
    );
    if (peek.isOpen) this.#peek = peek;
  }

  #move(peeked: PeekedMessage): void {
    const target = this.#options.target ?? peeked.entry.origin?.queue ?? '';
    if (!this.#isOfChosen && this.#queue.isHeldBack(peeked)) return;
    this.#allowance--;
    if (!this.#refusing.has(target) && this.#queue.moveIdle(peeked, target)) {
      this.#moved++;
      return;
    }
    this.#failed++;
    if (peeked.state === 'in-flight') return;
    this.#refusing.add(target);
    if (this.#options.target !== undefined) this.#end('failed');
  }

  #onWalked(): void {
    // Who was chosen and not met is not there.
    if (this.#isOfChosen) this.#failed = this.#total - this.#moved;
    this.#end(this.#failed > 0 ? 'failed' : 'completed');
  }

  #end(state: RedriveState): void {
    if (this.#state !== 'running') return;
    this.#state = state;
    this.#wakeUp.stop();
    this.#peek?.cancel();
    this.#onEnded();
  }
}

function checkOptions(queue: Queue, { perSecond, target, ids, sequences }: RedriveOptions): void {
  if (!(perSecond > 0)) throw new InvalidQueueOption('perSecond', 'is no rate');
  if (target === queue.name) throw new InvalidQueueOption('target', 'is the queue itself');
  if (ids !== undefined && sequences !== undefined) throw new InvalidQueueOption('ids', 'are given beside sequences');
  const chosen = ids ?? sequences;
  if (chosen !== undefined && (chosen.length === 0 || chosen.length > MOST_CHOSEN)) {
    throw new InvalidQueueOption(ids === undefined ? 'sequences' : 'ids', `are not 1 to ${MOST_CHOSEN}`);
  }
}
