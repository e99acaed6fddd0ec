/**
 * Every subscription of the broker, and who matches a topic. Filters without wildcards stand in a Map by topic, the others
 * in a FilterTree. What is left empty is taken out at once, so memory follows what is subscribed now. Owned by the
 * TopicIndex; `changes` tells those who keep results.
 */
import { FilterTree } from './filter-tree.js';
import { emptyMatch, type MatchResult } from './match-result.js';
import { overlap } from './overlap.js';
import { deliversAlike } from './receiver.js';
import type { SharedGroup } from './shared-group.js';
import { type Place, pathOf, Subscribers, subscriptionIn } from './subscribers.js';
import type { Subscription } from './subscription.js';
import { SubscriptionChanges } from './subscription-changes.js';
import type { TopicFilter } from './topic-filter.js';
import { ownText } from './topic-text.js';

export class SubscriptionTrie<S extends object> {
  /** Counts each change that could change a result. */
  readonly changes = new SubscriptionChanges();
  readonly #exact = new Map<string, Place<S>>();
  readonly #wild = new FilterTree<S>();
  #size = 0;
  #sharedSize = 0;

  /** What matched, kept between matches. */
  readonly #matched: (Place<S> | null)[] = [];

  /** Number of subscriptions, shared ones included. */
  get size(): number {
    return this.#size;
  }

  /** Number of shared subscriptions. */
  get sharedSize(): number {
    return this.#sharedSize;
  }

  /** Whether nothing is left of what has been subscribed to, nodes included. */
  get isEmpty(): boolean {
    return this.#exact.size === 0 && this.#wild.isEmpty;
  }

  /**
   * [MQTT-3.8.4-3] A subscription of the same subscriber to the same filter is replaced.
   *
   * @returns the one that it has replaced
   */
  add(subscription: Subscription<S>): Subscription<S> | undefined {
    const filter = subscription.topicFilter;
    const replaced =
      filter.shareName === undefined
        ? this.#addOrdinary(filter, subscription)
        : this.#addShared(filter, filter.shareName, subscription);
    if (replaced === undefined) this.#size++;
    return replaced;
  }

  /** The subscription to this very text. It need not be a valid filter: then nobody subscribed to it. */
  find(subscriber: S, filter: TopicFilter): Subscription<S> | undefined {
    return subscriptionIn(this.#find(filter), filter, subscriber);
  }

  /** Takes out what {@link find} finds, and returns it. */
  take(subscriber: S, filter: TopicFilter): Subscription<S> | undefined {
    const place = this.#find(filter);
    const found = subscriptionIn(place, filter, subscriber);
    if (place === null || found === undefined) return undefined;
    if (filter.shareName === undefined) {
      this.#put(filter, place, Subscribers.without(place, subscriber));
      this.changes.record(filter);
    } else this.#takeShared(place as Subscribers<S>, filter, filter.shareName, subscriber);
    this.#size--;
    return found;
  }

  /** Who gets a message on `topic`, a valid topic name; nothing is cached here but what {@link Subscribers} keep. */
  match(topic: string): MatchResult<S> {
    let count = 0;
    const exact = this.#exact.get(topic);
    if (exact !== undefined) this.#matched[count++] = exact;
    count = this.#wild.collect(topic, this.#matched, count);
    if (count === 0) return emptyMatch();
    const matched = this.#matched as Place<S>[];
    const result = count === 1 ? (matched[0] as Place<S>).result : overlap(matched, count);
    // What is kept for the next walk must not keep ended sessions alive.
    for (let at = 0; at < count; at++) this.#matched[at] = null;
    return result;
  }

  #addOrdinary(filter: TopicFilter, subscription: Subscription<S>): Subscription<S> | undefined {
    const place = this.#offer(filter, subscription);
    const known = subscriptionIn(place, filter, subscription.subscriber);
    if (place !== null) this.#put(filter, place, Subscribers.with(place, subscription));
    if (known === undefined || !deliversAlike(known, subscription)) this.changes.record(filter);
    return known;
  }

  #addShared(filter: TopicFilter, shareName: string, subscription: Subscription<S>): Subscription<S> | undefined {
    const place = this.#find(filter);
    const subscribers = place instanceof Subscribers ? place : Subscribers.of(place, ownText(filter.path));
    let group = subscribers.findGroup(shareName);
    if (group === undefined) {
      group = subscribers.openGroup(shareName, filter.filter);
      this.#put(filter, place, subscribers);
      this.changes.record(filter);
    }
    const known = subscriptionIn(subscribers, filter, subscription.subscriber);
    group.add(subscription);
    if (known === undefined) this.#sharedSize++;
    return known;
  }

  #takeShared(place: Subscribers<S>, filter: TopicFilter, shareName: string, subscriber: S): void {
    const group = place.findGroup(shareName) as SharedGroup<S>;
    group.remove(subscriber);
    this.#sharedSize--;
    if (group.memberCount > 0) return;
    this.#put(filter, place, Subscribers.withoutGroup(place, shareName));
    this.changes.record(filter);
  }

  /** Who subscribed to the filter's path. */
  #find({ path, hasWildcard }: TopicFilter): Place<S> | null {
    return hasWildcard ? this.#wild.find(path) : (this.#exact.get(path) ?? null);
  }

  /** Puts the subscription there if nobody is. @returns who is there */
  #offer({ path, hasWildcard }: TopicFilter, subscription: Subscription<S>): Place<S> | null {
    if (hasWildcard) return this.#wild.offer(path, subscription);
    const known = this.#exact.get(path);
    if (known === undefined) this.#exact.set(path, subscription);
    return known ?? null;
  }

  /** Puts `place` where `earlier` has been; null for nobody. */
  #put({ path, hasWildcard }: TopicFilter, earlier: Place<S> | null, place: Place<S> | null): void {
    if (place === earlier) return;
    if (hasWildcard) {
      if (place === null) this.#wild.delete(path);
      else this.#wild.put(path, place);
    } else if (place === null) this.#exact.delete(path);
    else this.#exact.set(pathOf(place), place);
  }
}
