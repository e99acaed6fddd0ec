/**
 * What one session has subscribed to: topics, shared ones included, and work queues that it takes from while it is connected. Topics
 * are only numbered here, since there may be a million of them: the index finds a session's subscription by its filter. Knows what
 * memory they take, by estimate. Made for the first one: devices that only report have none.
 */
import { PagedList, type ReadonlyPagedList } from '../core/paged-list.js';
import type { Subscriber } from '../core/subscriber.js';
import type { StoredSubscription } from '../store/catalogue-records.js';
import { indexBytes } from '../topics/index-bytes.js';
import type { Subscription } from '../topics/subscription.js';

/** In no particular order. */
export type Subscriptions = ReadonlyPagedList<Subscription<Subscriber>>;

export const NO_SUBSCRIPTIONS: Subscriptions = new PagedList();

export class SubscriptionList {
  /** Each one knows its place. */
  readonly #toTopics = new PagedList<Subscription<Subscriber>>();
  #toQueues: Map<string, StoredSubscription> | null = null;
  #bytes = 0;

  get toTopics(): Subscriptions {
    return this.#toTopics;
  }

  /** By filter as given. Null if there has never been one. */
  get toQueues(): ReadonlyMap<string, StoredSubscription> | null {
    return this.#toQueues;
  }

  get count(): number {
    return this.#toTopics.size + (this.#toQueues?.size ?? 0);
  }

  /** Memory that they take, here and in the index. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Of all subscriptions. */
  *filters(): IterableIterator<string> {
    for (const { filter } of this.#toTopics) yield filter;
    if (this.#toQueues !== null) yield* this.#toQueues.keys();
  }

  /** @param replaced what the session had with this filter, which is listed */
  add(subscription: Subscription<Subscriber>, replaced: Subscription<Subscriber> | undefined): void {
    if (replaced === undefined) this.#bytes += memoryOf(subscription.filter);
    subscription.listedAt = replaced?.listedAt ?? this.#toTopics.size;
    if (replaced === undefined) this.#toTopics.append(subscription);
    else this.#toTopics.replace(replaced.listedAt, subscription);
  }

  /** @param subscription one that is listed */
  delete(subscription: Subscription<Subscriber>): void {
    this.#bytes -= memoryOf(subscription.filter);
    const last = this.#toTopics.takeLast();
    if (last === undefined || last === subscription) return;
    last.listedAt = subscription.listedAt;
    this.#toTopics.replace(last.listedAt, last);
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
