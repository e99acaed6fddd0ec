/**
 * Lets MQTT 3 publishers wait for room in a work queue, since they cannot be told that their message is refused. Nobody says when
 * there is room: they try again now and then, and give up after a bound.
 */
import type { CongestedReceiver, HeldPublisher } from '../core/publication.js';
import { CallbackTimer, type TimingWheel } from '../core/timing-wheel.js';

const TRY_AGAIN_MS = 500;

export class QueueRoom implements CongestedReceiver {
  readonly hasCaughtUp = true;
  readonly #wheel: TimingWheel;
  readonly #timeoutMs: number;
  /** Since when each has been waiting, its tries included. */
  readonly #since = new Map<HeldPublisher, number>();
  #waiting = new Set<HeldPublisher>();
  /** Were let go last time: who is not waiting again by the next time has got through. */
  #trying = new Set<HeldPublisher>();
  readonly #timer = new CallbackTimer(() => this.#letTry());

  constructor(wheel: TimingWheel, timeoutMs: number) {
    this.#wheel = wheel;
    this.#timeoutMs = timeoutMs;
  }

  hold(publisher: HeldPublisher): boolean {
    if (this.#waiting.size + this.#trying.size === 0) this.#armTimer();
    if (!this.#since.has(publisher)) this.#since.set(publisher, this.#wheel.nowMs);
    this.#waiting.add(publisher);
    return true;
  }

  /** The publisher is gone. */
  forget(publisher: HeldPublisher): void {
    this.#since.delete(publisher);
    this.#waiting.delete(publisher);
    this.#trying.delete(publisher);
  }

  stop(): void {
    this.#wheel.cancel(this.#timer);
  }

  #letTry(): void {
    for (const publisher of this.#trying) if (!this.#waiting.has(publisher)) this.#since.delete(publisher);
    const released = this.#waiting;
    this.#waiting = new Set();
    this.#trying = new Set(released);
    if (released.size > 0) this.#armTimer();
    const longAgoMs = this.#wheel.nowMs - this.#timeoutMs;
    for (const publisher of released) publisher.onReleased((this.#since.get(publisher) ?? 0) <= longAgoMs);
  }

  #armTimer(): void {
    this.#wheel.arm(this.#timer, this.#wheel.nowMs + TRY_AGAIN_MS);
  }
}
