/**
 * Receives that wait. Those that may be given something stand in the order in which they came: a linked list, so that one that is taken
 * back goes at once. Those of consumers that have no room, or not their turn in an exclusive queue, stand aside until they may.
 */
import type { Consumer } from './consumer.js';
import type { Receive } from './receive.js';

const NONE: readonly Receive[] = [];

export class Waiters {
  readonly #isExclusive: () => boolean;
  #first: Receive | null = null;
  #last: Receive | null = null;
  #listed = 0;
  readonly #aside = new Map<Consumer, Receive[]>();
  /** Of an exclusive queue: who has it. */
  #active: Consumer | null = null;

  /** @param isExclusive asked each time: it may be configured anew */
  constructor(isExclusive: () => boolean) {
    this.#isExclusive = isExclusive;
  }

  /** Those that may be given something. */
  get listed(): number {
    return this.#listed;
  }

  /** All of them. */
  get length(): number {
    let aside = 0;
    for (const receives of this.#aside.values()) aside += receives.length;
    return this.#listed + aside;
  }

  get first(): Receive | null {
    return this.#first;
  }

  /** @returns false if it stands aside, or waits for nothing */
  add(receive: Receive): boolean {
    const { consumer } = receive.options;
    // Nobody in particular cannot have a queue to himself: he waits for nothing.
    if (consumer === undefined && this.#isExclusive()) return false;
    if (consumer === undefined || (receive.room > 0 && this.#mayReceive(consumer))) {
      this.#push(receive);
      return true;
    }
    const aside = this.#aside.get(consumer);
    if (aside === undefined) this.#aside.set(consumer, [receive]);
    else aside.push(receive);
    return false;
  }

  /** Does nothing if it does not wait. */
  remove(receive: Receive): void {
    this.#unlist(receive);
    const { consumer } = receive.options;
    const aside = consumer === undefined ? undefined : this.#aside.get(consumer);
    if (consumer === undefined || aside === undefined) return;
    const others = aside.filter((other) => other !== receive);
    if (others.length === 0) this.#aside.delete(consumer);
    else this.#aside.set(consumer, others);
  }

  /** Takes what stands aside of a consumer that has room, or its turn. */
  takeAside(consumer: Consumer): readonly Receive[] {
    const aside = this.#aside.get(consumer);
    if (aside === undefined) return NONE;
    this.#aside.delete(consumer);
    return aside;
  }

  /** The consumer is gone. @returns of an exclusive queue, the one that waits for it next; null if nobody does */
  onConsumerGone(consumer: Consumer): Consumer | null {
    if (this.#active !== consumer) return null;
    this.#active = null;
    return this.#aside.keys().next().value ?? null;
  }

  /** The first consumer that asks has an exclusive queue until it goes. */
  #mayReceive(consumer: Consumer): boolean {
    if (!this.#isExclusive()) return true;
    this.#active ??= consumer;
    return this.#active === consumer;
  }

  #push(receive: Receive): void {
    receive.isListed = true;
    receive.waiterBefore = this.#last;
    receive.waiterBehind = null;
    if (this.#last === null) this.#first = receive;
    else this.#last.waiterBehind = receive;
    this.#last = receive;
    this.#listed++;
  }

  #unlist(receive: Receive): void {
    if (!receive.isListed) return;
    receive.isListed = false;
    if (receive.waiterBefore === null) this.#first = receive.waiterBehind;
    else receive.waiterBefore.waiterBehind = receive.waiterBehind;
    if (receive.waiterBehind === null) this.#last = receive.waiterBefore;
    else receive.waiterBehind.waiterBefore = receive.waiterBefore;
    receive.waiterBefore = null;
    receive.waiterBehind = null;
    this.#listed--;
  }
}
