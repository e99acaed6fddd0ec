/**
 * Writes down what happens to the messages of one queue, in the commit of the change itself. There is one for each number of a queue, and
 * only while its history is on: who tells it of something asks for null first, and that is all that history costs otherwise.
 * In memory there are but counters, and what left the queue since the last commit.
 */
import type { Clock } from '../../core/clock.js';
import type { Message } from '../../core/message.js';
import { NO_TICKET, type Ticket } from '../../store/ticket.js';
import type { DeadLetterReason, MessageEntry } from '../entry-codec.js';
import type { QueueDropReason } from '../queue-counters.js';
import type { TrackedMessage } from '../tracked-message.js';
import { DepartedMessages } from './departed-messages.js';
import { deliveredEvent, endKey, eventKey, LEFT, messageKey, returnedEvent, termKey } from './history-keys.js';
import type { HistoryLog } from './history-log.js';
import { encodeHistoryMessage } from './history-message.js';
import { termHashes } from './history-term.js';
import {
  encodeAcknowledged,
  encodeDeadLettered,
  encodeDelivered,
  encodeDropped,
  encodeMoved,
  encodeReturned,
  type ReturnReason,
} from './trace-event.js';

/** What a message's rows take beside its content: keys and terms, and both events of a receive. About, as measured. */
const MESSAGE_BYTES = 250;
const RECEIVE_BYTES = 110;

const NO_VALUE = Buffer.alloc(0);

export interface HistoryBookOwner {
  readonly clock: Clock;
  readonly log: HistoryLog;
  /** Tells rows of this process from those of others. */
  readonly processName: string;
  /** It has messages to write when the commit closes. */
  onDeparted(book: HistoryBook): void;
}

export class HistoryBook {
  /** Of the queue: what it writes stands under this. */
  readonly number: number;
  /** Messages with lower numbers came when there was no history: nothing is written of them. */
  readonly sinceSequence: number;
  readonly #owner: HistoryBookOwner;
  readonly #departed = new DepartedMessages();
  readonly #onKept: (messages: number, bytes: number) => void;
  #isAnnounced = false;
  #ends = 0;
  #recorded = 0;

  /** @param onKept told of messages that have left, and are kept from now on */
  constructor(
    number: number,
    sinceSequence: number,
    owner: HistoryBookOwner,
    onKept: (messages: number, bytes: number) => void,
  ) {
    this.number = number;
    this.sinceSequence = sinceSequence;
    this.#owner = owner;
    this.#onKept = onKept;
  }

  /** Messages that it has taken since it was opened. */
  get recorded(): number {
    return this.#recorded;
  }

  /** A message has been stored, and is in the queue. @param ticket none if the message is not to outlive the process */
  onEnqueued(
    sequence: number,
    message: Message,
    entry: MessageEntry,
    entryBytes: Buffer,
    isMoved: boolean,
    ticket: Ticket,
  ): void {
    if (ticket === NO_TICKET || sequence < this.sinceSequence) return;
    const { number } = this;
    const { rows } = this.#owner.log;
    this.#recorded++;
    const nowMs = this.#owner.clock.now();
    rows.put(messageKey(number, sequence), encodeHistoryMessage(nowMs, isMoved, message, number, entryBytes));
    for (const hash of termHashes(message, entry)) rows.put(termKey(hash, number, sequence), NO_VALUE);
  }

  /** The message has been given to somebody; counted already. */
  onDelivered(message: TrackedMessage): void {
    if (message.sequence < this.sinceSequence) return;
    const { generation, holder, attempts } = message;
    const bytes = encodeDelivered(this.#owner.clock.now(), holder?.name ?? '', attempts);
    this.#put(message.sequence, deliveredEvent(generation), bytes);
  }

  /** The message goes back, and its holder has it still; counted already. @param atMs when that was due, if it was */
  onReturned(message: TrackedMessage, reason: ReturnReason, delayMs = 0, atMs = this.#owner.clock.now()): void {
    if (message.sequence < this.sinceSequence) return;
    const { generation, holder, attempts } = message;
    const bytes = encodeReturned(atMs, holder?.name ?? '', reason, delayMs, attempts);
    this.#put(message.sequence, returnedEvent(generation), bytes);
  }

  /** As the next: a message leaves, and its holder has it still. */
  onAcknowledged(message: TrackedMessage): void {
    if (message.sequence < this.sinceSequence) return;
    const bytes = encodeAcknowledged(this.#owner.clock.now(), message.holder?.name ?? '');
    this.#leave(message.sequence, message, message.bytes, bytes);
  }

  /** @param message undefined if it was never received, as in the next ones */
  onDeadLettered(
    sequence: number,
    message: TrackedMessage | undefined,
    bytes: number,
    to: string,
    reason: DeadLetterReason,
  ): void {
    if (sequence < this.sinceSequence) return;
    const event = encodeDeadLettered(this.#owner.clock.now(), message?.holder?.name ?? '', to, reason);
    this.#leave(sequence, message, bytes, event);
  }

  onMoved(sequence: number, message: TrackedMessage | undefined, bytes: number, to: string): void {
    if (sequence < this.sinceSequence) return;
    const event = encodeMoved(this.#owner.clock.now(), message?.holder?.name ?? '', to);
    this.#leave(sequence, message, bytes, event);
  }

  /** @param bytes of the message, about */
  onDropped(sequence: number, message: TrackedMessage | undefined, bytes: number, reason: QueueDropReason): void {
    if (sequence < this.sinceSequence) return;
    const event = encodeDropped(this.#owner.clock.now(), message?.holder?.name ?? '', reason);
    this.#leave(sequence, message, bytes, event);
  }

  /** The commit closes: what has left is written down for the sweep. */
  onCommitClosing(): void {
    this.#isAnnounced = false;
    if (!this.#departed.isEmpty) this.#writeDeparted();
  }

  #leave(sequence: number, message: TrackedMessage | undefined, bytes: number, event: Buffer): void {
    const receives = message?.generation ?? 0;
    this.#put(sequence, LEFT, event);
    this.#departed.add(sequence, receives, Math.max(0, bytes) + MESSAGE_BYTES + receives * RECEIVE_BYTES);
    if (this.#departed.isFull) this.#writeDeparted();
    if (this.#isAnnounced) return;
    this.#isAnnounced = true;
    this.#owner.onDeparted(this);
  }

  #writeDeparted(): void {
    const { clock, log, processName } = this.#owner;
    const { messages, bytes } = this.#departed.totals;
    const unique = `${processName}${(this.#ends++).toString(16).padStart(8, '0')}`;
    log.rows.put(endKey(this.number, clock.now(), unique), this.#departed.take());
    this.#onKept(messages, bytes);
  }

  #put(sequence: number, event: number, bytes: Buffer): void {
    this.#owner.log.rows.put(eventKey(this.number, sequence, event), bytes);
  }
}
