/** An open loop: messages that are due at even distances, whatever becomes of those before. */
import type { Stopwatch } from './samples.js';

export interface OpenLoopSender {
  /** @returns false when nothing was sent */
  offerMessage(dueAtMs: number): boolean;
}

/** What happens when all that was due is sent: the loop spins, or it leaves its core to others for about a millisecond. */
export type Waiting = 'spins' | 'sleeps';

/** Sends every message that has become due, over and over, and lets the sockets have their turn in between. */
export class Pace {
  readonly #publishers: readonly OpenLoopSender[];
  readonly #lateness: Stopwatch;
  readonly #waiting: Waiting;
  readonly #intervalMs: number;
  readonly #begunAtMs = performance.now();
  #due = 0;
  #refused = 0;

  constructor(
    messagesPerSecond: number,
    publishers: readonly OpenLoopSender[],
    lateness: Stopwatch,
    waiting: Waiting = 'spins',
  ) {
    this.#waiting = waiting;
    this.#publishers = publishers;
    this.#lateness = lateness;
    this.#intervalMs = 1000 / messagesPerSecond;
  }

  get sent(): number {
    return this.#due - this.#refused;
  }

  get refused(): number {
    return this.#refused;
  }

  /** When the message with this number is due, counted over all senders. */
  dueAtMs(number: number): number {
    return this.#begunAtMs + number * this.#intervalMs;
  }

  until(endMs: number): Promise<void> {
    return new Promise((resolve) => {
      const turn = (): void => {
        const now = performance.now();
        this.#sendDue(Math.min(now, endMs));
        if (now >= endMs) resolve();
        else if (this.#waiting === 'spins') setImmediate(turn);
        else setTimeout(turn, 1);
      };
      turn();
    });
  }

  #sendDue(now: number): void {
    for (;;) {
      const dueAtMs = this.dueAtMs(this.#due);
      if (dueAtMs >= now) return;
      const publisher = this.#publishers[this.#due % this.#publishers.length] as OpenLoopSender;
      if (!publisher.offerMessage(dueAtMs)) this.#refused++;
      this.#due++;
      this.#lateness.add(performance.now() - dueAtMs, dueAtMs);
    }
  }
}
