/**
 * The outbound buffers that got something to send in this event-loop turn. They are all flushed once, after the turn's
 * input has been handled: one write per connection and turn, whatever number of packets it holds.
 */
import { SlabPool } from './slab-pool.js';
import type { WakeUpPacer } from './wake-up-pacer.js';

/** An outbound buffer, as the queue sees it. */
export interface Flushable {
  flush(): void;
}

export class FlushQueue {
  readonly pool = new SlabPool();
  /** Bytes that stay in outbound buffers because their channels ask to wait: those of all connections together. */
  heldBytes = 0;
  /** Bytes handed to channels so far. */
  bytesSent = 0;
  #queued: Flushable[] = [];
  #spare: Flushable[] = [];
  #isScheduled = false;
  readonly #pacer: WakeUpPacer | null;

  /** @param pacer told of the end of each turn; null for a loop that never rests */
  constructor(pacer: WakeUpPacer | null = null) {
    this.#pacer = pacer;
  }

  add(buffer: Flushable): void {
    this.#queued.push(buffer);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#flushAll);
  }

  readonly #flushAll = (): void => {
    this.#isScheduled = false;
    const due = this.#queued;
    this.#queued = this.#spare;
    for (const buffer of due) buffer.flush();
    due.length = 0;
    this.#spare = due;
    this.#pacer?.endTurn(this.bytesSent);
  };
}
