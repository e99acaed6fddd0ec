/**
 * The exact account of deliveries: which sequence number each stream waits for, and which it has skipped. In order,
 * a delivery costs one comparison. A message that comes after a later one of its publisher is reordered; one that has
 * come before is duplicated; one that has not come when all is quiet is lost.
 */
import type { DeliveryAccount } from './delivery-account.js';

export class DeliveryLedger implements DeliveryAccount {
  readonly #awaited: Uint32Array;
  readonly #skipped = new Map<number, Set<number>>();
  delivered = 0;
  duplicated = 0;
  reordered = 0;
  foreign = 0;

  constructor(streams: number) {
    this.#awaited = new Uint32Array(streams);
  }

  record(stream: number, sequence: number, sent: number): boolean {
    if (sequence === this.#awaited[stream] && sequence < sent) {
      this.#awaited[stream] = sequence + 1;
      this.delivered++;
      return true;
    }
    return this.#recordOutOfOrder(stream, sequence, sent);
  }

  recordForeign(): void {
    this.foreign++;
  }

  /** How many of the `sent` messages of the stream have not come. */
  missing(stream: number, sent: number): number {
    return sent - (this.#awaited[stream] as number) + (this.#skipped.get(stream)?.size ?? 0);
  }

  #recordOutOfOrder(stream: number, sequence: number, sent: number): boolean {
    const awaited = this.#awaited[stream] as number;
    if (sequence >= sent) {
      this.foreign++;
      return false;
    }
    if (sequence > awaited) {
      this.#skip(stream, awaited, sequence);
      this.#awaited[stream] = sequence + 1;
    } else if (this.#skipped.get(stream)?.delete(sequence)) {
      this.reordered++;
    } else {
      this.duplicated++;
      return false;
    }
    this.delivered++;
    return true;
  }

  #skip(stream: number, from: number, to: number): void {
    const skipped = this.#skipped.get(stream) ?? new Set<number>();
    this.#skipped.set(stream, skipped);
    for (let sequence = from; sequence < to; sequence++) skipped.add(sequence);
  }
}
