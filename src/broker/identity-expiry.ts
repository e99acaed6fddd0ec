/** Ends a connection when the credentials run out that its client has shown. One timer, for those that do run out. */
import { type TimingWheel, WheelTimer } from '../core/timing-wheel.js';

export class IdentityExpiry extends WheelTimer {
  readonly #wheel: TimingWheel;
  readonly #onExpired: () => void;

  constructor(wheel: TimingWheel, onExpired: () => void) {
    super();
    this.#wheel = wheel;
    this.#onExpired = onExpired;
  }

  /** @param expiresAtMs on the wheel's clock; Infinity for never */
  setEnd(expiresAtMs: number): void {
    if (expiresAtMs === Number.POSITIVE_INFINITY) this.stop();
    else this.#wheel.arm(this, expiresAtMs);
  }

  stop(): void {
    this.#wheel.cancel(this);
  }

  override onDue(): void {
    this.#onExpired();
  }
}
