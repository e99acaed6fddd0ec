/**
 * What becomes of a message that somebody has: it is acknowledged, refused, extended or rejected, its visibility timeout is over, or
 * its consumer is gone. Each changes the state at once and records the change; who is given the message next is not decided here.
 */
import type { Consumer } from './consumer.js';
import type { Departures } from './departures.js';
import type { QueueCore } from './queue-core.js';
import { NOBODY } from './queue-log.js';
import { retryDelayMs } from './queue-options.js';
import { IN_FLIGHT, type TrackedMessage } from './tracked-message.js';

/** What became of a message that somebody named by its receipt handle. */
export type ReceiptOutcome =
  | 'done'
  /** Acknowledged, or gone otherwise, before. */
  | 'already-done'
  /** In a fifo queue: its visibility timeout is over, or it was received again since. */
  | 'receipt-expired'
  /** It is there, but nobody has it. */
  | 'not-in-flight'
  /** The handle was not given out by this queue. */
  | 'receipt-invalid';

export interface RefuseOptions {
  /** When it comes back; the queue's ladder decides unless given. */
  readonly delayMs?: number;
  /** False if the receive should not count: the consumer could not even try. */
  readonly isCounted?: boolean;
}

export class InFlightMessages {
  readonly #core: QueueCore;
  readonly #departures: Departures;
  /** Called when messages have got deadlines. */
  readonly #onDeadline: () => void;

  constructor(core: QueueCore, departures: Departures, onDeadline: () => void) {
    this.#core = core;
    this.#departures = departures;
    this.#onDeadline = onDeadline;
  }

  /** It is done. */
  acknowledge(message: TrackedMessage): ReceiptOutcome {
    this.#core.history?.onAcknowledged(message);
    this.#core.index.remove(message);
    this.#core.settle(message.sequence);
    this.#core.counters.acknowledged++;
    this.#core.tellOutcome(message, 'done');
    return 'done';
  }

  /** It comes back after a delay. */
  refuse(message: TrackedMessage, { delayMs, isCounted = true }: RefuseOptions): ReceiptOutcome {
    const { index, nowMs, options, counters } = this.#core;
    if (message.state !== IN_FLIGHT) return 'not-in-flight';
    this.#core.recallBehind(message);
    if (isCounted) message.onFailed(nowMs);
    else message.attempts--;
    counters.refusedByConsumer++;
    // One that does not come back must not hold back its group.
    const delay = message.isSuperseded ? 0 : (delayMs ?? retryDelayMs(options.retry, message.attempts));
    this.#core.history?.onReturned(message, 'refused', delay);
    if (delay > 0) index.postpone(message, nowMs + delay);
    else index.giveBack(message);
    this.#core.stateChanged(message);
    this.#onDeadline();
    return 'done';
  }

  /** It stays hidden for so long from now on; 0 makes it visible at once. */
  extend(message: TrackedMessage, visibilityTimeoutMs: number): ReceiptOutcome {
    const { index, nowMs } = this.#core;
    if (visibilityTimeoutMs <= 0) return this.refuse(message, { delayMs: 0 });
    if (message.state !== IN_FLIGHT) return 'not-in-flight';
    index.hideUntil(message, nowMs + visibilityTimeoutMs);
    this.#core.stateChanged(message);
    this.#onDeadline();
    return 'done';
  }

  /** It goes to the dead-letter queue at once, or is dropped if there is none. */
  reject(message: TrackedMessage): ReceiptOutcome {
    const { index, options, context, number, nowMs } = this.#core;
    if (message.state !== IN_FLIGHT) return 'not-in-flight';
    if (options.deadLetter === null) {
      this.#departures.drop(message, 'rejected');
      return 'done';
    }
    message.onFailed(nowMs);
    message.isRejected = true;
    const content = context.log.find(message.sequence, NOBODY);
    const entryBytes =
      content === null || content === undefined ? null : context.log.findEntry(message.sequence, number);
    if (content === null || content === undefined || entryBytes === null || entryBytes === undefined) {
      // It goes when it would be received next, and has been read.
      this.#core.recallBehind(message);
      this.#core.history?.onReturned(message, 'rejected');
      index.giveBack(message);
      this.#core.stateChanged(message);
    } else this.#departures.retire(message, content, entryBytes);
    this.#onDeadline();
    return 'done';
  }

  /** The consumer is gone: what it had goes back at once. @param isAbnormal its receives count */
  giveBackOf(consumer: Consumer, isAbnormal: boolean): void {
    // The last one first: nothing is behind one that comes back.
    for (const message of [...consumer.heldMessages()].reverse()) {
      if (isAbnormal) message.onFailed(this.#core.nowMs);
      else message.attempts--;
      this.#core.history?.onReturned(message, 'consumer-gone');
      this.#core.index.giveBack(message);
      this.#core.stateChanged(message);
    }
  }

  /** Visibility timeouts and delays are over. What is on disk says so too, since deadlines are absolute. */
  onDue(): void {
    const { index, nowMs, counters } = this.#core;
    for (let message = index.takeDue(nowMs); message !== null; message = index.takeDue(nowMs)) {
      if (message.state === IN_FLIGHT) {
        counters.visibilityTimeouts++;
        this.#core.recallBehind(message);
        message.onFailed(message.dueAtMs);
        this.#core.history?.onReturned(message, 'visibility-timeout', 0, message.dueAtMs);
      }
      index.makeDueReady(message);
    }
  }
}
