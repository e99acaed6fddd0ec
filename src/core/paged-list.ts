/**
 * A list that may become long, in pages: it grows without a copy, and without room of which a third is empty. A short one takes
 * no more than an array.
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
  readonly #pages: (Item | undefined)[][] = [];
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
    if ((index & IN_PAGE) === 0) this.#pages.push(index === 0 ? [] : new Array(PAGE_SIZE));
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
