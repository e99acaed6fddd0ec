import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Linked, LinkedList } from '../../../src/core/linked-list.js';

class Item implements Linked<Item> {
  before: Item | null = null;
  behind: Item | null = null;
}

describe('a linked list', () => {
  it('holds what a Set would hold, in the same order', () => {
    const step = fc.tuple(fc.boolean(), fc.nat(7));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const items = Array.from({ length: 8 }, () => new Item());
        const list = new LinkedList<Item>();
        const model = new Set<Item>();
        for (const [isAdded, at] of steps) {
          const item = items[at] as Item;
          if (!isAdded) expect(list.delete(item)).toBe(model.delete(item));
          else if (!model.has(item)) {
            list.add(item);
            model.add(item);
          }
          expect([...list]).toEqual([...model]);
          expect(list.size).toBe(model.size);
          expect(list.first).toBe([...model][0] ?? null);
        }
      }),
    );
  });

  it('leaves nothing of its neighbours in what has left', () => {
    const items = [new Item(), new Item(), new Item()] as const;
    const list = new LinkedList<Item>();
    for (const item of items) list.add(item);
    list.delete(items[1]);
    expect(items[1]).toMatchObject({ before: null, behind: null });
    list.clear();
    for (const item of items) expect(item).toMatchObject({ before: null, behind: null });
    expect(list.size).toBe(0);
  });

  it('can lose the item that is looked at', () => {
    const list = new LinkedList<Item>();
    for (let count = 0; count < 5; count++) list.add(new Item());
    for (const item of list) list.delete(item);
    expect([...list]).toEqual([]);
  });
});
