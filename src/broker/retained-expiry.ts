/**
 * Retained messages that expire, the earliest first: a binary heap that knows where each of them stands, so that one that
 * is replaced leaves at once and takes its bytes with it. Kept by RetainedMessages.
 */
import type { Message } from '../core/message.js';

export class RetainedExpiry {
  readonly #heap: Message[] = [];
  readonly #places = new Map<Message, number>();

  /** The one that expires first. */
  get earliest(): Message | undefined {
    return this.#heap[0];
  }

  /** @param message one that expires, and is not here yet */
  add(message: Message): void {
    this.#heap.push(message);
    this.#rise(message, this.#heap.length - 1);
  }

  /** Nothing happens if it is not here. */
  remove(message: Message): void {
    const place = this.#places.get(message);
    if (place === undefined) return;
    this.#places.delete(message);
    const last = this.#heap.pop() as Message;
    if (last === message) return;
    this.#sink(last, place);
    this.#rise(last, this.#places.get(last) as number);
  }

  #rise(message: Message, from: number): void {
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = this.#heap[parent] as Message;
      if (above.expiresAtMs <= message.expiresAtMs) break;
      this.#put(above, place);
      place = parent;
    }
    this.#put(message, place);
  }

  #sink(message: Message, from: number): void {
    let place = from;
    for (;;) {
      let child = 2 * place + 1;
      if (this.#at(child + 1) < this.#at(child)) child++;
      if (this.#at(child) >= message.expiresAtMs) break;
      this.#put(this.#heap[child] as Message, place);
      place = child;
    }
    this.#put(message, place);
  }

  #at(place: number): number {
    return this.#heap[place]?.expiresAtMs ?? Number.POSITIVE_INFINITY;
  }

  #put(message: Message, place: number): void {
    this.#heap[place] = message;
    this.#places.set(message, place);
  }
}
