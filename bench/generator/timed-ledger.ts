/** A ledger that also notes how long each message was on its way, from the moment it was due. */
import type { DeliveryAccount } from './delivery-account.js';
import { DeliveryLedger } from './delivery-ledger.js';
import type { Stopwatch } from './samples.js';

export class TimedLedger implements DeliveryAccount {
  readonly #ledger: DeliveryLedger;
  readonly #publishers: number;
  readonly #latencies: Stopwatch;
  readonly #fromMs: number;
  readonly #dueAtMs: (number: number) => number;

  /**
   * @param fromMs messages that were due earlier are not timed
   * @param dueAtMs when the message with a number is due, if the publishers send in turn
   */
  constructor(publishers: number, latencies: Stopwatch, fromMs: number, dueAtMs: (number: number) => number) {
    this.#ledger = new DeliveryLedger(publishers);
    this.#publishers = publishers;
    this.#latencies = latencies;
    this.#fromMs = fromMs;
    this.#dueAtMs = dueAtMs;
  }

  get delivered(): number {
    return this.#ledger.delivered;
  }

  get duplicated(): number {
    return this.#ledger.duplicated;
  }

  get reordered(): number {
    return this.#ledger.reordered;
  }

  get foreign(): number {
    return this.#ledger.foreign;
  }

  record(stream: number, sequence: number, sent: number): boolean {
    const isNew = this.#ledger.record(stream, sequence, sent);
    if (isNew) {
      const dueAtMs = this.#dueAtMs(sequence * this.#publishers + stream);
      if (dueAtMs >= this.#fromMs) this.#latencies.add(performance.now() - dueAtMs, dueAtMs);
    }
    return isNew;
  }

  recordForeign(): void {
    this.#ledger.recordForeign();
  }

  missing(stream: number, sent: number): number {
    return this.#ledger.missing(stream, sent);
  }
}
