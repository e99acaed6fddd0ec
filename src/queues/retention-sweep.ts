/**
 * Removes what has outlived its retention from a queue that nobody receives from, a slice at a time. Only messages that are known to be too
 * old are touched: the index of arrivals says up to which number all are.
 */
import type { Departures } from './departures.js';
import type { QueueCore } from './queue-core.js';
import { IN_FLIGHT, type TrackedMessage } from './tracked-message.js';
import { WakeUp } from './wake-up.js';

const MESSAGES_PER_SLICE = 500;
const BETWEEN_SLICES_MS = 10;
/** A message is removed at most this part of the retention late. */
const SWEEPS_PER_RETENTION = 64;
const SHORTEST_PERIOD_MS = 1000;

export class RetentionSweep {
  readonly #core: QueueCore;
  readonly #departures: Departures;
  readonly #wakeUp: WakeUp;
  /** Goes through those that are tracked; null between two sweeps. */
  #tracked: IterableIterator<TrackedMessage> | null = null;

  constructor(core: QueueCore, departures: Departures) {
    this.#core = core;
    this.#departures = departures;
    this.#wakeUp = new WakeUp(core.context.clock, () => this.#sweep());
  }

  /** There are messages: they will be looked at in time. */
  ensure(): void {
    if (this.#wakeUp.isSet) return;
    const { nowMs, options } = this.#core;
    this.#wakeUp.ensure(nowMs + Math.max(SHORTEST_PERIOD_MS, Math.ceil(options.retentionMs / SWEEPS_PER_RETENTION)));
  }

  /** What a sweep was looking at is not the queue's any more. */
  reset(): void {
    this.#tracked = null;
  }

  stop(): void {
    this.#wakeUp.stop();
  }

  /** Nothing is removed any more. */
  end(): void {
    this.#wakeUp.end();
  }

  #sweep(): void {
    const { index, nowMs, options } = this.#core;
    const boundary = index.olderThan(nowMs - options.retentionMs);
    const isDone = boundary === 0 || this.#removeOlder(boundary);
    if (index.count === 0) return;
    if (isDone) this.ensure();
    else this.#wakeUp.ensure(nowMs + BETWEEN_SLICES_MS);
  }

  /** @returns false if there may be more */
  #removeOlder(boundary: number): boolean {
    const { index } = this.#core;
    let left = MESSAGES_PER_SLICE;
    for (; left > 0; left--) {
      const lane = index.oldestLane();
      if (lane === null || lane.firstSequence >= boundary) break;
      if (!this.#departures.expireFirst(lane)) return false;
    }
    this.#tracked ??= index.trackedMessages();
    for (; left > 0; left--) {
      const next = this.#tracked.next();
      if (next.done === true) {
        this.#tracked = null;
        return true;
      }
      const message = next.value;
      if (message.sequence >= boundary || message.state === IN_FLIGHT) continue;
      // What has to be read first is looked at again in the next sweep.
      this.#departures.expireTracked(message);
    }
    return false;
  }
}
