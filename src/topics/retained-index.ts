/**
 * Retained messages (or whatever stands for one) by topic, to be found by filter. A tree of levels, see LevelNode: a search
 * visits what agrees with the filter so far, and nothing else. What is left empty is taken out at once. Topics that begin
 * with `$` have a tree of their own, where a wildcard as the first level does not look. Called by the broker.
 */
import { RetainedCursor } from './retained-cursor.js';
import { RetainedNode } from './retained-node.js';
import type { RetainedTopics } from './retained-topics.js';
import type { TopicFilter } from './topic-filter.js';
import { startsWithDollar } from './topic-name.js';
import { isWildcard, levelEnd, ownLevel } from './topic-text.js';

/** @typeParam T anything but undefined */
export class RetainedIndex<T extends NonNullable<unknown>> {
  readonly #topics: RetainedTopics<T>;
  readonly #root = new RetainedNode<T>();
  readonly #dollarRoot = new RetainedNode<T>();
  #size = 0;

  constructor(topics: RetainedTopics<T>) {
    this.#topics = topics;
  }

  /** Number of topics with a value. */
  get size(): number {
    return this.#size;
  }

  /** Whether nothing is left of what has been retained, nodes included. */
  get isEmpty(): boolean {
    return this.#root.isEmpty && this.#dollarRoot.isEmpty;
  }

  get(topic: string): T | undefined {
    let node = this.#rootOf(topic);
    for (let start = 0; start <= topic.length; ) {
      const end = levelEnd(topic, start);
      const child = node.findChild(topic, start, end);
      if (child === undefined) return undefined;
      if (!(child instanceof RetainedNode)) return this.#topics.isAbout(child, topic) ? child : undefined;
      node = child;
      start = end + 1;
    }
    return node.value;
  }

  /** @param value stands for `topic` @returns what it replaced, undefined if nothing */
  set(topic: string, value: T): T | undefined {
    let node = this.#rootOf(topic);
    // Topic of the leaf that stands in the way: with every level that both have it is in the way again.
    let other: string | null = null;
    for (let start = 0; start <= topic.length; ) {
      const end = levelEnd(topic, start);
      const child = node.findChild(topic, start, end);
      if (child === undefined) {
        node.addChild(ownLevel(topic, start, end), value);
        this.#size++;
        return undefined;
      }
      if (child instanceof RetainedNode) {
        node = child;
      } else if (other === null && this.#topics.isAbout(child, topic)) {
        node.replaceChild(topic, start, end, value);
        return child;
      } else {
        other ??= this.#topics.topicOf(child);
        const next = nodeAround(child, other, end);
        node.replaceChild(topic, start, end, next);
        node = next;
      }
      start = end + 1;
    }
    const previous = node.value;
    node.value = value;
    if (previous === undefined) this.#size++;
    return previous;
  }

  /** @returns what was there, undefined if nothing */
  delete(topic: string): T | undefined {
    let node = this.#rootOf(topic);
    // The last node on the way that something else is left in, and the level by which the way goes on from there.
    let keeper = node;
    let keptStart = 0;
    let keptEnd = 0;
    for (let start = 0; start <= topic.length; ) {
      const end = levelEnd(topic, start);
      if (start === 0 || node.value !== undefined || node.hasSeveralChildren) {
        keeper = node;
        keptStart = start;
        keptEnd = end;
      }
      const child = node.findChild(topic, start, end);
      if (child === undefined) return undefined;
      if (!(child instanceof RetainedNode)) {
        if (!this.#topics.isAbout(child, topic)) return undefined;
        // From its own node too, even if that goes as a whole: a search may stand there.
        node.removeChild(topic, start, end);
        if (keeper !== node) keeper.removeChild(topic, keptStart, keptEnd);
        this.#size--;
        return child;
      }
      node = child;
      start = end + 1;
    }
    const previous = node.value;
    if (previous === undefined) return undefined;
    node.value = undefined;
    if (node.isEmpty) keeper.removeChild(topic, keptStart, keptEnd);
    this.#size--;
    return previous;
  }

  /** False if nothing matches the filter. Looks no further than to its first wildcard: behind that something may match, or not. */
  mayMatch({ path, hasWildcard }: TopicFilter): boolean {
    let node = this.#rootOf(path);
    for (let start = 0; start <= path.length; ) {
      const end = levelEnd(path, start);
      if (isWildcard(path, start)) return !node.isEmpty;
      const child = node.findChild(path, start, end);
      if (child === undefined) return false;
      if (!(child instanceof RetainedNode)) {
        return hasWildcard ? this.#topics.startsWith(child, beginningOf(path)) : this.#topics.isAbout(child, path);
      }
      node = child;
      start = end + 1;
    }
    return node.value !== undefined;
  }

  /** What the filter matches, found as the caller goes along; see {@link RetainedCursor} for changes on the way. */
  match(filter: TopicFilter): RetainedCursor<T> {
    return new RetainedCursor(this.#rootOf(filter.path), filter, this.#topics);
  }

  // [MQTT-4.7.2-1] a wildcard as the first level does not match a topic that begins with $
  #rootOf(path: string): RetainedNode<T> {
    return startsWithDollar(path) ? this.#dollarRoot : this.#root;
  }
}

/** A node in the place of a leaf whose topic goes through the level that ends at `end`, with the leaf in it. */
function nodeAround<T>(leaf: T, topic: string, end: number): RetainedNode<T> {
  const node = new RetainedNode<T>();
  if (topic.length === end) node.value = leaf;
  else node.addChild(ownLevel(topic, end + 1, levelEnd(topic, end + 1)), leaf);
  return node;
}

/** What every topic that the filter matches begins with: its levels before the first wildcard, which is not its first level. */
function beginningOf(path: string): string {
  // a/# matches a
  return path.slice(0, path.search(/[+#]/) - 1);
}
