/**
 * A search for the retained messages that match a filter, done step by step: it may pause for as long as its user likes
 * while messages come and go. Each one that is there from start to end is found exactly once; one that comes, goes or
 * is replaced meanwhile may be found as it was at some moment of that time, or not. Made by the RetainedIndex.
 *
 * A filter such as `+/+/x` can lead through many nodes without a match, so a search can be told how far to go.
 */
import type { RetainedNode } from './retained-node.js';

export class RetainedCursor<T> implements IterableIterator<T> {
  readonly #levels: readonly string[];
  /** Open branches, innermost last: the children of a node that are still to be visited, and which level they are. */
  readonly #children: Iterator<RetainedNode<T>>[] = [];
  readonly #depths: number[] = [];
  #done = false;

  /** @param levels of a valid filter, to be compared from `root` on */
  constructor(root: RetainedNode<T>, levels: readonly string[]) {
    this.#levels = levels;
    this.#children.push([root].values());
    this.#depths.push(0);
  }

  /** Whether the search has come to its end. */
  get done(): boolean {
    return this.#done;
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
    for (let left = steps; left > 0; left--) {
      const innermost = this.#children.length - 1;
      if (innermost < 0) {
        this.#done = true;
        return undefined;
      }
      const child = (this.#children[innermost] as Iterator<RetainedNode<T>>).next();
      if (child.done === true) {
        this.#children.pop();
        this.#depths.pop();
        continue;
      }
      const value = this.#visit(child.value, this.#depths[innermost] as number);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  /** Follows levels without a wildcard from `start`, opens a branch at a wildcard; the value, if the filter ends there. */
  #visit(start: RetainedNode<T>, startDepth: number): T | undefined {
    let node: RetainedNode<T> | undefined = start;
    for (let depth = startDepth; node !== undefined; depth++) {
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
      node = node.findChild(level, 0, level.length);
    }
    return undefined;
  }

  #open(node: RetainedNode<T>, depth: number): void {
    this.#children.push(node.children());
    this.#depths.push(depth);
  }
}
