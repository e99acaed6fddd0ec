import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { judgeLogEnd, type LogEnd } from '../../../src/store/log-end.js';
import { BATCH_HEADER_BYTES, logBytesAfter, operationBytes, sortedLogs } from '../../../src/store/log-format.js';
import { type NativeBatch, NativeLevel } from '../../../src/store/native-level.js';
import { RandomSource } from '../../durability/support/random-source.js';

const ROOM = 40_000;
const PAGE = 4096;
const SECTOR = 512;
/** The last batch is in several blocks. */
const SIZES = [10, 3000, 40_000, 500, 100_000];

let records: Buffer;
/** Where each batch begins, and the last one ends. */
let borders: readonly number[];

/** The log of batches with a value each. @param lastByte of the values, which have no zeros otherwise */
async function writtenLog(
  sizes: readonly number[],
  lastByte: number,
): Promise<{ readonly log: Buffer; readonly starts: readonly number[] }> {
  const location = await mkdtemp(join(tmpdir(), 'millrace-'));
  const level = new NativeLevel(location, { keyEncoding: 'utf8', valueEncoding: 'buffer' });
  await level.open();
  const batch = level._chainedBatch() as NativeBatch;
  const random = new RandomSource(3);
  const starts = [0];
  for (const size of sizes) {
    const value = Buffer.from(Array.from({ length: size }, () => random.integer(1, 255)));
    value[size - 1] = lastByte;
    batch._clear();
    batch._put('k', value);
    await batch._write({ sync: false });
    starts.push(logBytesAfter(starts.at(-1) as number, BATCH_HEADER_BYTES + operationBytes('k', value)));
  }
  const log = await readFile(join(location, sortedLogs(await readdir(location)).at(-1) as string));
  await level.close();
  await rm(location, { recursive: true });
  return { log, starts };
}

/** With room behind. */
async function smallBatches(
  count: number,
  size: number,
  lastByte: number,
): Promise<{ readonly log: Buffer; readonly starts: readonly number[] }> {
  const { log, starts } = await writtenLog(Array(count).fill(size), lastByte);
  return { log: Buffer.concat([log, Buffer.alloc(ROOM)]), starts };
}

beforeAll(async () => {
  ({ log: records, starts: borders } = await writtenLog(SIZES, 1));
});

const start = (index: number): number => borders.at(index) as number;

/** The first part of the log, with room behind. */
function cutAt(bytes: number): Buffer {
  return Buffer.concat([records.subarray(0, bytes), Buffer.alloc(ROOM)]);
}

function flipped(log: Buffer, position: number): Buffer {
  const copy = Buffer.from(log);
  copy[position] = (copy[position] as number) ^ 0x10;
  return copy;
}

describe('the end of a log', () => {
  it('is whole, with room and without', () => {
    const end: LogEnd = { state: 'whole', wholeBytes: records.length };
    expect(start(-1)).toBe(records.length);
    expect(judgeLogEnd(records)).toEqual(end);
    expect(judgeLogEnd(cutAt(records.length))).toEqual(end);
    expect(judgeLogEnd(Buffer.alloc(0))).toEqual({ state: 'whole', wholeBytes: 0 });
    expect(judgeLogEnd(Buffer.alloc(ROOM))).toEqual({ state: 'whole', wholeBytes: 0 });
  });

  it.each([0, 2, 4])('is torn wherever the write of batch %i was cut off', (index) => {
    for (let cut = start(index) + 1; cut < start(index + 1); cut += cut < start(index) + 50 ? 1 : 197) {
      const end: LogEnd = { state: 'torn', wholeBytes: start(index) };
      expect(judgeLogEnd(cutAt(cut)), `${cut}`).toEqual(end);
      expect(judgeLogEnd(records.subarray(0, cut)), `${cut}, no room`).toEqual(end);
    }
    expect(judgeLogEnd(cutAt(start(index + 1) - 1)).state).toBe('torn');
  });

  it('is torn whichever pages of the last batch have not reached the disk', () => {
    const random = new RandomSource(5);
    const first = start(-2);
    for (let round = 0; round < 300; round++) {
      const log = cutAt(records.length);
      let holes = 0;
      for (let page = first - (first % PAGE) + PAGE; page < records.length; page += PAGE) {
        if (random.chance(0.3)) {
          log.fill(0, page, Math.min(page + PAGE, records.length));
          holes++;
        }
      }
      expect(judgeLogEnd(log)).toEqual(
        holes === 0 ? { state: 'whole', wholeBytes: records.length } : { state: 'torn', wholeBytes: first },
      );
    }
  });

  it('is damaged where bits have changed, in the last batch too', () => {
    for (let position = 0; position < records.length; position += 397) {
      const { state, wholeBytes } = judgeLogEnd(flipped(cutAt(records.length), position));
      expect(state, `${position}`).toBe('damaged');
      expect(wholeBytes).toBe(borders.findLast((border) => border <= position));
    }
  });

  it('is damaged where a part is missing with batches behind it', () => {
    const log = cutAt(records.length);
    log.fill(0, start(2) + PAGE, start(2) + 2 * PAGE);
    expect(judgeLogEnd(log)).toEqual({ state: 'damaged', wholeBytes: start(2) });
  });

  it('is damaged where a sector is missing with batches behind it in the same block', async () => {
    const { log, starts } = await smallBatches(50, 400, 1);
    const holed = Buffer.from(log);
    holed.fill(0, 4 * SECTOR, 5 * SECTOR);
    const wholeBytes = starts.findLast((border) => border <= 4 * SECTOR) as number;
    expect(judgeLogEnd(holed)).toEqual({ state: 'damaged', wholeBytes });
  });

  it('is damaged where a bit has changed in a batch that ends with zeros, with batches behind it', async () => {
    const { log, starts } = await smallBatches(50, 400, 0);
    // Every byte of a batch that is not the last one: its header too.
    for (let position = starts[20] as number; position < (starts[21] as number); position++) {
      expect(judgeLogEnd(flipped(log, position)), `${position}`).toEqual({ state: 'damaged', wholeBytes: starts[20] });
    }
  });

  it('is damaged where the end of a batch is missing with batches behind it in the last block', async () => {
    // Batch 4 lacks its end, and more has been written behind it, in the same block.
    const { log: all, starts } = await writtenLog([...SIZES, 400, 400], 1);
    const holed = Buffer.from(all);
    const end = starts[5] as number;
    holed.fill(0, end - (end % SECTOR) - 2 * SECTOR, end - (end % SECTOR));
    expect(judgeLogEnd(holed)).toEqual({ state: 'damaged', wholeBytes: starts[4] });
  });

  it('is damaged where a header has changed to what no write leaves behind', () => {
    const log = cutAt(records.length);
    for (const bit of [0x10, 0x80]) {
      const copy = Buffer.from(log);
      copy[start(-2) + 6] = (copy[start(-2) + 6] as number) ^ bit;
      expect(judgeLogEnd(copy).state).toBe('damaged');
    }
  });
});
