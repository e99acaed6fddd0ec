/** The one place that counts messages that somebody did not get. */
import { DROP_REASONS, type DropReason } from './drop-reason.js';

export class DropCounters {
  readonly #counts = new Map<DropReason, number>(DROP_REASONS.map((reason) => [reason, 0]));

  count(reason: DropReason, messages = 1): void {
    this.#counts.set(reason, this.of(reason) + messages);
  }

  of(reason: DropReason): number {
    return this.#counts.get(reason) ?? 0;
  }

  get total(): number {
    let total = 0;
    for (const count of this.#counts.values()) total += count;
    return total;
  }

  entries(): IterableIterator<[DropReason, number]> {
    return this.#counts.entries();
  }
}
