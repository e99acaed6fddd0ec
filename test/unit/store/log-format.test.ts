import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { BATCH_HEADER_BYTES, logBytesAfter, operationBytes, sortedLogs } from '../../../src/store/log-format.js';
import { type NativeBatch, NativeLevel } from '../../../src/store/native-level.js';
import { RandomSource } from '../../durability/support/random-source.js';
import { createTemporaryDirectory } from '../../support/temporary-directory.js';

const random = new RandomSource(7);
const LETTERS = ['k', 'é', '€', '😀', '\ud83d', '\0'];

function newKey(): string {
  return Array.from({ length: random.integer(0, 300) }, () => random.pick(LETTERS)).join('');
}

/** Puts operations into the batch. @returns what they take, by our account */
function fill(batch: NativeBatch, operations: number, largestValue: number): number {
  let bytes = BATCH_HEADER_BYTES;
  for (let i = 0; i < operations; i++) {
    const key = random.chance(0.5) ? newKey() : Buffer.from(newKey());
    if (random.chance(0.3)) {
      batch._del(key);
      bytes += operationBytes(key);
    } else {
      const value = Buffer.alloc(random.integer(0, largestValue), i);
      batch._put(key, value);
      bytes += operationBytes(key, value);
    }
  }
  return bytes;
}

it('knows the length of LevelDB’s log to the byte, whatever batches it is given', async () => {
  const location = join(await createTemporaryDirectory(), 'store');
  const level = new NativeLevel(location, { keyEncoding: 'utf8', valueEncoding: 'buffer' });
  await level.open();
  onTestFinished(() => level.close());
  const batch = level._chainedBatch() as NativeBatch;
  let log = '';
  let bytes = 0;
  let logs = 0;
  for (let round = 0; round < 200; round++) {
    batch._clear();
    const [operations, largestValue] = random.pick([
      [1, 20],
      [1, 40_000],
      [3, 1_000_000],
      [2000, 5],
      [100, 400],
    ] as const);
    const batchBytes = fill(batch, operations, largestValue);
    await batch._write({ sync: false });
    const newest = sortedLogs(await readdir(location)).at(-1) as string;
    if (newest !== log) {
      log = newest;
      bytes = 0;
      logs++;
    }
    bytes = logBytesAfter(bytes, batchBytes);
    expect((await stat(join(location, log))).size, `round ${round}`).toBe(bytes);
  }
  expect(logs).toBeGreaterThan(3);
});

it.each([
  // A header ends the block.
  [0, 32_761 - 12, 32_768 - 12],
  [32_755, 5, 32_755 + 7 + 5],
  // Only a header has room: the batch begins with an empty part.
  [32_761, 12, 32_768 + 19],
  // Not even a header has.
  [32_762, 12, 32_768 + 19],
  [32_767, 12, 32_768 + 19],
  [0, 32_762, 32_768 + 8],
  [0, 65_522, 65_536],
])('a log of %i bytes and a batch of %i make %i', (before, batch, after) => {
  expect(logBytesAfter(before, batch)).toBe(after);
});
