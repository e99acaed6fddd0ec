/**
 * Objects in the order in which they came, linked by fields of their own: adding and removing is O(1) and allocates nothing.
 *
 * It stands where a Set would, for objects that come and go by the thousand in a second. A Set that is filled and emptied is given a new table
 * again and again, and the engine leaves in each table that it gives up a reference to the next one, and all that stood in it. Once one of
 * them is in the old generation, everything that ever was in the Set outlives the young generation, until a full collection.
 */

/** An object can be in one list at a time. The fields are the list's. */
export interface Linked<T> {
  before: T | null;
  behind: T | null;
}

export class LinkedList<T extends Linked<T>> {
  #first: T | null = null;
  #last: T | null = null;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get first(): T | null {
    return this.#first;
  }

  /** @param item that is in no list */
  add(item: T): void {
    item.before = this.#last;
    if (this.#last === null) this.#first = item;
    else this.#last.behind = item;
    this.#last = item;
    this.#size++;
  }

  /** @returns false if it is not in the list, nor in another one */
  delete(item: T): boolean {
    if (item.before === null && this.#first !== item) return false;
    if (item.before === null) this.#first = item.behind;
    else item.before.behind = item.behind;
    if (item.behind === null) this.#last = item.before;
    else item.behind.before = item.before;
    // What has left must not hold what came later.
    item.before = null;
    item.behind = null;
    this.#size--;
    return true;
  }

  clear(): void {
    for (let item = this.#first; item !== null; item = this.#first) this.delete(item);
  }

  /** The item that is looked at may be removed meanwhile, but none that comes behind it. */
  *[Symbol.iterator](): IterableIterator<T> {
    for (let item = this.#first; item !== null; ) {
      const next: T | null = item.behind;
      yield item;
      item = next;
    }
  }
}
