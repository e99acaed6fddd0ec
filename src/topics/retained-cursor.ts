/**
 * A search for the retained messages that match a filter, done step by step: it may pause for as long as its user likes
 * while messages come and go. Each one that is there from start to end is found exactly once; one that comes, goes or
 * is replaced meanwhile may be found as it was at some moment of that time, or not. Made by the RetainedIndex.
 *
 * A filter such as `+/+/x` can lead through many nodes without a match, so a search can be told how far to go.
 */
import { matchesTopic } from './filter-match.js';
import { RetainedNode } from './retained-node.js';
import type { RetainedTopics } from './retained-topics.js';
import type { TopicFilter } from './topic-filter.js';

/** Characters of a topic that take as long to compare as it takes to visit a node. */
const CHARACTERS_PER_STEP = 256;

export class RetainedCursor<T> implements IterableIterator<T> {
  readonly #path: string;
  readonly #levels: readonly string[];
  readonly #topics: RetainedTopics<T>;
  /** Open branches, innermost last: the children of a node that are still to be visited, and which level they are. */
  readonly #children: Iterator<RetainedNode<T> | T, undefined>[] = [];
  readonly #depths: number[] = [];
  #done = false;
  /** Steps that are left of those that the caller allows. */
  #left = 0;

  /** @param root of the tree that the filter looks into */
  constructor(root: RetainedNode<T>, filter: TopicFilter, topics: RetainedTopics<T>) {
    this.#path = filter.path;
    this.#levels = filter.levels;
    this.#topics = topics;
    this.#children.push([root].values() as Iterator<RetainedNode<T>, undefined>);
    this.#depths.push(0);
  }

  /** Whether the search has come to its end. */
  get done(): boolean {
    return this.#done;
  }

  /** What {@link find} has left of its steps. */
  get stepsLeft(): number {
    return Math.max(0, this.#left);
  }

  next(): IteratorResult<T, undefined> {
    const value = this.find(Number.POSITIVE_INFINITY);
    return value === undefined ? { done: true, value: undefined } : { done: false, value };
  }

  [Symbol.iterator](): this {
    return this;
  }

  /** Ends the search early. */
  return(): IteratorResult<T, undefined> {
    this.#children.length = 0;
    this.#depths.length = 0;
    this.#done = true;
    return { done: true, value: undefined };
  }

  /**
   * The next match, unless it is more than `steps` nodes away.
   *
   * @returns undefined if none has been found; if the search is not `done` it can go on later
   */
  find(steps: number): T | undefined {
    for (this.#left = steps; this.#left > 0; this.#left--) {
      const innermost = this.#children.length - 1;
      if (innermost < 0) {
        this.#done = true;
        return undefined;
      }
      const child = (this.#children[innermost] as Iterator<RetainedNode<T> | T, undefined>).next();
      if (child.done === true) {
        this.#children.pop();
        this.#depths.pop();
        continue;
      }
      const depth = this.#depths[innermost] as number;
      const value =
        child.value instanceof RetainedNode ? this.#visit(child.value, depth) : this.#checkLeaf(child.value, depth);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  /** Follows levels without a wildcard from `start`, opens a branch at a wildcard; the value, if the filter ends there. */
  #visit(start: RetainedNode<T>, startDepth: number): T | undefined {
    let node = start;
    for (let depth = startDepth; ; depth++) {
      if (depth === this.#levels.length) return node.value;
      const level = this.#levels[depth] as string;
      if (level === '#') {
        // Children are visited at the same level again: # takes any number of them. [MQTT-4.7.1-1] And none: a/# finds a.
        if (node.hasChildren) this.#open(node, depth);
        return node.value;
      }
      if (level === '+') {
        if (node.hasChildren) this.#open(node, depth + 1);
        return undefined;
      }
      const child: RetainedNode<T> | T | undefined = node.findChild(level, 0, level.length);
      if (child instanceof RetainedNode) node = child;
      else return child === undefined ? undefined : this.#checkLeaf(child, depth + 1);
    }
  }

  /** The leaf, if its topic, which agrees with the filter up to `depth`, agrees to the end. */
  #checkLeaf(leaf: T, depth: number): T | undefined {
    if (this.#levels[depth] === '#') return leaf;
    this.#left -= Math.floor(this.#topics.lengthOf(leaf) / CHARACTERS_PER_STEP);
    if (depth === this.#levels.length) return this.#topics.levelsOf(leaf) === depth ? leaf : undefined;
    return matchesTopic(this.#path, this.#topics.topicOf(leaf)) ? leaf : undefined;
  }

  #open(node: RetainedNode<T>, depth: number): void {
    this.#children.push(node.children());
    this.#depths.push(depth);
  }
}
