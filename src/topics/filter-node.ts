/**
 * A node of the subscription trie: a level that several wildcard filters begin with. The wildcards are fields, so that a
 * walk need not look them up; `#` ends a filter, so it has no node of its own.
 *
 *   filters  a/+/c  a/+/d  a/#      (root) ─a─> node ─plus─> node ─c─> leaf: a/+/c
 *                                                └ below: a/#    └──d─> leaf: a/+/d
 */
import { LevelNode } from './level-node.js';
import { type Place, pathOf } from './subscribers.js';
import { isWildcard, levelEnd, ownLevel } from './topic-text.js';

export type FilterChild<S extends object> = FilterNode<S> | Place<S>;

export class FilterNode<S extends object> extends LevelNode<FilterChild<S>> {
  /** The child for `+`. */
  plus: FilterChild<S> | null = null;
  /** Filters that end with this level. */
  here: Place<S> | null = null;
  /** Filters that end with `#` behind this level. */
  below: Place<S> | null = null;

  /** A node in the place of a leaf whose filter goes through the level that ends at `end`, with the leaf in it. */
  static around<S extends object>(leaf: Place<S>, end: number): FilterNode<S> {
    const node = new FilterNode<S>();
    const path = pathOf(leaf);
    const start = end + 1;
    if (start > path.length) node.here = leaf;
    else if (path[start] === '#') node.below = leaf;
    else node.addNext(path, start, levelEnd(path, start), leaf);
    return node;
  }

  get isEmpty(): boolean {
    return !this.hasChildren && this.plus === null && this.here === null && this.below === null;
  }

  /** Whether something is left in it without any one of what is in it. */
  get holdsSeveral(): boolean {
    if (this.hasSeveralChildren) return true;
    const wildcards = (this.plus === null ? 0 : 1) + (this.below === null ? 0 : 1);
    return wildcards + (this.here === null ? 0 : 1) + (this.hasChildren ? 1 : 0) > 1;
  }

  /** The child for the level of a filter that is `path` from `start` up to `end`, and no `#`. */
  findNext(path: string, start: number, end: number): FilterChild<S> | undefined {
    return isWildcard(path, start) ? (this.plus ?? undefined) : this.findChild(path, start, end);
  }

  /** Hangs in a child for a level that has none. */
  addNext(path: string, start: number, end: number, child: FilterChild<S>): void {
    if (isWildcard(path, start)) this.plus = child;
    else this.addChild(ownLevel(path, start, end), child);
  }

  replaceNext(path: string, start: number, end: number, child: FilterChild<S>): void {
    if (isWildcard(path, start)) this.plus = child;
    else this.replaceChild(path, start, end, child);
  }

  removeNext(path: string, start: number, end: number): void {
    if (isWildcard(path, start)) this.plus = null;
    else this.removeChild(path, start, end);
  }
}
