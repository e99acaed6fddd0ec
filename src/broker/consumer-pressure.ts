/**
 * The publishers that wait for one slow client. They wait until it has caught up, or for the grace time: a client that
 * has not caught up by then counts as stalled and nobody waits for it any more, so that it slows nobody down. What it
 * does not read then gathers up to the hard limit, which closes it.
 *
 * The grace time begins when the client falls behind, not when somebody begins to wait for it: of hundreds of clients
 * that stall together, all are known after one grace time.
 */
import type { HeldPublisher } from '../core/publication.js';
import { CallbackTimer, type TimingWheel } from '../core/timing-wheel.js';

export class ConsumerPressure {
  readonly #wheel: TimingWheel;
  readonly #graceMs: number;
  readonly #timer = new CallbackTimer(() => this.#onGraceOver());
  #waiting: HeldPublisher[] = [];
  #isBehind = false;
  #hasCaughtUp = false;
  #isStalled = false;

  constructor(wheel: TimingWheel, graceMs: number) {
    this.#wheel = wheel;
    this.#graceMs = graceMs;
  }

  get isStalled(): boolean {
    return this.#isStalled;
  }

  /** It was behind before, and waiting for it was worth it. */
  get hasCaughtUp(): boolean {
    return this.#hasCaughtUp;
  }

  /** The client has fallen behind: its grace time begins, unless it has already. */
  begin(): void {
    if (this.#isBehind) return;
    this.#isBehind = true;
    this.#wheel.arm(this.#timer, this.#wheel.nowMs + this.#graceMs);
  }

  /** @returns false if the client is not waited for */
  hold(publisher: HeldPublisher): boolean {
    if (!this.#isBehind || this.#isStalled) return false;
    this.#waiting.push(publisher);
    return true;
  }

  /** The client has caught up, or is gone. */
  release(): void {
    if (!this.#isBehind) return;
    this.#isBehind = false;
    this.#isStalled = false;
    this.#hasCaughtUp = true;
    this.#wheel.cancel(this.#timer);
    this.#letGo(false);
  }

  #onGraceOver(): void {
    this.#isStalled = true;
    this.#letGo(true);
  }

  #letGo(inVain: boolean): void {
    const released = this.#waiting;
    this.#waiting = [];
    for (const publisher of released) publisher.onReleased(inVain);
  }
}
