import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { StoredBlock } from '../../../src/store/block-store.js';
import { type NumberedValue, withMarks } from '../../../src/store/stored-blocks.js';

async function* valuesOf(numbers: readonly number[]): AsyncGenerator<NumberedValue> {
  for (const number of numbers) yield [number, Buffer.from(String(number))];
}

const numbersArbitrary = fc
  .uniqueArray(fc.nat(30), { maxLength: 15 })
  .map((numbers) => numbers.toSorted((a, b) => a - b));

it('gives each block its marks, and tells of marks without a block', async () => {
  await fc.assert(
    fc.asyncProperty(numbersArbitrary, numbersArbitrary, async (blocks, marks) => {
      const found: StoredBlock[] = [];
      for await (const stored of withMarks(valuesOf(blocks), valuesOf(marks))) found.push(stored);
      const bytesOf = (number: number, numbers: number[]) =>
        numbers.includes(number) ? Buffer.from(String(number)) : null;
      const expected = [...new Set([...blocks, ...marks])]
        .sort((a, b) => a - b)
        .map((number) => ({ number, value: bytesOf(number, blocks), marks: bytesOf(number, marks) }));
      expect(found).toEqual(expected);
    }),
  );
});
