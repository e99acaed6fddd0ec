/**
 * How messages come into a queue: checked, compared with the deduplication window, given room, and placed once the log has given them a
 * number. A message for several queues is admitted by each, stored once, and placed in each.
 */
import { createHash } from 'node:crypto';
import type { Message } from '../core/message.js';
import type { Ticket } from '../store/ticket.js';
import type { DeduplicationWindow } from './deduplication-window.js';
import type { Departures } from './departures.js';
import { encodeEntry, type MessageEntry } from './entry-codec.js';
import type { LastValues } from './last-values.js';
import type { QueueCore } from './queue-core.js';
import type { RefusalReason } from './queue-counters.js';

/** How a message goes into a queue; what is left out is decided by the queue. */
export interface EnqueueOptions {
  readonly id?: string;
  readonly group?: string;
  /** 0 to 9, higher first. */
  readonly priority?: number;
  readonly delayMs?: number;
  readonly deduplicationId?: string;
  readonly key?: string;
  readonly attributes?: readonly (readonly [name: string, value: string])[];
  /** Whom to tell what became of it, if the queue gives receipts; see {@link MessageEntry}. */
  readonly receiptTo?: string;
}

/** What became of a message; not to be told to anybody before `ticket` is settled. */
export type EnqueueOutcome =
  | { readonly status: 'enqueued'; readonly id: string; readonly sequence: number; readonly ticket: Ticket }
  /** It was enqueued before, under this id. */
  | { readonly status: 'duplicate'; readonly id: string; readonly ticket: Ticket }
  | { readonly status: 'refused'; readonly reason: RefusalReason };

/** A message that the queue takes, before it is stored. */
export interface Admission {
  readonly status: 'admitted';
  readonly entry: MessageEntry;
  readonly bytes: Buffer;
  /** From another queue: it is no duplicate of itself. */
  readonly isMoved: boolean;
  readonly admittedAtMs: number;
}

const HIGHEST_PRIORITY = 9;
const LONGEST_DELAY_MS = 366 * 86_400_000;

export class Intake {
  readonly #core: QueueCore;
  readonly #departures: Departures;
  readonly #window: DeduplicationWindow;
  readonly #lastValues: LastValues;

  constructor(core: QueueCore, departures: Departures, window: DeduplicationWindow, lastValues: LastValues) {
    this.#core = core;
    this.#departures = departures;
    this.#window = window;
    this.#lastValues = lastValues;
  }

  /** Decides; what is admitted has to be placed before anything else is. */
  admit(message: Message, options: EnqueueOptions): Admission | EnqueueOutcome {
    const { nowMs, counters, context, rates } = this.#core;
    rates.update(nowMs);
    const deduplicationId = this.#deduplicationIdOf(message, options);
    if (deduplicationId !== '') {
      const known = this.#window.find(deduplicationId, nowMs);
      if (known !== undefined) {
        counters.duplicates++;
        return { status: 'duplicate', id: known.messageId, ticket: known.ticket };
      }
    }
    const { priority = 0, delayMs = this.#core.options.delayMs } = options;
    if (!isWholeUpTo(priority, HIGHEST_PRIORITY)) return this.#refuse('invalid-priority');
    if (!isWholeUpTo(delayMs, LONGEST_DELAY_MS)) return this.#refuse('invalid-delay');
    // Without its id on record a second message with it would be enqueued, too.
    if (deduplicationId !== '' && !this.#window.hasRoom(nowMs)) return this.#refuse('deduplication-full');
    const entry: MessageEntry = {
      id: options.id ?? context.ids.next(),
      enqueuedAtMs: nowMs,
      group: options.group ?? '',
      priority,
      delayedUntilMs: delayMs === 0 ? 0 : nowMs + delayMs,
      deduplicationId,
      key: options.key ?? '',
      attributes: options.attributes ?? [],
      receiptTo: options.receiptTo ?? '',
      origin: null,
    };
    return this.#admitEntry(message, entry, false, nowMs);
  }

  /** A message that comes from another queue. @returns null if there is no room for it */
  admitMoved(message: Message, entry: MessageEntry): Admission | null {
    const admission = this.#admitEntry(message, entry, true, this.#core.nowMs);
    return admission.status === 'admitted' ? admission : null;
  }

  /** The message has been stored: it can be received from now on, or from its time on. */
  place(
    { entry, bytes, isMoved, admittedAtMs }: Admission,
    message: Message,
    sequence: number,
    ticket: Ticket,
  ): EnqueueOutcome {
    const { index, counters } = this.#core;
    const size = message.byteLength + bytes.length;
    this.#core.onRecorded(ticket);
    if (entry.delayedUntilMs > admittedAtMs) {
      const tracked = index.addTracked(sequence, entry.group, entry.priority, entry.enqueuedAtMs, size);
      index.postpone(tracked, entry.delayedUntilMs);
    } else index.addWaiting(sequence, entry.group, entry.priority, entry.enqueuedAtMs, size);
    counters.enqueued++;
    this.#core.history?.onEnqueued(sequence, message, entry, bytes, isMoved, ticket);
    if (this.#isCompacted(entry)) this.#lastValues.onPlaced(entry, sequence, isMoved);
    if (entry.deduplicationId !== '' && !isMoved && this.#isDeduplicating) {
      this.#core.onRecorded(this.#window.add(entry.deduplicationId, entry.id, admittedAtMs));
    }
    return { status: 'enqueued', id: entry.id, sequence, ticket: this.#core.lastTicket };
  }

  #admitEntry(
    message: Message,
    entry: MessageEntry,
    isMoved: boolean,
    admittedAtMs: number,
  ): Admission | EnqueueOutcome {
    const { options } = this.#core;
    if (message.payloadEnd - message.payloadStart > options.maxMessageBytes) return this.#refuse('message-too-large');
    const bytes = encodeEntry(entry);
    // What it takes the place of leaves with it.
    const isReplacing = this.#isCompacted(entry) && this.#lastValues.hasIdle(entry.key);
    if (isReplacing && this.#departures.isMoving) return this.#refuse('queue-full');
    if (!this.#departures.makeRoom(message.byteLength + bytes.length, isReplacing ? 1 : 0))
      return this.#refuse('queue-full');
    return { status: 'admitted', entry, bytes, isMoved, admittedAtMs };
  }

  #isCompacted({ key }: MessageEntry): boolean {
    return key !== '' && this.#core.options.compactBy === 'key';
  }

  get #isDeduplicating(): boolean {
    return this.#core.options.deduplication.by !== 'none';
  }

  #deduplicationIdOf(message: Message, options: EnqueueOptions): string {
    const { by } = this.#core.options.deduplication;
    if (by === 'none') return '';
    if (options.deduplicationId !== undefined) return options.deduplicationId;
    return by === 'content' ? createHash('sha256').update(message.payload).digest('base64url') : '';
  }

  #refuse(reason: RefusalReason): EnqueueOutcome {
    this.#core.counters.refuse(reason);
    return { status: 'refused', reason };
  }
}

function isWholeUpTo(value: number, most: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value <= most;
}
