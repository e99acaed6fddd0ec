/** Sequence numbers, lowest first: a binary heap. What is not wanted any more is found out by who takes it. */
export class SequenceHeap {
  readonly #items: number[] = [];

  get length(): number {
    return this.#items.length;
  }

  /** The lowest; undefined if it is empty. */
  get lowest(): number | undefined {
    return this.#items[0];
  }

  push(sequence: number): void {
    const items = this.#items;
    let at = items.length;
    items.push(sequence);
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      const other = items[parent] as number;
      if (other <= sequence) break;
      items[at] = other;
      at = parent;
    }
    items[at] = sequence;
  }

  takeLowest(): number | undefined {
    const items = this.#items;
    const lowest = items[0];
    const last = items.pop();
    if (items.length === 0 || last === undefined) return lowest;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && (items[child + 1] as number) < (items[child] as number)) child++;
      if ((items[child] as number) >= last) break;
      items[at] = items[child] as number;
      at = child;
    }
    items[at] = last;
    return lowest;
  }
}
