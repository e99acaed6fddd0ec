/**
 * Keeps requests from a target that cannot take them, so that its messages wait in the queue and are not used up by attempts in vain.
 *
 *   up ──so many failures in a row──▶ down ──the wait is over──▶ probing ──delivered──▶ up
 *    ├──asked to wait──▶ paused ──it is over──────────────────────▲  │
 *    └──gone──▶ gone ──an hour is over────────────────────────────┘  └── failed: down, twice as long
 *
 * While it waits no request begins; when it is probing, one at a time does.
 */
import type { Clock } from '../../core/clock.js';
import { WakeUp } from '../../queues/wake-up.js';

export const TARGET_STATES = ['up', 'probing', 'paused', 'down', 'gone'] as const;
export type TargetState = (typeof TARGET_STATES)[number];

export interface BreakerOptions {
  /** Failures in a row from which on the target counts as down. */
  readonly failures: number;
  /** Until the first probe; then twice as long each time. */
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
}

/** Long enough for somebody who has taken the target away, and for somebody who has not, short enough. */
export const GONE_WAIT_MS = 3_600_000;

export class CircuitBreaker {
  readonly #options: BreakerOptions;
  readonly #clock: Clock;
  readonly #onProbing: () => void;
  readonly #wakeUp: WakeUp;
  #state: TargetState = 'up';
  #failuresInARow = 0;
  /** How often a probe has failed. */
  #failedProbes = 0;
  #waitsUntilMs = 0;

  /** @param onProbing called when a wait is over */
  constructor(options: BreakerOptions, clock: Clock, onProbing: () => void) {
    this.#options = options;
    this.#clock = clock;
    this.#onProbing = onProbing;
    this.#wakeUp = new WakeUp(clock, () => this.#onWaitOver());
  }

  get state(): TargetState {
    return this.#state;
  }

  /** Nothing may begin. */
  get isWaiting(): boolean {
    return this.#state === 'paused' || this.#state === 'down' || this.#state === 'gone';
  }

  /** How many requests may begin now. @param inFlight those that have @param most at one time */
  roomFor(inFlight: number, most: number): number {
    if (this.#state === 'up') return Math.max(0, most - inFlight);
    return this.#state === 'probing' && inFlight === 0 ? 1 : 0;
  }

  /** What is told of requests that began before a wait did does not end the wait. */
  onDelivered(): void {
    if (this.isWaiting) return;
    this.#state = 'up';
    this.#failuresInARow = 0;
    this.#failedProbes = 0;
  }

  onFailed(): void {
    if (this.isWaiting) return;
    this.#failuresInARow++;
    if (this.#state === 'probing') this.#failedProbes++;
    else if (this.#failuresInARow < this.#options.failures) return;
    const { firstWaitMs, longestWaitMs } = this.#options;
    this.#wait('down', Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(this.#failedProbes, 40)));
  }

  /** The target wants to be left alone for so long. */
  onThrottled(pauseMs: number): void {
    if (!this.isWaiting) this.#wait('paused', pauseMs);
    else if (this.#state === 'paused' && this.#clock.now() + pauseMs > this.#waitsUntilMs)
      this.#wait('paused', pauseMs);
  }

  /** The target is there no longer, and says so. */
  onGone(): void {
    if (this.#state !== 'gone') this.#wait('gone', GONE_WAIT_MS);
  }

  stop(): void {
    this.#wakeUp.stop();
  }

  #wait(state: TargetState, waitMs: number): void {
    this.#state = state;
    this.#waitsUntilMs = this.#clock.now() + waitMs;
    this.#wakeUp.stop();
    this.#wakeUp.ensure(this.#waitsUntilMs);
  }

  #onWaitOver(): void {
    if (this.#clock.now() < this.#waitsUntilMs) {
      this.#wakeUp.ensure(this.#waitsUntilMs);
      return;
    }
    this.#state = 'probing';
    this.#onProbing();
  }
}
