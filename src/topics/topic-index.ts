/**
 * Subscriptions and the topics that are published to: what the broker asks who gets a message. All changes go through
 * here, and results are never out of date.
 *
 *   const entry = index.entry(topic);       // once per topic, if the caller keeps it
 *   const result = index.resultOf(entry);   // once per message: a comparison, unless subscriptions have changed
 */
import { DEFAULT_MATCH_CACHE_LIMITS, MatchCache, type MatchCacheLimits } from './match-cache.js';
import type { MatchResult } from './match-result.js';
import type { Subscription } from './subscription.js';
import { SubscriptionTrie } from './subscription-trie.js';
import type { TopicEntry } from './topic-entry.js';
import type { TopicFilter } from './topic-filter.js';

/** Cached topics looked at per unsubscribe: it frees the results of ended sessions, and costs less than a microsecond. */
const SWEEP_PER_UNSUBSCRIBE = 16;

export class TopicIndex<S extends object> {
  readonly #trie = new SubscriptionTrie<S>();
  readonly #cache: MatchCache<S>;

  constructor(limits: Partial<MatchCacheLimits> = {}) {
    this.#cache = new MatchCache(this.#trie, { ...DEFAULT_MATCH_CACHE_LIMITS, ...limits });
  }

  /** Number of subscriptions, shared ones included. */
  get subscriptionCount(): number {
    return this.#trie.size;
  }

  get sharedSubscriptionCount(): number {
    return this.#trie.sharedSize;
  }

  get cachedTopicCount(): number {
    return this.#cache.size;
  }

  /** Adds a subscription. @returns the one that it has replaced, of the same subscriber to the same filter */
  subscribe(subscription: Subscription<S>): Subscription<S> | undefined {
    return this.#trie.add(subscription);
  }

  /** What the subscriber has subscribed to with this very text, which need not be a valid filter. */
  find(subscriber: S, filter: TopicFilter): Subscription<S> | undefined {
    return this.#trie.find(subscriber, filter);
  }

  /** Ends what {@link find} finds, and returns it. */
  unsubscribe(subscriber: S, filter: TopicFilter): Subscription<S> | undefined {
    const taken = this.#trie.take(subscriber, filter);
    if (taken !== undefined) this.#cache.sweepStale(SWEEP_PER_UNSUBSCRIBE);
    return taken;
  }

  /** The entry of a topic, which must be a valid name. May be kept by the caller for as long as it likes. */
  entry(topic: string): TopicEntry<S> {
    return this.#cache.entry(topic);
  }

  /** Who gets a message on the entry's topic, as of now. */
  resultOf(entry: TopicEntry<S>): MatchResult<S> {
    return this.#cache.resultOf(entry);
  }

  /** The same for a topic that is not worth an entry, such as that of a Will. */
  match(topic: string): MatchResult<S> {
    return this.#trie.match(topic);
  }
}
