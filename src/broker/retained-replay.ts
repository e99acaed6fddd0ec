/**
 * The retained messages that a SUBSCRIBE brings, sent piece by piece: as many as the client takes, and no more than a
 * slice in one turn, however many there are.
 */
import type { Message } from '../core/message.js';
import type { DeliveryOptions } from '../core/subscriber.js';

/** Messages of one slice: some hundred microseconds. */
const SLICE = 256;

export interface ReplayTarget {
  /** The client takes more. */
  readonly canTakeRetained: boolean;
  sendRetained(message: Message, options: DeliveryOptions): void;
}

export class RetainedReplay {
  readonly #messages: Iterator<Message>;
  readonly #options: DeliveryOptions;
  /** Messages of this publisher are left out (No Local), if it is not undefined. */
  readonly #exceptPublisher: string | undefined;

  constructor(messages: Iterator<Message>, options: DeliveryOptions, exceptPublisher: string | undefined) {
    this.#messages = messages;
    this.#options = options;
    this.#exceptPublisher = exceptPublisher;
  }

  /** Sends the next slice. @returns true once everything has been sent */
  advance(target: ReplayTarget): boolean {
    for (let sent = 0; sent < SLICE && target.canTakeRetained; sent++) {
      const next = this.#messages.next();
      if (next.done === true) return true;
      if (next.value.publisherId !== this.#exceptPublisher) target.sendRetained(next.value, this.#options);
    }
    return false;
  }
}
