/**
 * One level in a tree of topics: what the subscription trie and the retained index have in common. What stands alone
 * under a level needs no node: it stands in the table of the level before, as a leaf, however many levels its own text
 * goes on for, and gets nodes when something else comes that begins alike.
 *
 *   a/b/c/d alone             (root) ─a─> leaf: a/b/c/d
 *   a/x comes                 (root) ─a─> node ─b─> leaf: a/b/c/d
 *                                           └─x─> leaf: a/x
 *
 * A node stays until nothing is left below it. Most nodes have no child or one: the first child is a plain field, and a
 * Map is made when the second one comes.
 */
export abstract class LevelNode<Child> {
  /** Level of the only child, if there is one and no Map. */
  #onlyLevel: string | null = null;
  #children: Map<string, Child> | Child | null = null;

  get hasChildren(): boolean {
    return this.#children !== null;
  }

  /** Whether there is a child beside the one that the caller knows of. */
  get hasSeveralChildren(): boolean {
    const children = this.#onlyLevel === null ? (this.#children as Map<string, Child> | null) : null;
    return children !== null && children.size > 1;
  }

  /** The child whose level is `path` from `start` up to `end`. */
  findChild(path: string, start: number, end: number): Child | undefined {
    const level = this.#onlyLevel;
    if (level !== null) {
      return level.length === end - start && path.startsWith(level, start) ? (this.#children as Child) : undefined;
    }
    // Most misses happen on nodes without children: cut the level out only when there is something to look up.
    return (this.#children as Map<string, Child> | null)?.get(path.slice(start, end));
  }

  /** Hangs in a child whose level is not there yet. @param level in memory of its own */
  addChild(level: string, child: Child): void {
    if (this.#onlyLevel !== null) {
      this.#children = new Map([
        [this.#onlyLevel, this.#children as Child],
        [level, child],
      ]);
      this.#onlyLevel = null;
    } else if (this.#children === null) {
      this.#onlyLevel = level;
      this.#children = child;
    } else {
      (this.#children as Map<string, Child>).set(level, child);
    }
  }

  /** Puts something else in the place of a child that is there. */
  replaceChild(path: string, start: number, end: number, child: Child): void {
    if (this.#onlyLevel !== null) this.#children = child;
    else (this.#children as Map<string, Child>).set(path.slice(start, end), child);
  }

  /** Takes a child out that is there. */
  removeChild(path: string, start: number, end: number): void {
    if (this.#onlyLevel !== null) {
      this.#onlyLevel = null;
      this.#children = null;
      return;
    }
    const children = this.#children as Map<string, Child>;
    children.delete(path.slice(start, end));
    if (children.size === 0) this.#children = null;
  }

  /**
   * All children, lazily: if the tree changes on the way, every level that is there all the time is given exactly once,
   * with what stands there at that moment; one that comes meanwhile may be given or not.
   */
  children(): Iterator<Child, undefined> {
    if (this.#onlyLevel !== null) return this.#onlyOne(this.#onlyLevel);
    return ((this.#children as Map<string, Child> | null) ?? []).values();
  }

  *#onlyOne(level: string): Generator<Child, undefined> {
    const child = this.findChild(level, 0, level.length);
    if (child !== undefined) yield child;
    return undefined;
  }
}
