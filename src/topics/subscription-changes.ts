/**
 * Tells whether a match result may be out of date, without a list of who holds one. Each change to the subscriptions is
 * counted under the part of its filter before the first wildcard; a topic adds up the counts of its own beginnings:
 *
 *   filter  site/7/+/temp  counts under  site/7          topic  site/7/a/temp  adds up  (all), site, site/7, site/7/a,
 *   filter  site/7/a/temp  counts under  =site/7/a/temp         site/7/a/temp, =site/7/a/temp
 *
 * Counts only grow, so an equal sum means that no filter that could match has come or gone. Beginnings are hashed into a
 * fixed table: a collision costs a needless match, never a stale result.
 */
import type { TopicFilter } from './topic-filter.js';

/** Counters; 64 KiB, to stay in the processor's second-level cache. A power of two. */
const COUNTERS = 16_384;
/** Counter of the filters whose first level is a wildcard; stands behind the hashed ones. */
const ALL_TOPICS = COUNTERS;
/** Beginnings of up to this many levels are told apart; longer ones are cut. */
const DEPTH = 4;
/** Keeps the count of the filter `a/b` apart from that of `a/b/+`. */
const WHOLE_TOPIC_SALT = 0x5bd1e995;

const SEPARATOR = 0x2f;
const HASH_SEED = 0x811c9dc5 | 0;
const HASH_PRIME = 0x01000193;

/** Where to look for changes that concern one topic. */
export class TopicScope {
  /** Counters of its beginnings of one, two, three and four levels; ALL_TOPICS if it has fewer. */
  readonly first: number;
  readonly second: number;
  readonly third: number;
  readonly fourth: number;
  readonly whole: number;
  /** Of the topic as a whole, 32 bits. */
  readonly hash: number;

  constructor(topic: string) {
    const counters = [ALL_TOPICS, ALL_TOPICS, ALL_TOPICS, ALL_TOPICS];
    let hash = HASH_SEED;
    let depth = 0;
    for (let at = 0; at < topic.length; at++) {
      const unit = topic.charCodeAt(at);
      if (unit === SEPARATOR && depth < DEPTH) counters[depth++] = counterOf(hash);
      hash = Math.imul(hash ^ unit, HASH_PRIME);
    }
    if (depth < DEPTH) counters[depth] = counterOf(hash);
    [this.first, this.second, this.third, this.fourth] = counters as [number, number, number, number];
    this.whole = counterOf(hash ^ WHOLE_TOPIC_SALT);
    this.hash = hash;
  }
}

export class SubscriptionChanges {
  readonly #counts = new Int32Array(COUNTERS + 1);
  #total = 0;

  /** Number of changes so far; while it stays the same, nothing is out of date. */
  get total(): number {
    return this.#total;
  }

  /** Counts a change: a filter that was added, removed or got other options. */
  record(filter: TopicFilter): void {
    this.#total++;
    const counter = filter.hasWildcard ? counterOfBeginning(filter.path) : new TopicScope(filter.path).whole;
    (this.#counts[counter] as number)++;
  }

  /** Changes as soon as a filter that could match the topic changes. */
  versionOf(scope: TopicScope): number {
    const counts = this.#counts;
    return (
      ((counts[ALL_TOPICS] as number) +
        (counts[scope.first] as number) +
        (counts[scope.second] as number) +
        (counts[scope.third] as number) +
        (counts[scope.fourth] as number) +
        (counts[scope.whole] as number)) |
      0
    );
  }
}

function counterOf(hash: number): number {
  return (hash ^ (hash >>> 15)) & (COUNTERS - 1);
}

/** The counter of a wildcard filter: that of its levels before the first wildcard, at most DEPTH of them. */
function counterOfBeginning(path: string): number {
  let counter = ALL_TOPICS;
  let hash = HASH_SEED;
  let depth = 0;
  for (let at = 0; depth < DEPTH; at++) {
    const unit = path.charCodeAt(at);
    // + and # stand at the start of a level only, so the levels before it have all been counted.
    if (unit === 0x2b || unit === 0x23) return counter;
    if (unit === SEPARATOR) {
      counter = counterOf(hash);
      depth++;
    }
    hash = Math.imul(hash ^ unit, HASH_PRIME);
  }
  return counter;
}
