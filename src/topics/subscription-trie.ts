/**
 * Every subscription of the broker, and who matches a topic. Filters without wildcards stand in a Map by topic; the
 * others in two tries, one for filters whose first level begins with `$`. What is left empty is taken out at once, so
 * memory follows what is subscribed now. Owned by the TopicIndex; `changes` tells those who keep results.
 *
 * A match visits only nodes that agree with the topic so far: its cost follows the number of matching filters and
 * levels, not the number of subscriptions. All walks are loops: a filter may have as many levels as it likes.
 */
import { FilterNode } from './filter-node.js';
import { emptyMatch, type MatchResult } from './match-result.js';
import { overlap } from './overlap.js';
import { deliversAlike } from './receiver.js';
import { type Place, Subscribers } from './subscribers.js';
import type { Subscription } from './subscription.js';
import { SubscriptionChanges } from './subscription-changes.js';
import type { TopicFilter } from './topic-filter.js';
import { startsWithDollar } from './topic-name.js';
import { isWildcard, levelEnd, ownText } from './topic-text.js';

export class SubscriptionTrie<S extends object> {
  /** Counts each change that could change a result. */
  readonly changes = new SubscriptionChanges();
  readonly #exact = new Map<string, Place<S>>();
  readonly #root = new FilterNode<S>('', null);
  readonly #dollarRoot = new FilterNode<S>('', null);
  #size = 0;
  #sharedSize = 0;

  /** Room for the walk, kept between matches: what matched, and the branches still to be walked. */
  readonly #matched: (Place<S> | null)[] = [];
  readonly #branches: FilterNode<S>[] = [];
  readonly #branchStarts: number[] = [];

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
    return this.#exact.size === 0 && this.#root.isEmpty && this.#dollarRoot.isEmpty;
  }

  /**
   * [MQTT-3.8.4-3] A subscription of the same subscriber to the same filter is replaced.
   *
   * @returns true if there was none
   */
  add(subscription: Subscription<S>): boolean {
    const filter = subscription.topicFilter;
    const node = filter.hasWildcard ? this.#ensureNode(filter) : null;
    const place = this.#placeIn(node, filter);
    const isNew =
      filter.shareName === undefined
        ? this.#addOrdinary(node, place, filter, subscription)
        : this.#addShared(node, place, filter, filter.shareName, subscription);
    if (isNew) this.#size++;
    return isNew;
  }

  /** @returns false if there was no such subscription */
  remove(subscriber: S, filter: TopicFilter): boolean {
    const node = filter.hasWildcard ? this.#findNode(filter) : null;
    const place = node === undefined ? null : this.#placeIn(node, filter);
    if (node === undefined || place === null) return false;
    const isGone =
      filter.shareName === undefined
        ? this.#takeOrdinary(node, place, filter, subscriber)
        : this.#takeShared(node, place, filter, filter.shareName, subscriber);
    if (isGone) this.#size--;
    return isGone;
  }

  /** Who gets a message on `topic`, a valid topic name; nothing is cached here but what {@link Subscribers} keep. */
  match(topic: string): MatchResult<S> {
    let count = 0;
    const exact = this.#exact.get(topic);
    if (exact !== undefined) this.#matched[count++] = exact;
    // [MQTT-4.7.2-1] a wildcard as the first level does not match a topic that begins with $
    count = this.#walk(startsWithDollar(topic) ? this.#dollarRoot : this.#root, topic, count);
    if (count === 0) return emptyMatch();
    const matched = this.#matched as Place<S>[];
    const result = count === 1 ? (matched[0] as Place<S>).result : overlap(matched, count);
    // What is kept for the next walk must not keep ended sessions alive.
    for (let at = 0; at < count; at++) this.#matched[at] = null;
    return result;
  }

  /** Collects what matches below `root`; follows one branch to its end and puts the other ones by. */
  #walk(root: FilterNode<S>, topic: string, alreadyMatched: number): number {
    let count = alreadyMatched;
    let waiting = 0;
    let node = root;
    let start = 0;
    for (;;) {
      // [MQTT-4.7.1-1] # stands for the level before it too: a/# matches a
      if (node.below !== null) this.#matched[count++] = node.below;
      let next: FilterNode<S> | null = null;
      if (start > topic.length) {
        if (node.here !== null) this.#matched[count++] = node.here;
      } else {
        const slash = topic.indexOf('/', start);
        const end = slash === -1 ? topic.length : slash;
        // [MQTT-4.7.3-4] levels are compared as they are, empty ones too
        next = node.findChild(topic, start, end) ?? null;
        start = end + 1;
        // [MQTT-4.7.1-2] + stands for one level
        if (next === null) {
          next = node.plus;
        } else if (node.plus !== null) {
          this.#branches[waiting] = node.plus;
          this.#branchStarts[waiting++] = start;
        }
      }
      if (next !== null) {
        node = next;
      } else {
        if (waiting === 0) return count;
        node = this.#branches[--waiting] as FilterNode<S>;
        start = this.#branchStarts[waiting] as number;
      }
    }
  }

  #addOrdinary(
    node: FilterNode<S> | null,
    place: Place<S> | null,
    filter: TopicFilter,
    subscription: Subscription<S>,
  ): boolean {
    const known = place?.find(subscription.subscriber);
    this.#put(node, filter, Subscribers.with(place, subscription));
    if (known === undefined || !deliversAlike(known, subscription)) this.changes.record(filter);
    return known === undefined;
  }

  #addShared(
    node: FilterNode<S> | null,
    place: Place<S> | null,
    filter: TopicFilter,
    shareName: string,
    subscription: Subscription<S>,
  ): boolean {
    const subscribers = Subscribers.of(place);
    let group = subscribers.findGroup(shareName);
    if (group === undefined) {
      group = subscribers.openGroup(shareName, filter.filter);
      this.#put(node, filter, subscribers);
      this.changes.record(filter);
    }
    const isNew = group.add(subscription);
    if (isNew) this.#sharedSize++;
    return isNew;
  }

  #takeOrdinary(node: FilterNode<S> | null, place: Place<S>, filter: TopicFilter, subscriber: S): boolean {
    if (place.find(subscriber) === undefined) return false;
    this.#put(node, filter, Subscribers.without(place, subscriber));
    this.changes.record(filter);
    return true;
  }

  #takeShared(
    node: FilterNode<S> | null,
    place: Place<S>,
    filter: TopicFilter,
    shareName: string,
    subscriber: S,
  ): boolean {
    const group = place instanceof Subscribers ? place.findGroup(shareName) : undefined;
    if (group === undefined || !group.remove(subscriber)) return false;
    this.#sharedSize--;
    if (group.memberCount === 0) {
      this.#put(node, filter, Subscribers.withoutGroup(place as Subscribers<S>, shareName));
      this.changes.record(filter);
    }
    return true;
  }

  /** Who subscribed to the filter's path. @param node where it ends; null for a path without wildcards */
  #placeIn(node: FilterNode<S> | null, filter: TopicFilter): Place<S> | null {
    if (node === null) return this.#exact.get(filter.path) ?? null;
    return endsBelow(filter) ? node.below : node.here;
  }

  #put(node: FilterNode<S> | null, filter: TopicFilter, place: Place<S> | null): void {
    if (node === null) {
      if (place === null) this.#exact.delete(filter.path);
      else this.#exact.set(filter.shareName === undefined ? filter.path : ownText(filter.path), place);
      return;
    }
    if (endsBelow(filter)) node.below = place;
    else node.here = place;
    if (place === null) node.prune();
  }

  /** The node that stands for the filter, without its `#`. */
  #ensureNode(filter: TopicFilter): FilterNode<S> {
    const { path } = filter;
    let node = this.#rootOf(filter);
    for (let start = 0; start <= path.length && path[start] !== '#'; ) {
      const end = levelEnd(path, start);
      node = node.ensureChild(path, start, end);
      start = end + 1;
    }
    return node;
  }

  #findNode(filter: TopicFilter): FilterNode<S> | undefined {
    const { path } = filter;
    let node: FilterNode<S> | null | undefined = this.#rootOf(filter);
    for (let start = 0; start <= path.length && path[start] !== '#'; ) {
      const end = levelEnd(path, start);
      node = isWildcard(path, start) ? node.plus : node.findChild(path, start, end);
      if (node === null || node === undefined) return undefined;
      start = end + 1;
    }
    return node;
  }

  #rootOf(filter: TopicFilter): FilterNode<S> {
    return startsWithDollar(filter.path) ? this.#dollarRoot : this.#root;
  }
}

function endsBelow(filter: TopicFilter): boolean {
  return filter.path.endsWith('#');
}
