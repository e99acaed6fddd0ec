/**
 * Receipts: what those get who want to know what became of a message. They leave when whatever is being done with queues has been
 * done: whoever is called may do anything, and what it records stands in the commit of what it tells.
 */
import type { Receipt } from './tracked-message.js';

/** `dead-letter`: nobody could work on it. */
export type ReceiptResult = 'done' | 'dead-letter';

export interface ReceiptNotice extends Receipt {
  readonly queue: string;
  readonly result: ReceiptResult;
}

export class Receipts {
  readonly #onReceipt: (notice: ReceiptNotice) => void;
  #waiting: ReceiptNotice[] = [];

  constructor(onReceipt: (notice: ReceiptNotice) => void) {
    this.#onReceipt = onReceipt;
  }

  add(queue: string, { id, receiptTo }: Receipt, result: ReceiptResult): void {
    this.#waiting.push({ queue, id, receiptTo, result });
  }

  /** Nothing is half done. */
  send(): void {
    while (this.#waiting.length > 0) {
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const notice of waiting) this.#onReceipt(notice);
    }
  }
}
