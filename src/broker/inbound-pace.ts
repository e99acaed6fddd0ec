/** Keeps what one client publishes to its rate: reads it later, or ends its connection. */
import { CallbackTimer, type TimingWheel } from '../core/timing-wheel.js';
import type { RateMeter } from './rate-meter.js';

/** The connection. */
export interface PacedInput {
  /** Nothing more is to be read until {@link onRateRecovered}. */
  onRateReached(): void;
  onRateRecovered(): void;
  /** The client has sent more than it may, and its connection is to end. */
  onRateExceeded(): void;
}

export class InboundPace {
  readonly #meter: RateMeter;
  readonly #wheel: TimingWheel;
  readonly #input: PacedInput;
  /** Null if nothing is read later. */
  readonly #timer: CallbackTimer | null;

  /** @param isStrict whoever is above the rate is disconnected */
  constructor(meter: RateMeter, isStrict: boolean, wheel: TimingWheel, input: PacedInput) {
    this.#meter = meter;
    this.#wheel = wheel;
    this.#input = input;
    this.#timer = isStrict ? null : new CallbackTimer((nowMs) => this.#onDue(nowMs));
  }

  /** A message of so many bytes has been handled. */
  spend(bytes: number, nowMs: number): void {
    if (this.#timer === null && !this.#meter.hasRoom(nowMs)) {
      this.#input.onRateExceeded();
      return;
    }
    this.#meter.spend(bytes, nowMs);
    const waitMs = this.#meter.waitMs(nowMs);
    if (this.#timer === null || waitMs === 0) return;
    this.#wheel.arm(this.#timer, nowMs + waitMs);
    this.#input.onRateReached();
  }

  stop(): void {
    if (this.#timer !== null) this.#wheel.cancel(this.#timer);
  }

  #onDue(nowMs: number): void {
    const waitMs = this.#meter.waitMs(nowMs);
    if (waitMs > 0 && this.#timer !== null) this.#wheel.arm(this.#timer, nowMs + waitMs);
    else this.#input.onRateRecovered();
  }
}
