/**
 * One level in a tree of topics: what the subscription trie and the retained index have in common. Most nodes have no
 * child or one, and with a million of them a Map in each would be most of the memory: the first child is a plain field,
 * and a Map is made when the second one comes.
 *
 * An iteration over the children that is paused while the tree changes gives every child that was there all the time
 * exactly once; one that came meanwhile may be given or not.
 */
export abstract class LevelNode<Node extends LevelNode<Node>> {
  /** Text of the level that leads here from the parent; empty for a root. */
  readonly level: string;
  /** null for a root. */
  readonly parent: Node | null;
  #onlyChild: Node | null = null;
  #children: Map<string, Node> | null = null;

  constructor(level: string, parent: Node | null) {
    this.level = level;
    this.parent = parent;
  }

  get hasChildren(): boolean {
    return this.#onlyChild !== null || this.#children !== null;
  }

  /** The child whose level is `path` from `start` up to `end`. */
  findChild(path: string, start: number, end: number): Node | undefined {
    const only = this.#onlyChild;
    if (only !== null) {
      return only.level.length === end - start && path.startsWith(only.level, start) ? only : undefined;
    }
    // Most misses happen on nodes without children: cut the level out only when there is something to look up.
    return this.#children?.get(path.slice(start, end));
  }

  /** Hangs in a child whose level is not there yet. */
  addChild(child: Node): void {
    if (this.#children !== null) {
      this.#children.set(child.level, child);
    } else if (this.#onlyChild === null) {
      this.#onlyChild = child;
    } else {
      this.#children = new Map([
        [this.#onlyChild.level, this.#onlyChild],
        [child.level, child],
      ]);
      this.#onlyChild = null;
    }
  }

  /** Takes a child out that is there. */
  removeChild(child: Node): void {
    if (this.#onlyChild === child) {
      this.#onlyChild = null;
    } else if (this.#children !== null) {
      this.#children.delete(child.level);
      if (this.#children.size === 0) this.#children = null;
    }
  }

  /** All children; lazily, see above. */
  children(): IterableIterator<Node> {
    if (this.#children !== null) return this.#children.values();
    return (this.#onlyChild === null ? [] : [this.#onlyChild]).values();
  }
}
