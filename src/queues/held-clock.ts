/**
 * A clock that calls nobody until it is released: while a start reads what is stored, no deadline may be acted on, for half of
 * what it concerns is not there yet.
 */
import type { CancelTimer, Clock } from '../core/clock.js';

interface HeldCall {
  readonly dueAtMs: number;
  readonly callback: () => void;
  cancel: CancelTimer | null;
}

export class HeldClock implements Clock {
  readonly #clock: Clock;
  /** null once it has been released. */
  #held: Set<HeldCall> | null = new Set();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  elapsedMs(): number {
    return this.#clock.elapsedMs();
  }

  schedule(delayMs: number, callback: () => void): CancelTimer {
    const held = this.#held;
    if (held === null) return this.#clock.schedule(delayMs, callback);
    const call: HeldCall = { dueAtMs: this.now() + delayMs, callback, cancel: null };
    held.add(call);
    return () => {
      held.delete(call);
      call.cancel?.();
    };
  }

  /** What was scheduled is called when it is due, or soon if that is over. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const call of held) {
      call.cancel = this.#clock.schedule(Math.max(0, call.dueAtMs - this.now()), call.callback);
    }
  }
}
