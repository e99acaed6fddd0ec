/**
 * Gives a run up when the broker has stopped moving: no answer, or at the end no delivery, for the user's patience.
 * Without it a broker that loses one acknowledgement would keep the simulator waiting for ever.
 */
import { type Clock, sleep } from './clock.js';
import type { Ledger } from './ledger.js';

const LOOK_EVERY_MS = 50;

export class StallWatch {
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  readonly #stalled = new AbortController();

  constructor(ledger: Ledger, clock: Clock) {
    this.#ledger = ledger;
    this.#clock = clock;
  }

  /** Aborted when the run has stalled. */
  get signal(): AbortSignal {
    return this.#stalled.signal;
  }

  /**
   * While readings are sent: a stall is an unanswered reading and no movement. A reading that was answered and has not
   * arrived is none, since a slow fleet may have its next one due much later.
   */
  async watchAnswers(patienceSeconds: number, over: AbortSignal): Promise<void> {
    const settled = await this.#untilQuiet(patienceSeconds, over, () => {
      const { sent, acknowledged, refused } = this.#ledger.totals();
      return sent > acknowledged + refused;
    });
    if (!settled) this.#stalled.abort();
  }

  /**
   * After the last reading was sent: waits for those under way, and gives them up when none has arrived for
   * `patienceSeconds`, or when `signal` is aborted. What is missing then is in the ledger.
   */
  async untilAllReceived(patienceSeconds: number, signal: AbortSignal | undefined): Promise<void> {
    const over = new AbortController();
    const end = signal === undefined ? over.signal : AbortSignal.any([over.signal, signal]);
    await this.#untilQuiet(patienceSeconds, end, () => {
      if (this.#ledger.totals().missing === 0) over.abort();
      return true;
    });
  }

  /** False when `isWaiting` was true for the whole patience and no number of the ledger changed; true when it is over. */
  async #untilQuiet(patienceSeconds: number, over: AbortSignal, isWaiting: () => boolean): Promise<boolean> {
    let lastMovement = -1;
    let lastMovedAt = this.#clock.now();
    for (;;) {
      const waiting = isWaiting();
      if (over.aborted) return true;
      const { sent, acknowledged, refused, received, duplicated } = this.#ledger.totals();
      const movement = sent + acknowledged + refused + received + duplicated;
      if (movement !== lastMovement || !waiting) {
        lastMovement = movement;
        lastMovedAt = this.#clock.now();
      }
      if (this.#clock.now() - lastMovedAt >= patienceSeconds * 1000) return false;
      await sleep(this.#clock, LOOK_EVERY_MS, over);
    }
  }
}
