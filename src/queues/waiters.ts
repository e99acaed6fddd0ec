/** Receives that wait for a message, in the order in which they came: a linked list, so that one that is taken back goes at once. */
import type { Receive } from './receive.js';

export class Waiters {
  #first: Receive | null = null;
  #last: Receive | null = null;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get first(): Receive | null {
    return this.#first;
  }

  push(receive: Receive): void {
    receive.isListed = true;
    receive.waiterBefore = this.#last;
    receive.waiterBehind = null;
    if (this.#last === null) this.#first = receive;
    else this.#last.waiterBehind = receive;
    this.#last = receive;
    this.#length++;
  }

  /** One that is not listed is left alone. */
  remove(receive: Receive): void {
    if (!receive.isListed) return;
    receive.isListed = false;
    if (receive.waiterBefore === null) this.#first = receive.waiterBehind;
    else receive.waiterBefore.waiterBehind = receive.waiterBehind;
    if (receive.waiterBehind === null) this.#last = receive.waiterBefore;
    else receive.waiterBehind.waiterBefore = receive.waiterBefore;
    receive.waiterBefore = null;
    receive.waiterBehind = null;
    this.#length--;
  }
}
