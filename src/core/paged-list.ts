/**
 * A list that may become long, in pages: it grows without a copy, and without room of which a third is empty. As long as it has one
 * page, this one doubles: V8 would give an array that grows room for seventeen at once, and most lists have three.
 */
const PAGE_BITS = 8;
const PAGE_SIZE = 1 << PAGE_BITS;
const IN_PAGE = PAGE_SIZE - 1;

/** The list for those who do not change it. Whoever walks through it does so at once. */
export interface ReadonlyPagedList<Item> extends Iterable<Item> {
  readonly size: number;
  /** @param index below {@link size} */
  at(index: number): Item;
}

export class PagedList<Item> implements ReadonlyPagedList<Item> {
  #pages: (Item | undefined)[][] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  at(index: number): Item {
    return (this.#pages[index >>> PAGE_BITS] as Item[])[index & IN_PAGE] as Item;
  }

  /** @param index below {@link size} */
  replace(index: number, item: Item): void {
    (this.#pages[index >>> PAGE_BITS] as Item[])[index & IN_PAGE] = item;
  }

  append(item: Item): void {
    const index = this.#size++;
    if (index < PAGE_SIZE) {
      const isPowerOfTwo = (index & (index - 1)) === 0;
      if (isPowerOfTwo) this.#pages = [enlarged(this.#pages[0], Math.max(1, 2 * index))];
    } else if ((index & IN_PAGE) === 0) this.#pages.push(new Array(PAGE_SIZE));
    this.replace(index, item);
  }

  /** undefined if the list is empty. */
  takeLast(): Item | undefined {
    if (this.#size === 0) return undefined;
    const index = --this.#size;
    const page = this.#pages[index >>> PAGE_BITS] as (Item | undefined)[];
    const last = page[index & IN_PAGE];
    if ((index & IN_PAGE) === 0) this.#pages.pop();
    else page[index & IN_PAGE] = undefined;
    return last;
  }

  *[Symbol.iterator](): IterableIterator<Item> {
    for (let index = 0; index < this.#size; index++) yield this.at(index);
  }
}

/** A page of exactly this size, with what is in the first half of it. */
function enlarged<Item>(page: readonly Item[] | undefined, size: number): (Item | undefined)[] {
  const larger = new Array<Item | undefined>(size);
  for (let at = 0; at < size >>> 1; at++) larger[at] = page?.[at];
  return larger;
}
