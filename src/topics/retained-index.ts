/**
 * Retained messages (or whatever stands for one) by topic, to be found by filter. A tree of levels: a search visits what
 * agrees with the filter so far, and nothing else. What is left empty is taken out at once. Topics that begin with `$`
 * have a tree of their own, where a wildcard as the first level does not look. Called by the broker.
 */
import { RetainedCursor } from './retained-cursor.js';
import { RetainedNode } from './retained-node.js';
import type { TopicFilter } from './topic-filter.js';
import { startsWithDollar } from './topic-name.js';
import { isWildcard, levelEnd, ownLevel } from './topic-text.js';

/** @typeParam T anything but undefined */
export class RetainedIndex<T extends NonNullable<unknown>> {
  readonly #root = new RetainedNode<T>('', null);
  readonly #dollarRoot = new RetainedNode<T>('', null);
  #size = 0;

  /** Number of topics with a value. */
  get size(): number {
    return this.#size;
  }

  /** Whether nothing is left of what has been retained, nodes included. */
  get isEmpty(): boolean {
    return this.#root.isEmpty && this.#dollarRoot.isEmpty;
  }

  get(topic: string): T | undefined {
    return this.#findNode(topic)?.value;
  }

  /** @returns what it replaced, undefined if nothing */
  set(topic: string, value: T): T | undefined {
    const node = this.#ensureNode(topic);
    const previous = node.value;
    node.value = value;
    if (previous === undefined) this.#size++;
    return previous;
  }

  /** @returns what was there, undefined if nothing */
  delete(topic: string): T | undefined {
    const node = this.#findNode(topic);
    const previous = node?.value;
    if (node === undefined || previous === undefined) return undefined;
    node.value = undefined;
    node.prune();
    this.#size--;
    return previous;
  }

  /** False if nothing matches the filter. Looks no further than to its first wildcard: behind that something may match, or not. */
  mayMatch({ path }: TopicFilter): boolean {
    let node: RetainedNode<T> | undefined = this.#rootOf(path);
    for (let start = 0; start <= path.length; ) {
      const end = levelEnd(path, start);
      if (isWildcard(path, start)) return !node.isEmpty;
      node = node.findChild(path, start, end);
      if (node === undefined) return false;
      start = end + 1;
    }
    return node.value !== undefined;
  }

  /** What the filter matches, found as the caller goes along; see {@link RetainedCursor} for changes on the way. */
  match(filter: TopicFilter): RetainedCursor<T> {
    return new RetainedCursor(this.#rootOf(filter.path), filter.levels);
  }

  #findNode(topic: string): RetainedNode<T> | undefined {
    let node: RetainedNode<T> | undefined = this.#rootOf(topic);
    for (let start = 0; start <= topic.length && node !== undefined; ) {
      const end = levelEnd(topic, start);
      node = node.findChild(topic, start, end);
      start = end + 1;
    }
    return node;
  }

  #ensureNode(topic: string): RetainedNode<T> {
    let node = this.#rootOf(topic);
    for (let start = 0; start <= topic.length; ) {
      const end = levelEnd(topic, start);
      let child = node.findChild(topic, start, end);
      if (child === undefined) {
        child = new RetainedNode<T>(ownLevel(topic, start, end), node);
        node.addChild(child);
      }
      node = child;
      start = end + 1;
    }
    return node;
  }

  // [MQTT-4.7.2-1] a wildcard as the first level does not match a topic that begins with $
  #rootOf(path: string): RetainedNode<T> {
    return startsWithDollar(path) ? this.#dollarRoot : this.#root;
  }
}
