/**
 * A node of the subscription trie: one level of one or more wildcard filters. The wildcards are fields, so that a walk
 * need not look them up; `#` ends a filter, so it has no node of its own.
 *
 *   filters  a/+/c  a/+/#      (root) ─a─> node ─plus─> node ─c─> node: here
 *                                                        └ below
 */
import { LevelNode } from './level-node.js';
import type { Place } from './subscribers.js';
import { isWildcard, ownLevel } from './topic-text.js';

export class FilterNode<S extends object> extends LevelNode<FilterNode<S>> {
  /** The child for `+`. */
  plus: FilterNode<S> | null = null;
  /** Filters that end with this level. */
  here: Place<S> | null = null;
  /** Filters that end with `#` behind this level. */
  below: Place<S> | null = null;

  get isEmpty(): boolean {
    return !this.hasChildren && this.plus === null && this.here === null && this.below === null;
  }

  /** The child for the level of a filter that is `path` from `start` up to `end`, and no `#`. */
  ensureChild(path: string, start: number, end: number): FilterNode<S> {
    if (isWildcard(path, start)) {
      this.plus ??= new FilterNode('+', this);
      return this.plus;
    }
    let child = this.findChild(path, start, end);
    if (child === undefined) {
      child = new FilterNode<S>(ownLevel(path, start, end), this);
      this.addChild(child);
    }
    return child;
  }

  /** Takes this node out of the tree if nothing is left in it, and each node above it that is left empty by that. */
  prune(): void {
    let node: FilterNode<S> = this;
    while (node.parent !== null && node.isEmpty) {
      const parent: FilterNode<S> = node.parent;
      if (parent.plus === node) parent.plus = null;
      else parent.removeChild(node);
      node = parent;
    }
  }
}
