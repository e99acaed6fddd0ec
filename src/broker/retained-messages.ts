/**
 * The retained message of each topic (section 3.3.1.3), within limits of number and bytes. A message that would pass
 * them is delivered and not retained, and counted.
 */
import type { DropCounters } from '../core/drop-counters.js';
import type { Message } from '../core/message.js';
import type { Publication } from '../core/publication.js';
import type { Journal } from '../store/journal.js';
import { indexBytes } from '../topics/index-bytes.js';
import type { RetainedCursor } from '../topics/retained-cursor.js';
import { RetainedIndex } from '../topics/retained-index.js';
import type { TopicFilter } from '../topics/topic-filter.js';

export class RetainedMessages {
  readonly #index = new RetainedIndex<Message>();
  readonly #journal: Journal;
  readonly #drops: DropCounters;
  readonly #maximumMessages: number;
  readonly #maximumBytes: number;
  #bytes = 0;

  constructor(journal: Journal, drops: DropCounters, maximumMessages: number, maximumBytes: number) {
    this.#journal = journal;
    this.#drops = drops;
    this.#maximumMessages = maximumMessages;
    this.#maximumBytes = maximumBytes;
  }

  get size(): number {
    return this.#index.size;
  }

  /** Bytes that they take, with what the index takes for them. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Applies a PUBLISH with RETAIN to its topic, and notes the ticket in it. */
  store(publication: Publication): void {
    const { message } = publication;
    const previous = this.#index.get(message.topic);
    // [MQTT-3.3.1-6] [MQTT-3.3.1-7]
    if (message.payloadStart === message.payloadEnd) {
      if (previous === undefined) return;
      this.#remove(previous);
      this.#note(publication, this.#journal.retainedRemoved(message.topic));
      return;
    }
    const bytes = this.#bytes - (previous === undefined ? 0 : memoryOf(previous)) + memoryOf(message);
    const count = this.size + (previous === undefined ? 1 : 0);
    if (count > this.#maximumMessages || bytes > this.#maximumBytes) {
      this.#drops.count('retained-limit');
      return;
    }
    const kept = publication.keep();
    kept.compact();
    this.#index.set(message.topic, kept); // [MQTT-3.3.1-5]
    this.#bytes = bytes;
    this.#note(publication, this.#journal.retainedSaved(kept));
  }

  /** Takes over a stored message, whatever the limits say now. */
  restore(message: Message): void {
    this.#index.set(message.topic, message);
    this.#bytes += memoryOf(message);
  }

  /** A search for what a new subscription to `filter` brings; {@link check} what it finds. */
  search(filter: TopicFilter): RetainedCursor<Message> {
    return this.#index.match(filter);
  }

  /** @returns false for a message that has expired; it is taken out */
  check(message: Message, nowMs: number): boolean {
    if (!message.isExpired(nowMs)) return true;
    this.#expire(message);
    return false;
  }

  #expire(message: Message): void {
    if (this.#index.get(message.topic) !== message) return;
    this.#remove(message);
    this.#journal.retainedRemoved(message.topic);
    this.#drops.count('expired');
  }

  #remove(message: Message): void {
    this.#index.delete(message.topic);
    this.#bytes -= memoryOf(message);
  }

  #note(publication: Publication, ticket: number): void {
    if (ticket > publication.ticket) publication.ticket = ticket;
  }
}

function memoryOf(message: Message): number {
  return message.byteLength + indexBytes(message.topic);
}
