/**
 * The retained message of each topic (section 3.3.1.3), within limits of number and bytes. A message that would pass
 * them is refused, or delivered and not retained if its publisher cannot be told, or the one that was set longest ago
 * makes room; each is counted. Those that have expired make room first. What the broker says of itself does not count.
 */
import type { DropCounters } from '../core/drop-counters.js';
import type { Message } from '../core/message.js';
import type { Publication } from '../core/publication.js';
import type { Journal } from '../store/journal.js';
import { indexBytes } from '../topics/index-bytes.js';
import type { RetainedCursor } from '../topics/retained-cursor.js';
import { RetainedIndex } from '../topics/retained-index.js';
import type { TopicFilter } from '../topics/topic-filter.js';
import type { RetainedOverflowPolicy } from './broker-options.js';
import { isReservedTopic } from './reserved-topic.js';
import { RetainedExpiry } from './retained-expiry.js';
import { RetainedPages } from './retained-pages.js';

export interface RetainedLimits {
  readonly maximumMessages: number;
  readonly maximumBytes: number;
  readonly overflow: RetainedOverflowPolicy;
}

export class RetainedMessages {
  readonly #index = new RetainedIndex<Message>();
  readonly #journal: Journal;
  readonly #drops: DropCounters;
  readonly #limits: RetainedLimits;
  readonly #isStorable: (topic: string) => boolean;
  /** Topics in the order in which they were set, while the one that was set first may have to go. */
  readonly #order: Set<string> | null;
  readonly #expiry = new RetainedExpiry();
  readonly #pages = new RetainedPages((message) => this.#index.get(message.topic) === message);
  #bytes = 0;
  /** Of topics of the broker's own, such as `$SYS/…`. */
  #reserved = 0;
  #reservedBytes = 0;

  /** @param isStorable what is retained on the topic can be stored at present, or need not be */
  constructor(journal: Journal, drops: DropCounters, limits: RetainedLimits, isStorable: (topic: string) => boolean) {
    this.#journal = journal;
    this.#drops = drops;
    this.#limits = limits;
    this.#isStorable = isStorable;
    this.#order = limits.overflow === 'drop-oldest' ? new Set() : null;
  }

  get size(): number {
    return this.#index.size;
  }

  /** Bytes that they take, with what the index takes for them. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether the limits leave room for a PUBLISH with RETAIN; if not, that is counted. What has expired makes room. */
  admits(message: Message): boolean {
    if (message.payloadStart === message.payloadEnd) return true;
    for (;;) {
      if (this.#order === null ? this.#hasRoomFor(message) : this.#canHaveRoomFor(message)) return true;
      const expired = this.#findExpired(message.arrivedAtMs);
      if (expired === undefined) break;
      this.#expire(expired);
    }
    this.#drops.count('retained-limit');
    return false;
  }

  /** Applies a PUBLISH with RETAIN to its topic, and notes the ticket in it. */
  store(publication: Publication): void {
    const { message } = publication;
    if (!isReservedTopic(message.topic) && !this.#isStorable(message.topic)) {
      this.#drops.count('storage-unavailable');
      return;
    }
    const previous = this.#index.get(message.topic);
    // [MQTT-3.3.1-6] [MQTT-3.3.1-7]
    if (message.payloadStart === message.payloadEnd) {
      if (previous === undefined) return;
      this.#remove(previous);
      this.#note(publication, this.#journal.retainedRemoved(message.topic));
      return;
    }
    if (!this.#makeRoom(message)) {
      this.#drops.count('retained-limit');
      return;
    }
    const kept = publication.keep();
    const replaced = this.#index.get(kept.topic); // What was there may have made room.
    if (replaced !== undefined) this.#remove(replaced);
    this.#add(kept); // [MQTT-3.3.1-5]
    // What the broker says of itself is said anew after a restart.
    if (!isReservedTopic(kept.topic)) this.#note(publication, this.#journal.retainedSaved(kept));
  }

  /** Takes over a stored message, whatever the limits say now. {@link finishRestore} follows. */
  restore(message: Message): void {
    this.#add(message);
  }

  /** Everything stored has been taken over, in the order of the topics' names: brings back that of their age. */
  finishRestore(): void {
    if (this.#order === null) return;
    const messages = [...this.#order].map((topic) => this.#index.get(topic) as Message);
    messages.sort((a, b) => a.arrivedAtMs - b.arrivedAtMs);
    this.#order.clear();
    for (const { topic } of messages) this.#order.add(topic);
  }

  /** Takes out no more than it has to, the expired ones first. @returns false if the message would pass the limits */
  #makeRoom(message: Message): boolean {
    while (!this.#hasRoomFor(message)) {
      const expired = this.#findExpired(message.arrivedAtMs);
      if (expired !== undefined) {
        this.#expire(expired);
        continue;
      }
      const oldest = this.#canHaveRoomFor(message) ? this.#oldestBut(message.topic) : undefined;
      if (oldest === undefined) return false;
      this.#remove(oldest);
      this.#journal.retainedRemoved(oldest.topic);
      this.#drops.count('retained-limit');
    }
    return true;
  }

  /** It would have room if it was the only one. */
  #canHaveRoomFor(message: Message): boolean {
    const { maximumMessages, maximumBytes } = this.#limits;
    return maximumMessages > 0 && memoryOf(message) <= maximumBytes;
  }

  #hasRoomFor(message: Message): boolean {
    if (isReservedTopic(message.topic)) return true;
    const { maximumMessages, maximumBytes } = this.#limits;
    const previous = this.#index.get(message.topic);
    const added = memoryOf(message) - (previous === undefined ? 0 : memoryOf(previous));
    const addedCount = previous === undefined ? 1 : 0;
    const isFew = this.size - this.#reserved + addedCount <= maximumMessages;
    return isFew && this.#bytes - this.#reservedBytes + added <= maximumBytes;
  }

  #findExpired(nowMs: number): Message | undefined {
    const { earliest } = this.#expiry;
    return earliest?.isExpired(nowMs) === true ? earliest : undefined;
  }

  #oldestBut(topic: string): Message | undefined {
    for (const candidate of this.#order ?? []) if (candidate !== topic) return this.#index.get(candidate);
    return undefined;
  }

  /** False if nothing matches the filter; true where it takes a search to know. */
  mayMatch(filter: TopicFilter): boolean {
    return this.#index.mayMatch(filter);
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

  #add(message: Message): void {
    this.#index.set(message.topic, message);
    this.#pages.take(message);
    if (message.expiresAtMs !== 0) this.#expiry.add(message);
    this.#count(message, 1);
    if (!isReservedTopic(message.topic)) this.#order?.add(message.topic);
  }

  #remove(message: Message): void {
    this.#index.delete(message.topic);
    this.#pages.release(message);
    this.#order?.delete(message.topic);
    this.#expiry.remove(message);
    this.#count(message, -1);
  }

  #count(message: Message, sign: 1 | -1): void {
    const bytes = sign * memoryOf(message);
    this.#bytes += bytes;
    if (!isReservedTopic(message.topic)) return;
    this.#reserved += sign;
    this.#reservedBytes += bytes;
  }

  #note(publication: Publication, ticket: number): void {
    if (ticket > publication.ticket) publication.ticket = ticket;
  }
}

function memoryOf(message: Message): number {
  return message.byteLength + indexBytes(message.topic);
}
