/**
 * What one session has subscribed to, by filter as given: topics, shared ones included, and work queues that it takes from while it is
 * connected. Knows what memory that takes, by estimate. Made for the first one: devices that only report have none.
 */
import type { Subscriber } from '../core/subscriber.js';
import type { StoredSubscription } from '../store/catalogue-records.js';
import { indexBytes } from '../topics/index-bytes.js';
import type { Subscription } from '../topics/subscription.js';

export const NO_SUBSCRIPTIONS: ReadonlyMap<string, Subscription<Subscriber>> = new Map();

export class SubscriptionList {
  #toTopics: Map<string, Subscription<Subscriber>> | null = null;
  #toQueues: Map<string, StoredSubscription> | null = null;
  #bytes = 0;

  get toTopics(): ReadonlyMap<string, Subscription<Subscriber>> {
    return this.#toTopics ?? NO_SUBSCRIPTIONS;
  }

  /** Null if there has never been one. */
  get toQueues(): ReadonlyMap<string, StoredSubscription> | null {
    return this.#toQueues;
  }

  get count(): number {
    return this.toTopics.size + (this.#toQueues?.size ?? 0);
  }

  /** Memory that they take, here and in the index. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Of all subscriptions. */
  *filters(): IterableIterator<string> {
    yield* this.toTopics.keys();
    if (this.#toQueues !== null) yield* this.#toQueues.keys();
  }

  /** Lists a subscription, or another in its place. */
  add(filter: string, subscription: Subscription<Subscriber>): void {
    this.#toTopics ??= new Map();
    if (!this.#toTopics.has(filter)) this.#bytes += memoryOf(filter);
    this.#toTopics.set(filter, subscription);
  }

  delete(filter: string): void {
    if (this.#toTopics?.delete(filter) === true) this.#bytes -= memoryOf(filter);
  }

  /** Lists a subscription to a work queue, or another in its place. */
  addQueue(record: StoredSubscription): void {
    this.#toQueues ??= new Map();
    if (!this.#toQueues.has(record.filter)) this.#bytes += memoryOf(record.filter);
    this.#toQueues.set(record.filter, record);
  }

  /** @returns false if there is none */
  deleteQueue(filter: string): boolean {
    if (this.#toQueues?.delete(filter) !== true) return false;
    this.#bytes -= memoryOf(filter);
    return true;
  }

  /** Another one stays within these limits. */
  hasRoomFor(filter: string, maximumCount: number, maximumBytes: number): boolean {
    return this.count < maximumCount && this.#bytes + memoryOf(filter) <= maximumBytes;
  }
}

/** Of a subscription with this filter, bytes. */
function memoryOf(filter: string): number {
  return 2 * filter.length + indexBytes(filter);
}
