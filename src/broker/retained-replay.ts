/**
 * The retained messages that a SUBSCRIBE brings, sent piece by piece: as many as the client takes, and no more than a
 * slice in one turn, however many there are and however far apart they lie.
 */
import type { Message } from '../core/message.js';
import type { DeliveryOptions } from '../core/subscriber.js';
import type { RetainedSearch } from './retained-search.js';

/** Messages of one slice: some hundred microseconds. */
const SLICE_MESSAGES = 256;

export interface ReplayTarget {
  /** The client takes more. */
  readonly canTakeRetained: boolean;
  /** Sends it, unless it has expired. */
  sendRetained(message: Message, options: DeliveryOptions): void;
}

export class RetainedReplay {
  /** The filter of the subscription, as given. */
  readonly filter: string;
  readonly #found: RetainedSearch;
  #options: DeliveryOptions;
  #exceptPublisher: string | undefined;

  /** @param exceptPublisher a client id whose messages are left out (No Local) */
  constructor(filter: string, found: RetainedSearch, options: DeliveryOptions, exceptPublisher: string | undefined) {
    this.filter = filter;
    this.#found = found;
    this.#options = options;
    this.#exceptPublisher = exceptPublisher;
  }

  /** What is left to be sent is sent as the other one would: its subscription has replaced that of this. */
  follow(other: RetainedReplay): void {
    this.#options = other.#options;
    this.#exceptPublisher = other.#exceptPublisher;
  }

  /** Everything has been sent. */
  get isDone(): boolean {
    return this.#found.done;
  }

  /** Sends the next slice. @param most steps that the search may take, from one message to the next @returns those left */
  advance(target: ReplayTarget, most: number): number {
    let steps = most;
    for (let sent = 0; sent < SLICE_MESSAGES && steps > 0 && target.canTakeRetained; sent++) {
      const message = this.#found.find(steps);
      steps = this.#found.stepsLeft;
      if (message === undefined) break;
      if (message.publisherId !== this.#exceptPublisher) target.sendRetained(message, this.#options);
    }
    return steps;
  }
}
