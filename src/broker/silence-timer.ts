/**
 * Notices a connection that says nothing: before CONNECT, and by its keep alive afterwards. Input does not touch the
 * timer; it is moved on when it fires and something has been heard since.
 */
import { type TimingWheel, WheelTimer } from '../core/timing-wheel.js';

/** The connection that is listened to. */
export interface Talker {
  /** When something was last heard, ms. */
  heardAtMs(nowMs: number): number;
  onSilence(): void;
}

export class SilenceTimer extends WheelTimer {
  readonly #talker: Talker;
  readonly #wheel: TimingWheel;
  #limitMs: number;

  /** @param limitMs longest silence from now on */
  constructor(talker: Talker, wheel: TimingWheel, limitMs: number) {
    super();
    this.#talker = talker;
    this.#wheel = wheel;
    this.#limitMs = limitMs;
    wheel.arm(this, wheel.nowMs + limitMs);
  }

  /** Changes the longest silence; 0 allows any. */
  setLimit(limitMs: number): void {
    this.#limitMs = limitMs;
    if (limitMs === 0) this.stop();
    else this.#wheel.arm(this, this.#wheel.nowMs + limitMs);
  }

  stop(): void {
    this.#wheel.cancel(this);
  }

  override onDue(nowMs: number): void {
    const endsAtMs = this.#talker.heardAtMs(nowMs) + this.#limitMs;
    if (endsAtMs > nowMs) this.#wheel.arm(this, endsAtMs);
    else this.#talker.onSilence();
  }
}
