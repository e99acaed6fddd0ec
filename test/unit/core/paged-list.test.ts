import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PagedList } from '../../../src/core/paged-list.js';

/** Around the sizes of its first page, and the boundaries of pages. */
const sizes = fc.constantFrom(0, 1, 2, 3, 5, 9, 255, 256, 257, 511, 512, 513, 1000);

describe('PagedList', () => {
  it('has what an array has, however it has grown and shrunk', () => {
    fc.assert(
      fc.property(fc.array(sizes, { minLength: 1, maxLength: 8 }), fc.nat(), (aims, seed) => {
        const list = new PagedList<number>();
        const array: number[] = [];
        for (const [round, aim] of aims.entries()) {
          for (let item = round * 1000; array.length < aim; item++) {
            array.push(item);
            list.append(item);
          }
          while (array.length > aim) expect(list.takeLast()).toBe(array.pop());
          if (aim > 0) {
            array[seed % aim] = -round;
            list.replace(seed % aim, -round);
          }
          expect(list.size).toBe(aim);
          expect([...list]).toEqual(array);
          if (aim > 0) expect(list.at(aim - 1)).toBe(array[aim - 1]);
        }
        while (array.length > 0) expect(list.takeLast()).toBe(array.pop());
        expect(list.takeLast()).toBeUndefined();
      }),
    );
  });
});
