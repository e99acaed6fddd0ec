/**
 * What workers have got, all together: each message of each publisher once, and those of a group in the order in which they were
 * published. Messages of a queue go to several workers, so that only within its group a message can come too late.
 */
import { DeliveryLedger } from './delivery-ledger.js';
import type { WorkAccount } from './worker.js';

export interface WorkSender {
  readonly sent: number;
  onDelivered(sequence: number): void;
}

export class WorkLedger implements WorkAccount {
  readonly #ledger: DeliveryLedger;
  readonly #senders: readonly WorkSender[];
  /** By group: sequence number of the next message that may come. */
  readonly #next: Uint32Array;
  #reordered = 0;
  #background = 0;

  constructor(senders: readonly WorkSender[], groups: number) {
    this.#ledger = new DeliveryLedger(senders.length);
    this.#senders = senders;
    this.#next = new Uint32Array(groups);
  }

  get delivered(): number {
    return this.#ledger.delivered;
  }

  get duplicated(): number {
    return this.#ledger.duplicated;
  }

  get reordered(): number {
    return this.#reordered;
  }

  /** Messages that are in no group of ours. */
  get background(): number {
    return this.#background;
  }

  get lost(): number {
    return this.#senders.reduce((sum, { sent }, publisher) => sum + this.#ledger.missing(publisher, sent), 0);
  }

  onMessage(publisher: number, sequence: number, group: number): void {
    const sender = group < this.#next.length ? this.#senders[publisher] : undefined;
    if (sender === undefined) {
      this.#background++;
      return;
    }
    if (!this.#ledger.record(publisher, sequence, sender.sent)) return;
    if (sequence < (this.#next[group] as number)) this.#reordered++;
    else this.#next[group] = sequence + 1;
    sender.onDelivered(sequence);
  }
}
