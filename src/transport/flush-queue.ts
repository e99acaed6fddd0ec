/**
 * The outbound buffers that got something to send in this event-loop turn. They are all flushed once, after the turn's
 * input has been handled: one write per connection and turn, whatever number of packets it holds.
 */
import { SlabPool } from './slab-pool.js';

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
  };
}
