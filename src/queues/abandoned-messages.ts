/**
 * Messages of queues that were purged or deleted: that is on record, so that their references only have to be let go, which is done
 * a slice at a time.
 */
import type { Clock } from '../core/clock.js';
import type { QueueLog } from './queue-log.js';
import { WakeUp } from './wake-up.js';

const MESSAGES_PER_SLICE = 2000;
const BETWEEN_SLICES_MS = 5;

interface Abandoned {
  readonly queue: number;
  readonly sequences: Iterator<number>;
}

export class AbandonedMessages {
  readonly #clock: Clock;
  readonly #log: QueueLog;
  readonly #wakeUp: WakeUp;
  readonly #abandoned: Abandoned[] = [];

  constructor(clock: Clock, log: QueueLog) {
    this.#clock = clock;
    this.#log = log;
    this.#wakeUp = new WakeUp(clock, () => this.#forgetSome());
  }

  /** Queues whose messages have not all been let go. */
  get queues(): number {
    return this.#abandoned.length;
  }

  add(queue: number, sequences: Iterator<number>): void {
    this.#abandoned.push({ queue, sequences });
    this.#wakeUp.ensure(this.#clock.now() + BETWEEN_SLICES_MS);
  }

  stop(): void {
    this.#wakeUp.stop();
  }

  #forgetSome(): void {
    for (let left = MESSAGES_PER_SLICE; left > 0; left--) {
      const first = this.#abandoned[0];
      if (first === undefined) return;
      const next = first.sequences.next();
      if (next.done === true) this.#abandoned.shift();
      else this.#log.forget(first.queue, next.value);
    }
    this.#wakeUp.ensure(this.#clock.now() + BETWEEN_SLICES_MS);
  }
}
