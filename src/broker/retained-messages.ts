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
import { RetainedIndex } from '../topics/retained-index.js';
import type { TopicFilter } from '../topics/topic-filter.js';
import type { RetainedOverflowPolicy } from './broker-options.js';
import { isReservedTopic } from './reserved-topic.js';
import { RetainedExpiry } from './retained-expiry.js';
import { RetainedPages } from './retained-pages.js';
import { type Row, rowLengthFor } from './retained-row.js';
import { RetainedSearch } from './retained-search.js';

export interface RetainedLimits {
  readonly maximumMessages: number;
  readonly maximumBytes: number;
  readonly overflow: RetainedOverflowPolicy;
}

export class RetainedMessages {
  readonly #pages = new RetainedPages((row) => this.#onMoved(row));
  readonly #index = new RetainedIndex<Row>(this.#pages);
  readonly #journal: Journal;
  readonly #drops: DropCounters;
  readonly #limits: RetainedLimits;
  readonly #isStorable: (topic: string) => boolean;
  /** Topics in the order in which they were set, while the one that was set first may have to go. */
  readonly #order: Set<string> | null;
  readonly #expiry = new RetainedExpiry(this.#pages);
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
    // [MQTT-3.3.1-6] [MQTT-3.3.1-7]
    if (message.payloadStart === message.payloadEnd) {
      if (!this.#remove(message.topic)) return;
      this.#note(publication, this.#journal.retainedRemoved(message.topic));
      return;
    }
    if (!this.#makeRoom(message)) {
      this.#drops.count('retained-limit');
      return;
    }
    const kept = this.#set(message); // [MQTT-3.3.1-5]
    // What the broker says of itself is said anew after a restart.
    if (isReservedTopic(message.topic)) return;
    this.#note(publication, this.#journal.retainedSaved(kept));
  }

  /** Takes over a stored message, whatever the limits say now. {@link finishRestore} follows. */
  restore(message: Message): void {
    this.#set(message);
  }

  /** Everything stored has been taken over, in the order of the topics' names: brings back that of their age. */
  finishRestore(): void {
    if (this.#order === null) return;
    const topics = [...this.#order].map((topic) => {
      return { topic, arrivedAtMs: this.#pages.arrivedAtMs(this.#index.get(topic) as Row) };
    });
    topics.sort((a, b) => a.arrivedAtMs - b.arrivedAtMs);
    this.#order.clear();
    for (const { topic } of topics) this.#order.add(topic);
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
      this.#journal.retainedRemoved(oldest);
      this.#drops.count('retained-limit');
    }
    return true;
  }

  /** It would have room if it was the only one. */
  #canHaveRoomFor(message: Message): boolean {
    const { maximumMessages, maximumBytes } = this.#limits;
    return maximumMessages > 0 && memoryOf(rowLengthFor(message), message.topic) <= maximumBytes;
  }

  #hasRoomFor(message: Message): boolean {
    if (isReservedTopic(message.topic)) return true;
    const { maximumMessages, maximumBytes } = this.#limits;
    const count = this.size - this.#reserved;
    const bytes = this.#bytes - this.#reservedBytes + memoryOf(rowLengthFor(message), message.topic);
    if (count < maximumMessages && bytes <= maximumBytes) return true;
    const previous = this.#index.get(message.topic);
    if (previous === undefined || count > maximumMessages) return false;
    return bytes - memoryOf(this.#pages.bytesOf(previous), message.topic) <= maximumBytes;
  }

  #findExpired(nowMs: number): Row | undefined {
    const { earliest } = this.#expiry;
    return earliest !== undefined && this.#isExpired(earliest, nowMs) ? earliest : undefined;
  }

  #isExpired(row: Row, nowMs: number): boolean {
    const expiresAtMs = this.#pages.expiresAtMs(row);
    return expiresAtMs !== 0 && nowMs >= expiresAtMs;
  }

  /** The topic that was set longest ago. */
  #oldestBut(topic: string): string | undefined {
    for (const candidate of this.#order ?? []) if (candidate !== topic) return candidate;
    return undefined;
  }

  /** False if nothing matches the filter; true where it takes a search to know. */
  mayMatch(filter: TopicFilter): boolean {
    return this.#index.mayMatch(filter);
  }

  /** A search for what a new subscription to `filter` brings; {@link check} what it finds. */
  search(filter: TopicFilter): RetainedSearch {
    return new RetainedSearch(this.#index.match(filter), this.#pages);
  }

  /** @returns false for a message that has expired; it is taken out */
  check(message: Message, nowMs: number): boolean {
    if (!message.isExpired(nowMs)) return true;
    const row = this.#index.get(message.topic);
    if (row !== undefined && this.#isExpired(row, nowMs)) this.#expire(row);
    return false;
  }

  #expire(row: Row): void {
    const topic = this.#pages.topicOf(row);
    this.#remove(topic);
    this.#journal.retainedRemoved(topic);
    this.#drops.count('expired');
  }

  /** @returns the message as it is kept, which may be held on to */
  #set(message: Message): Message {
    const { topic } = message;
    const row = this.#pages.add(message);
    // At once: to let go of another row may move this one.
    const kept = this.#pages.read(row);
    const replaced = this.#index.set(topic, row);
    if (message.expiresAtMs !== 0) this.#expiry.add(row);
    this.#count(topic, this.#pages.bytesOf(row), 1);
    if (replaced !== undefined) this.#release(topic, replaced);
    if (this.#order !== null && !isReservedTopic(topic)) {
      this.#order.delete(topic);
      this.#order.add(topic);
    }
    return kept;
  }

  /** @returns false if there was nothing */
  #remove(topic: string): boolean {
    const row = this.#index.delete(topic);
    if (row === undefined) return false;
    this.#order?.delete(topic);
    this.#release(topic, row);
    return true;
  }

  /** The row is not in the index any more. */
  #release(topic: string, row: Row): void {
    this.#count(topic, this.#pages.bytesOf(row), -1);
    if (this.#pages.expiresAtMs(row) !== 0) this.#expiry.remove(row);
    this.#pages.release(row);
  }

  #onMoved(row: Row): void {
    this.#index.set(this.#pages.topicOf(row), row);
    if (this.#pages.expiresAtMs(row) !== 0) this.#expiry.onMoved(row);
  }

  #count(topic: string, rowLength: number, sign: 1 | -1): void {
    const bytes = sign * memoryOf(rowLength, topic);
    this.#bytes += bytes;
    if (!isReservedTopic(topic)) return;
    this.#reserved += sign;
    this.#reservedBytes += bytes;
  }

  #note(publication: Publication, ticket: number): void {
    if (ticket > publication.ticket) publication.ticket = ticket;
  }
}

function memoryOf(rowLength: number, topic: string): number {
  return rowLength + indexBytes(topic);
}
