/** Reads blocks and their marks, which stand in two ranges, side by side: neither is ever in memory as a whole. */
import type { StoredBlock } from './block-store.js';

export type NumberedValue = readonly [number: number, value: Buffer];

/** Both in the order of their numbers. Marks without a block come with the next block, before it, or at the end. */
export async function* withMarks(
  blocks: AsyncIterable<NumberedValue>,
  marks: AsyncGenerator<NumberedValue>,
): AsyncGenerator<StoredBlock> {
  try {
    let next = await marks.next();
    for await (const [number, value] of blocks) {
      for (; next.done !== true && next.value[0] < number; next = await marks.next()) yield orphanOf(next.value);
      if (next.done === true || next.value[0] > number) yield { number, value, marks: null };
      else {
        yield { number, value, marks: next.value[1] };
        next = await marks.next();
      }
    }
    for (; next.done !== true; next = await marks.next()) yield orphanOf(next.value);
  } finally {
    await marks.return(undefined);
  }
}

function orphanOf([number, marks]: NumberedValue): StoredBlock {
  return { number, value: null, marks };
}
