/**
 * Match results by topic, over the subscription trie. It keeps two generations: what is asked for goes into the young
 * one, and when that has half of what is allowed, the old one is let go as a whole and the young one becomes the old.
 * So what is used stays, at the price of one Map look-up, and eviction costs nothing.
 *
 * A topic is taken in at its second use: of a million that are used once nothing is kept until it is old and takes a full
 * collection to be rid of, and they drive out nobody.
 *
 * Bounds memory only; that no result is stale is up to the entries, whether they are in here or not.
 */
import type { MatchResult } from './match-result.js';
import { RecentTopics } from './recent-topics.js';
import type { SubscriptionTrie } from './subscription-trie.js';
import { TopicEntry } from './topic-entry.js';

export interface MatchCacheLimits {
  /** Topics: as many as a large fleet publishes to in some minutes; about 300 bytes each. */
  readonly maximumCachedTopics: number;
  /** Receivers, over all results that are not shared between topics; 8 bytes each, up to 100 where subscriptions overlap. */
  readonly maximumCachedReceivers: number;
  /** Characters of all topics: or else 65,535-byte topics would take gigabytes. */
  readonly maximumCachedCharacters: number;
}

export const DEFAULT_MATCH_CACHE_LIMITS: MatchCacheLimits = {
  maximumCachedTopics: 100_000,
  maximumCachedReceivers: 1_000_000,
  maximumCachedCharacters: 16 * 1024 * 1024,
};

export class MatchCache<S extends object> {
  readonly #trie: SubscriptionTrie<S>;
  readonly #limits: MatchCacheLimits;
  /** Topics that have been asked for and were not there. */
  readonly #recent: RecentTopics;
  #young = new Map<string, TopicEntry<S>>();
  #old = new Map<string, TopicEntry<S>>();
  /** Number of the young generation; an entry of an earlier one may be in the old Map, or in none. */
  #generation = 1;
  #youngReceivers = 0;
  #youngCharacters = 0;
  #sweep: Iterator<TopicEntry<S>> = this.#young.values();

  constructor(trie: SubscriptionTrie<S>, limits: MatchCacheLimits) {
    this.#trie = trie;
    this.#limits = limits;
    this.#recent = new RecentTopics(Math.ceil(limits.maximumCachedTopics / 2));
  }

  /** Number of topics held; one that is in both generations counts twice. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** The entry of a topic, which must be a valid name. */
  entry(topic: string): TopicEntry<S> {
    const young = this.#young.get(topic);
    if (young !== undefined) return young;
    const old = this.#old.get(topic);
    const entry = old ?? new TopicEntry<S>(topic);
    if (old !== undefined || this.#recent.note(entry.hash)) this.#admit(entry);
    return entry;
  }

  /** Who gets a message on the entry's topic, as of now. */
  resultOf(entry: TopicEntry<S>): MatchResult<S> {
    return entry.currentResult(this.#trie.changes) ?? this.#matchAgain(entry);
  }

  /**
   * Looks at some entries and drops results that are out of date. Called when subscriptions end: otherwise results that
   * nobody asks for again would keep ended sessions in memory.
   */
  sweepStale(entries: number): void {
    for (let left = entries; left > 0; left--) {
      const next = this.#sweep.next();
      if (next.done === true) {
        this.#sweep = this.#young.values();
        return;
      }
      this.#releaseStale(next.value);
    }
  }

  #matchAgain(entry: TopicEntry<S>): MatchResult<S> {
    if (entry.generation === 0 && !entry.wasMatched) {
      // Its first use. Whoever holds it may never ask again, and no sweep would come by what is kept in it.
      entry.wasMatched = true;
      return this.#trie.match(entry.topic);
    }
    const isYoung = entry.generation === this.#generation;
    const successor = isYoung ? undefined : this.#young.get(entry.topic);
    if (successor !== undefined) {
      // It is held by a connection, and another one stands in its place: no sweep comes by this one.
      entry.dropIfStale(this.#trie.changes);
      return this.resultOf(successor);
    }
    const result = this.#trie.match(entry.topic);
    if (isYoung) this.#youngReceivers -= entry.unsharedSlots;
    entry.keep(result, this.#trie.changes);
    if (isYoung) {
      this.#youngReceivers += result.unsharedSlots;
      this.#startGenerationIfFull();
    } else {
      // Held by a connection, or of the old generation, and still in use.
      this.#admit(entry);
    }
    return result;
  }

  #admit(entry: TopicEntry<S>): void {
    entry.generation = this.#generation;
    this.#young.set(entry.topic, entry);
    this.#youngReceivers += entry.unsharedSlots;
    this.#youngCharacters += entry.topic.length;
    this.#startGenerationIfFull();
  }

  #releaseStale(entry: TopicEntry<S>): void {
    const before = entry.unsharedSlots;
    entry.dropIfStale(this.#trie.changes);
    if (entry.generation === this.#generation) this.#youngReceivers -= before - entry.unsharedSlots;
  }

  #startGenerationIfFull(): void {
    const { maximumCachedTopics, maximumCachedReceivers, maximumCachedCharacters } = this.#limits;
    if (
      this.#young.size * 2 < maximumCachedTopics &&
      this.#youngReceivers * 2 < maximumCachedReceivers &&
      this.#youngCharacters * 2 < maximumCachedCharacters
    ) {
      return;
    }
    this.#old = this.#young;
    // What is about to become old has not been swept to its end: go on there.
    this.#sweep = this.#old.values();
    this.#young = new Map();
    this.#generation++;
    this.#youngReceivers = 0;
    this.#youngCharacters = 0;
  }
}
