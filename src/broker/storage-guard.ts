/**
 * Holds publishers back while the store cannot keep up, and refuses what would have to be stored while it cannot store.
 * A publisher that waits here is released when there is room again, and told that it waited in vain after a bound.
 */
import type { DropCounters } from '../core/drop-counters.js';
import type { CongestedReceiver, HeldPublisher } from '../core/publication.js';
import { CallbackTimer, type TimingWheel } from '../core/timing-wheel.js';
import type { Store } from '../store/store.js';

/** A publisher that the store's pressure is felt by: it reads no further. */
class Waiters implements CongestedReceiver {
  readonly hasCaughtUp = true;
  readonly #waiting = new Map<HeldPublisher, number>();
  readonly #mustWait: () => boolean;
  readonly #nowMs: () => number;

  constructor(mustWait: () => boolean, nowMs: () => number) {
    this.#mustWait = mustWait;
    this.#nowMs = nowMs;
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  hold(publisher: HeldPublisher): boolean {
    if (!this.#mustWait()) return false;
    if (!this.#waiting.has(publisher)) this.#waiting.set(publisher, this.#nowMs());
    return true;
  }

  forget(publisher: HeldPublisher): void {
    this.#waiting.delete(publisher);
  }

  releaseAll(): void {
    if (this.#waiting.size === 0 || this.#mustWait()) return;
    const released = [...this.#waiting.keys()];
    this.#waiting.clear();
    for (const publisher of released) publisher.onReleased(false);
  }

  /** Releases those who have waited since `sinceMs` or longer, in vain. */
  giveUpOn(sinceMs: number): void {
    for (const [publisher, heldAtMs] of this.#waiting) {
      if (heldAtMs > sinceMs) continue;
      this.#waiting.delete(publisher);
      publisher.onReleased(true);
    }
  }
}

/** Answers that wait longer than this for a store that does not store end their connections. */
export interface StalledAnswers {
  /** Closes every connection that has an answer waiting. */
  closeWaiting(): void;
}

const LOOK_MS = 1000;

export class StorageGuard {
  /** For publishers whose messages are on their way to the disk: wait until less is. */
  readonly pressure: CongestedReceiver;
  /** For publishers that cannot be told that nothing is stored: wait until it is again. */
  readonly outage: CongestedReceiver;
  readonly #store: Store;
  readonly #drops: DropCounters;
  readonly #wheel: TimingWheel;
  readonly #failureTimeoutMs: number;
  readonly #answers: StalledAnswers;
  readonly #pressed: Waiters;
  readonly #refused: Waiters;
  readonly #timer = new CallbackTimer(() => this.#look());
  #isLooking = false;

  constructor(
    store: Store,
    drops: DropCounters,
    wheel: TimingWheel,
    failureTimeoutMs: number,
    answers: StalledAnswers,
  ) {
    this.#store = store;
    this.#drops = drops;
    this.#wheel = wheel;
    this.#failureTimeoutMs = failureTimeoutMs;
    this.#answers = answers;
    const nowMs = (): number => wheel.nowMs;
    this.#pressed = new Waiters(() => store.isCongested, nowMs);
    this.#refused = new Waiters(() => !this.isAccepting, nowMs);
    this.pressure = this.#pressed;
    this.outage = this.#refused;
    store.onHealthChanged(() => this.#onHealthChanged());
  }

  /** What has to be stored is taken. */
  get isAccepting(): boolean {
    return this.#store.health.state === 'ok';
  }

  get isCongested(): boolean {
    return this.#store.isCongested;
  }

  /** A message was not taken, or not retained, because nothing can be stored. */
  countRefusal(): void {
    this.#drops.count('storage-unavailable');
  }

  /** The publisher is gone. */
  forget(publisher: HeldPublisher): void {
    this.#pressed.forget(publisher);
    this.#refused.forget(publisher);
  }

  /** More has been stored. */
  onSettled(): void {
    this.#pressed.releaseAll();
  }

  stop(): void {
    this.#wheel.cancel(this.#timer);
  }

  #onHealthChanged(): void {
    if (this.isAccepting) this.#refused.releaseAll();
    else if (!this.#isLooking) this.#lookLater();
  }

  #lookLater(): void {
    this.#isLooking = true;
    this.#wheel.arm(this.#timer, this.#wheel.nowMs + LOOK_MS);
  }

  #look(): void {
    this.#isLooking = false;
    const { health } = this.#store;
    if (health.state === 'ok') return;
    const longAgoMs = this.#wheel.nowMs - this.#failureTimeoutMs;
    this.#refused.giveUpOn(longAgoMs);
    if (health.state === 'failing') {
      this.#pressed.giveUpOn(longAgoMs);
      if (health.sinceMs <= longAgoMs) this.#answers.closeWaiting();
    }
    this.#lookLater();
  }
}
