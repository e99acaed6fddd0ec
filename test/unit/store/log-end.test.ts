import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { judgeLogEnd, type LogEnd } from '../../../src/store/log-end.js';
import { BATCH_HEADER_BYTES, logBytesAfter, operationBytes, sortedLogs } from '../../../src/store/log-format.js';
import { type NativeBatch, NativeLevel } from '../../../src/store/native-level.js';
import { RandomSource } from '../../durability/support/random-source.js';

const ROOM = 100_000;
const PAGE = 4096;
/** The last batch is in several blocks. */
const SIZES = [10, 3000, 40_000, 500, 100_000];

let records: Buffer;
/** Where each batch begins, and the last one ends. */
const borders = [0];

beforeAll(async () => {
  const location = await mkdtemp(join(tmpdir(), 'millrace-'));
  const level = new NativeLevel(location, { keyEncoding: 'utf8', valueEncoding: 'buffer' });
  await level.open();
  const batch = level._chainedBatch() as NativeBatch;
  const random = new RandomSource(3);
  for (const size of SIZES) {
    const value = Buffer.from(Array.from({ length: size }, () => random.integer(1, 255)));
    batch._clear();
    batch._put('k', value);
    await batch._write({ sync: false });
    borders.push(logBytesAfter(borders.at(-1) as number, BATCH_HEADER_BYTES + operationBytes('k', value)));
  }
  records = await readFile(join(location, sortedLogs(await readdir(location)).at(-1) as string));
  await level.close();
  await rm(location, { recursive: true });
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
});
