/**
 * The publishers that wait for one slow client. They wait until it has caught up, or for the grace time: a client that
 * has not caught up by then counts as stalled and nobody waits for it any more, so that it slows nobody down. What it
 * does not read then gathers up to the hard limit, which closes it.
 */
import type { HeldPublisher } from '../core/publication.js';
import { CallbackTimer, type TimingWheel } from '../core/timing-wheel.js';

export class ConsumerPressure {
  readonly #wheel: TimingWheel;
  readonly #graceMs: number;
  readonly #timer = new CallbackTimer(() => this.#onGraceOver());
  #waiting: HeldPublisher[] = [];
  #isStalled = false;

  constructor(wheel: TimingWheel, graceMs: number) {
    this.#wheel = wheel;
    this.#graceMs = graceMs;
  }

  get isStalled(): boolean {
    return this.#isStalled;
  }

  /** @returns false if the client is not waited for */
  hold(publisher: HeldPublisher): boolean {
    if (this.#isStalled) return false;
    if (this.#waiting.length === 0) this.#wheel.arm(this.#timer, this.#wheel.nowMs + this.#graceMs);
    this.#waiting.push(publisher);
    return true;
  }

  /** The client has caught up, or is gone. */
  release(): void {
    this.#isStalled = false;
    this.#letGo();
  }

  #onGraceOver(): void {
    this.#isStalled = true;
    this.#letGo();
  }

  #letGo(): void {
    this.#wheel.cancel(this.#timer);
    const released = this.#waiting;
    this.#waiting = [];
    for (const publisher of released) publisher.onReleased();
  }
}
