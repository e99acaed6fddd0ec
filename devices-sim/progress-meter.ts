/** Reads the ledger against the clock: what a display shows of a run at this moment. */
import type { Clock } from './clock.js';
import type { Ledger } from './ledger.js';
import type { Progress } from './progress.js';

/** The rate is that of the last second or so, which shows a stall where an average would hide it. */
const RATE_WINDOW_MS = 1000;

export class ProgressMeter {
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  readonly #planned: number | undefined;
  readonly #startedAtMs: number;
  #samples: { readonly atMs: number; readonly delivered: number }[];

  /** The run starts now. @param planned readings of the whole run, undefined when it has no end */
  constructor(ledger: Ledger, clock: Clock, planned: number | undefined) {
    this.#ledger = ledger;
    this.#clock = clock;
    this.#planned = planned;
    this.#startedAtMs = clock.now();
    this.#samples = [{ atMs: this.#startedAtMs, delivered: 0 }];
  }

  read(): Progress {
    const now = this.#clock.now();
    const { sent, received } = this.#ledger.totals();
    return {
      elapsedSeconds: (now - this.#startedAtMs) / 1000,
      planned: this.#planned,
      sent,
      delivered: received,
      deliveredPerSecond: this.#rateUpTo(now, received),
      p50Ms: this.#ledger.latency.quantileMs(0.5),
      p99Ms: this.#ledger.latency.quantileMs(0.99),
    };
  }

  #rateUpTo(nowMs: number, delivered: number): number {
    // the newest sample that is a full window old stays, as the start of the window
    while (this.#samples.length > 1 && (this.#samples[1]?.atMs ?? nowMs) <= nowMs - RATE_WINDOW_MS) {
      this.#samples.shift();
    }
    const oldest = this.#samples[0] ?? { atMs: this.#startedAtMs, delivered: 0 };
    this.#samples.push({ atMs: nowMs, delivered });
    const seconds = (nowMs - oldest.atMs) / 1000;
    return seconds > 0 ? (delivered - oldest.delivered) / seconds : 0;
  }
}
