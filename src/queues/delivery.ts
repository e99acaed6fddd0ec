/** A message as a consumer gets it. What few consumers ask for is decoded when it is asked for. */
import type { Message } from '../core/message.js';
import type { WorkReceipt } from '../core/work-source.js';
import { decodeEntry, idOf, type MessageEntry } from './entry-codec.js';
import type { ReceiptHandles } from './receipt-handle.js';
import type { TrackedMessage } from './tracked-message.js';

export class Delivery implements WorkReceipt {
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
