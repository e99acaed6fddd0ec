/**
 * Every subscription of the broker, and who matches a topic. Filters without wildcards stand in a Map by topic, the others
 * in a FilterTree. What is left empty is taken out at once, so memory follows what is subscribed now. Owned by the
 * TopicIndex; `changes` tells those who keep results.
 */
import { FilterTree } from './filter-tree.js';
import { emptyMatch, type MatchResult } from './match-result.js';
import { overlap } from './overlap.js';
import { deliversAlike } from './receiver.js';
import { type Place, pathOf, Subscribers } from './subscribers.js';
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
   * @returns true if there was none
   */
  add(subscription: Subscription<S>): boolean {
    const filter = subscription.topicFilter;
    const isNew =
      filter.shareName === undefined
        ? this.#addOrdinary(filter, subscription)
        : this.#addShared(filter, filter.shareName, subscription);
    if (isNew) this.#size++;
    return isNew;
  }

  /** @returns false if there was no such subscription */
  remove(subscriber: S, filter: TopicFilter): boolean {
    const place = this.#find(filter);
    if (place === null) return false;
    const isGone =
      filter.shareName === undefined
        ? this.#takeOrdinary(place, filter, subscriber)
        : this.#takeShared(place, filter, filter.shareName, subscriber);
    if (isGone) this.#size--;
    return isGone;
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

  #addOrdinary(filter: TopicFilter, subscription: Subscription<S>): boolean {
    const place = this.#offer(filter, subscription);
    const known = place?.find(subscription.subscriber);
    if (place !== null) this.#put(filter, place, Subscribers.with(place, subscription));
    if (known === undefined || !deliversAlike(known, subscription)) this.changes.record(filter);
    return known === undefined;
  }

  #addShared(filter: TopicFilter, shareName: string, subscription: Subscription<S>): boolean {
    const place = this.#find(filter);
    const subscribers = place instanceof Subscribers ? place : Subscribers.of(place, ownText(filter.path));
    let group = subscribers.findGroup(shareName);
    if (group === undefined) {
      group = subscribers.openGroup(shareName, filter.filter);
      this.#put(filter, place, subscribers);
      this.changes.record(filter);
    }
    const isNew = group.add(subscription);
    if (isNew) this.#sharedSize++;
    return isNew;
  }

  #takeOrdinary(place: Place<S>, filter: TopicFilter, subscriber: S): boolean {
    if (place.find(subscriber) === undefined) return false;
    this.#put(filter, place, Subscribers.without(place, subscriber));
    this.changes.record(filter);
    return true;
  }

  #takeShared(place: Place<S>, filter: TopicFilter, shareName: string, subscriber: S): boolean {
    const group = place instanceof Subscribers ? place.findGroup(shareName) : undefined;
    if (group === undefined || !group.remove(subscriber)) return false;
    this.#sharedSize--;
    if (group.memberCount === 0) {
      this.#put(filter, place, Subscribers.withoutGroup(place as Subscribers<S>, shareName));
      this.changes.record(filter);
    }
    return true;
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
