/**
 * Several who subscribed to one path, ordinary subscribers and shared groups, and the match result that they make up
 * together. The result is built when it is first asked for and then handed out to every topic that matches nothing
 * else, until a change; so 100,000 topics under one wildcard filter share one result. Owned by the subscription trie.
 */
import { emptyMatch, type MatchResult, type Subscribed } from './match-result.js';
import { deliversAlike, type Receiver } from './receiver.js';
import { SharedGroup } from './shared-group.js';
import { Subscription } from './subscription.js';
import type { TopicFilter } from './topic-filter.js';

/** What stands at a path: most have one subscription, which stands there itself. */
export type Place<S extends object> = Subscription<S> | Subscribers<S>;

/** What topics are compared with, see {@link TopicFilter.path}. */
export function pathOf<S extends object>(place: Place<S>): string {
  // A shared subscription does not stand at a place itself.
  return place instanceof Subscription ? place.filter : place.path;
}

/** A subscriber's subscription to exactly this filter, of which `place` has the path. */
export function subscriptionIn<S extends object>(
  place: Place<S> | null,
  filter: TopicFilter,
  subscriber: S,
): Subscription<S> | undefined {
  let found: Receiver<S> | undefined;
  if (filter.shareName === undefined) found = place?.find(subscriber);
  else if (place instanceof Subscribers) found = place.findGroup(filter.shareName)?.find(subscriber);
  return found instanceof Subscription && found.filter === filter.filter ? found : undefined;
}

export class Subscribers<S extends object> implements Subscribed<S> {
  readonly path: string;
  readonly #ordinary = new Map<S, Subscription<S>>();
  #groups: Map<string, SharedGroup<S>> | null = null;
  #result: MatchResult<S> | null = null;

  /** @param path in memory of its own */
  constructor(path: string) {
    this.path = path;
  }

  /** The place with one more ordinary subscription, instead of an earlier one of the same subscriber. */
  static with<S extends object>(place: Place<S>, subscription: Subscription<S>): Place<S> {
    if (place instanceof Subscription && place.subscriber === subscription.subscriber) return subscription;
    const several = Subscribers.of(place, subscription.filter);
    several.#set(subscription);
    return several;
  }

  /** The place with room for several and for groups. */
  static of<S extends object>(place: Place<S> | null, path: string): Subscribers<S> {
    if (place instanceof Subscribers) return place;
    const several = new Subscribers<S>(path);
    if (place !== null) several.#set(place);
    return several;
  }

  /** The place without an ordinary subscriber who is there; null if nobody is left. */
  static without<S extends object>(place: Place<S>, subscriber: S): Place<S> | null {
    if (place instanceof Subscription) return null;
    place.#ordinary.delete(subscriber);
    return place.#shrunk();
  }

  /** The place without a group that has lost its last member; null if nobody is left. */
  static withoutGroup<S extends object>(place: Subscribers<S>, shareName: string): Place<S> | null {
    place.#groups?.delete(shareName);
    if (place.#groups?.size === 0) place.#groups = null;
    return place.#shrunk();
  }

  get result(): MatchResult<S> {
    this.#result ??= this.#buildResult();
    return this.#result;
  }

  find(subscriber: S): Receiver<S> | undefined {
    return this.#ordinary.get(subscriber);
  }

  findGroup(shareName: string): SharedGroup<S> | undefined {
    return this.#groups?.get(shareName);
  }

  /** Opens a group that is not there yet. Who joins and leaves it later does not change the result, which names it. */
  openGroup(shareName: string, filter: string): SharedGroup<S> {
    const group = new SharedGroup<S>(filter);
    this.#groups ??= new Map();
    this.#groups.set(shareName, group);
    this.#result = null;
    return group;
  }

  #set(subscription: Subscription<S>): void {
    const known = this.#ordinary.get(subscription.subscriber);
    this.#ordinary.set(subscription.subscriber, subscription);
    // A client that comes back and subscribes as before costs no new result.
    if (known === undefined || !deliversAlike(known, subscription)) this.#result = null;
  }

  #shrunk(): Place<S> | null {
    this.#result = null;
    if (this.#groups !== null || this.#ordinary.size > 1) return this;
    for (const only of this.#ordinary.values()) return only;
    return null;
  }

  #buildResult(): MatchResult<S> {
    const groups = this.#groups === null ? emptyMatch<S>().groups : [...this.#groups.values()];
    return { receivers: [...this.#ordinary.values()], groups, unsharedSlots: 0 };
  }
}
