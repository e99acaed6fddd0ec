/** A message as a consumer gets it. What few consumers ask for is decoded when it is asked for. */
import type { Message } from '../core/message.js';
import { decodeEntry, idOf, type MessageEntry } from './entry-codec.js';
import type { ReceiptHandles } from './receipt-handle.js';
import type { TrackedMessage } from './tracked-message.js';

/** One receive of one message, as {@link Queue.acknowledgeDelivery} and its like want it named. */
export interface DeliveryName {
  readonly queueNumber: number;
  readonly sequence: number;
  /** Tells this receive from others of the message. */
  readonly generation: number;
}

export class Delivery implements DeliveryName {
  readonly message: Message;
  readonly queueNumber: number;
  readonly sequence: number;
  /** Receives that count, this one included. */
  readonly attempt: number;
  readonly generation: number;
  readonly firstReceivedAtMs: number;
  readonly #entryBytes: Buffer;
  readonly #handles: ReceiptHandles;
  #entry: MessageEntry | null = null;

  constructor(
    message: Message,
    entryBytes: Buffer,
    tracked: TrackedMessage,
    queueNumber: number,
    handles: ReceiptHandles,
  ) {
    this.message = message;
    this.queueNumber = queueNumber;
    this.sequence = tracked.sequence;
    this.attempt = tracked.attempts;
    this.generation = tracked.generation;
    this.firstReceivedAtMs = tracked.firstReceivedAtMs;
    this.#entryBytes = entryBytes;
    this.#handles = handles;
  }

  /** Of the message, without the rest of its entry. @throws DamagedQueueRecord */
  get id(): string {
    return this.#entry?.id ?? idOf(this.#entryBytes);
  }

  /** Id, times, group, attributes, origin. @throws DamagedQueueRecord */
  get entry(): MessageEntry {
    this.#entry ??= decodeEntry(this.#entryBytes);
    return this.#entry;
  }

  /** What names this receive in {@link Queue.acknowledge} and its like. */
  get receiptHandle(): string {
    return this.#handles.encode(this.queueNumber, this.sequence, this.generation);
  }
}
