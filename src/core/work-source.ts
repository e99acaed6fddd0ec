/**
 * Where consumers take work from, as the broker sees it: queues of which it knows no more than this. A consumer asks for messages and is
 * given them as its own, until it says what has become of each, or goes.
 */
import type { Message } from './message.js';

/** Where a dead letter comes from. */
export interface WorkOrigin {
  readonly queue: string;
  readonly reason: string;
  /** Receives there. */
  readonly receives: number;
  /** 0 if it never failed. */
  readonly firstFailedAtMs: number;
  readonly lastFailedAtMs: number;
}

/** One giving of a message to a consumer, without anything of the message: enough to say what has become of it. */
export interface WorkReceipt {
  readonly queueNumber: number;
  readonly sequence: number;
  /** Tells this giving from others of the message. */
  readonly generation: number;
}

/** A message that a consumer has been given. Who keeps it for long keeps what it needs of it: the content takes memory. */
export interface WorkDelivery extends WorkReceipt {
  readonly message: Message;
  /** Of the message; the same as in the entry, without reading the rest of that. */
  readonly id: string;
  /** How often it has been given to somebody, this time included. */
  readonly attempt: number;
  readonly firstReceivedAtMs: number;
  readonly entry: {
    readonly id: string;
    readonly enqueuedAtMs: number;
    /** Empty for none, as the key. */
    readonly group: string;
    readonly key: string;
    readonly attributes: readonly (readonly [name: string, value: string])[];
    readonly origin: WorkOrigin | null;
  };
}

/** Whoever asks for work. */
export interface WorkReceiver {
  /** What was asked for, and may be called while it is being asked for. That each has been given is on disk. */
  onWork(deliveries: readonly WorkDelivery[]): void;
}

export interface WorkConsumer {
  /** Messages that it should have at most, and the time that it should have one as its oldest; they may change. */
  readonly prefetch: number;
  readonly acknowledgementTimeoutMs: number | null;
  /** What it has said so far is on disk when this ticket is settled. */
  readonly lastTicket: number;
  /** Asks for up to `max` messages, as soon as there are some. Does nothing while it is asking. */
  request(max: number): void;
  /** Asks no more: what was on its way to it goes back. */
  cancelRequest(): void;
  /** The work is done. @returns false if it was somebody else's by now, or gone */
  acknowledge(receipt: WorkReceipt): boolean;
  /** It comes back, when the queue thinks fit or after `delayMs`. @param isCounted false if the consumer could not even try */
  refuse(receipt: WorkReceipt, isCounted: boolean, delayMs?: number): boolean;
  /** Nobody can work on it. */
  reject(receipt: WorkReceipt): boolean;
  /** The consumer is gone: what it has goes back at once. @param isAbnormal it was given in vain, and that counts */
  close(isAbnormal: boolean): void;
}

export interface WorkSource {
  has(queue: string): boolean;
  /**
   * @param name of the consumer, for those who look at the queue
   * @returns a consumer that takes from the queue whenever there is one of that name
   */
  open(queue: string, name: string, receiver: WorkReceiver): WorkConsumer;
}
