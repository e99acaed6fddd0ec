import { describe, expect, it } from 'vitest';
import { append, payloadOf, readPayload } from '../../support/log-reading.js';
import { StandInLog } from '../../support/stand-in-log.js';

/** Appends `count` messages of about `bytes` each, every `perCommit` of them settled together. */
async function fill(opened: StandInLog, count: number, bytes: number, perCommit = 10): Promise<number[]> {
  const sequences: number[] = [];
  for (let i = 0; i < count; i++) {
    sequences.push(append(opened.log, `${i}`.padEnd(bytes, '.')));
    if (i % perCommit === perCommit - 1) await opened.commit();
  }
  await opened.commit();
  return sequences;
}

/** Which of the messages are in memory. */
function loaded(opened: StandInLog, sequences: readonly number[]): number[] {
  return sequences.filter((sequence) => typeof payloadOf(opened.log, sequence) === 'string');
}

describe('MessageLog: what is written', () => {
  it('is the open block in each commit that adds to it, until it has 4 KB', async () => {
    const opened = new StandInLog();
    await fill(opened, 9, 1050, 1);
    const { writes } = opened.blocks;
    expect(writes.map(({ number }) => number)).toEqual([1, 1, 1, 1, 5, 5, 5, 5, 9]);
    expect(writes.every(({ isSynced }) => isSynced)).toBe(true);
    expect(writes[3]?.bytes).toBeGreaterThan(4000);
  });

  it('is nothing where nothing was added', async () => {
    const opened = new StandInLog();
    await fill(opened, 1, 10);
    opened.committer.require();
    await opened.commit();
    expect(opened.blocks.writes.length).toBe(1);
  });

  it('is several blocks when a commit has more than one takes', async () => {
    const opened = new StandInLog();
    await fill(opened, 200, 1000, 200);
    expect(opened.blocks.writes.length).toBe(4);
    for (const { bytes } of opened.blocks.writes) expect(bytes).toBeLessThanOrEqual(64 * 1024);
  });

  it('is not what has been acknowledged before its commit', async () => {
    const opened = new StandInLog();
    const sequence = append(opened.log, 'x');
    opened.log.release(sequence);
    await opened.commit();
    expect(opened.blocks.writes).toEqual([]);
    expect(opened.blocks.stored).toEqual([]);
  });

  it('is not synced for level os', async () => {
    const opened = new StandInLog();
    append(opened.log, 'x', { durability: 'os' });
    await opened.commit();
    append(opened.log, 'x', { durability: 'os' });
    append(opened.log, 'x', { durability: 'fsync' });
    await opened.commit();
    append(opened.log, 'x', { durability: 'os' });
    await opened.commit();
    expect(opened.blocks.writes.map(({ isSynced }) => isSynced)).toEqual([false, true, false]);
  });

  it('is counted until its commit closes', () => {
    const opened = new StandInLog();
    append(opened.log, 'x'.repeat(100_000));
    append(opened.log, 'x'.repeat(100));
    expect(opened.log.unwrittenBytes).toBeGreaterThan(100_100);
    opened.committer.commit();
    expect(opened.log.unwrittenBytes).toBe(0);
  });
});

describe('MessageLog: blocks', () => {
  it('go when nobody needs a message of them, in whatever order', async () => {
    const opened = new StandInLog();
    const sequences = await fill(opened, 100, 1000);
    expect(opened.blocks.stored.length).toBe(10);
    for (const sequence of sequences.slice(25).reverse()) opened.log.release(sequence);
    await opened.commit();
    expect(opened.blocks.stored.length).toBe(3);
    for (const sequence of sequences.slice(0, 25)) opened.log.release(sequence);
    await opened.commit();
    expect(opened.blocks.stored).toEqual([]);
    expect([opened.log.messages, opened.log.storedBytes]).toEqual([0, 0]);
  });

  it('go when they were written, and are sealed with nothing that is needed', async () => {
    const opened = new StandInLog();
    const first = append(opened.log, 'x');
    await opened.commit();
    opened.log.release(first);
    append(opened.log, 'x'.repeat(70_000));
    await opened.commit();
    expect(opened.blocks.drops).toEqual([first]);
    expect(opened.blocks.stored.length).toBe(1);
  });

  it('are packed when few messages of them are needed', async () => {
    const opened = new StandInLog();
    const sequences = await fill(opened, 600, 100, 600);
    const before = opened.log.storedBytes;
    for (const sequence of sequences) if (sequence % 100 !== 0) opened.log.release(sequence);
    opened.committer.require();
    await opened.commit();
    expect(opened.log.storedBytes).toBeLessThan(before / 10);
    for (let i = 100; i <= 600; i += 100) expect(payloadOf(opened.log, i)?.startsWith(`${i - 1}.`)).toBe(true);
    const next = await opened.reopen(({ sequence }) => (sequence % 100 === 0 ? 1 : 0));
    expect(next.log.messages).toBe(6);
    for (let i = 100; i <= 600; i += 100) {
      expect((await readPayload(next.log, i))?.startsWith(`${i - 1}.`)).toBe(true);
      next.log.release(i);
    }
    await next.commit();
    expect(next.blocks.stored).toEqual([]);
  });

  it('are read for packing when they are not in memory, and go on being read while that takes its time', async () => {
    const opened = new StandInLog(1 << 16);
    const sequences = await fill(opened, 1200, 100, 600);
    append(opened.log, 'x'.repeat(100_000));
    await opened.commit();
    append(opened.log, 'x'.repeat(100_000));
    await opened.commit();
    expect(loaded(opened, [1])).toEqual([]);
    await readPayload(opened.log, 1);
    opened.blocks.holdReads();
    for (const sequence of sequences) if (sequence % 50 !== 0) opened.log.release(sequence);
    opened.committer.require();
    await opened.commit();
    const read = readPayload(opened.log, 50);
    opened.blocks.releaseReads();
    expect((await read)?.startsWith('49.')).toBe(true);
    for (let i = 0; i < 10; i++) {
      opened.committer.require();
      await opened.commit();
      await new Promise((resolve) => setImmediate(resolve));
    }
    const packed = opened.blocks.writes.filter(({ bytes }) => bytes < 4000);
    expect(packed.length).toBeGreaterThan(0);
    for (let i = 50; i <= 1200; i += 50) expect((await readPayload(opened.log, i))?.startsWith(`${i - 1}.`)).toBe(true);
  });
});

describe('MessageLog: memory', () => {
  it('holds no more blocks than the cache may, once they are settled', async () => {
    const opened = new StandInLog(100_000);
    const sequences = await fill(opened, 1000, 1000);
    const inMemory = loaded(opened, sequences);
    expect(inMemory.length).toBeLessThanOrEqual(110);
    expect(inMemory.length).toBeGreaterThan(50);
    // Those used last.
    expect(inMemory).toEqual(sequences.slice(-inMemory.length));
  });

  it('keeps what was used last', async () => {
    const opened = new StandInLog(100_000);
    const sequences = await fill(opened, 80, 1000);
    const wanted = sequences[0] as number;
    await readPayload(opened.log, wanted);
    for (let i = 0; i < 100; i++) {
      append(opened.log, 'x'.repeat(5000));
      await opened.commit();
      expect(typeof payloadOf(opened.log, wanted)).toBe('string');
    }
    expect(loaded(opened, sequences).length).toBeLessThan(20);
  });

  it('keeps what is not settled, however much it is', () => {
    const opened = new StandInLog(10_000);
    const sequences = Array.from({ length: 200 }, (_, i) => append(opened.log, `${i}`.padEnd(1000, '.')));
    opened.committer.commit();
    expect(loaded(opened, sequences).length).toBe(200);
    opened.committer.settle();
    append(opened.log, 'x'.repeat(70_000));
    append(opened.log, 'x'.repeat(70_000));
    expect(loaded(opened, sequences).length).toBe(0);
  });

  it('reads a block once for all who wait for it', async () => {
    const opened = await new StandInLog().reopen();
    const sequences = await fill(opened, 10, 100);
    const next = await opened.reopen();
    const told: number[] = [];
    for (const sequence of sequences) {
      expect(next.log.find(sequence, { onLoaded: () => told.push(sequence) })).toBeUndefined();
    }
    await readPayload(next.log, sequences[0] as number);
    expect(told).toEqual(sequences);
    expect(next.blocks.reads).toBe(1);
    expect(loaded(next, sequences)).toEqual(sequences);
  });

  it('has room again when a block that was being read is not needed any more', async () => {
    const opened = new StandInLog(20_000);
    const sequences = await fill(opened, 10, 1000);
    const next = await opened.reopen();
    next.blocks.holdReads();
    const read = readPayload(next.log, sequences[0] as number);
    for (const sequence of sequences) next.log.release(sequence);
    await next.commit();
    next.blocks.releaseReads();
    expect(await read).toBeNull();
    expect(next.damages).toEqual([]);
    expect(next.log.messages).toBe(0);
  });

  it('writes messages of level memory only when they are more than the cache may hold', async () => {
    const opened = new StandInLog(200_000);
    const write = (count: number) =>
      Array.from({ length: count }, (_, i) => append(opened.log, `${i}`.padEnd(1000, '.'), { durability: 'memory' }));
    const first = write(150);
    await opened.commit();
    expect([opened.blocks.writes, opened.settledTicket]).toEqual([[], 0]);
    const all = [...first, ...write(450)];
    await opened.commit();
    expect(opened.blocks.writes.every(({ isSynced }) => !isSynced)).toBe(true);
    append(opened.log, 'x'.repeat(70_000));
    append(opened.log, 'x'.repeat(70_000));
    expect(loaded(opened, all).length).toBeLessThan(250);
    for (const [i, sequence] of all.entries()) {
      expect((await readPayload(opened.log, sequence))?.startsWith(`${i < 150 ? i : i - 150}.`)).toBe(true);
    }
    expect(opened.damages).toEqual([]);
  });

  it('does not let go of messages of level memory that came to a block after it was written', async () => {
    // The block counted as stored, was evicted, and came back without them.
    const opened = new StandInLog(20_000);
    const first = append(opened.log, 'synced');
    await opened.commit();
    const later = append(opened.log, 'in memory only', { durability: 'memory' });
    for (let i = 0; i < 5; i++) append(opened.log, 'x'.repeat(70_000));
    await opened.commit();
    append(opened.log, 'x'.repeat(70_000));
    await opened.commit();
    expect(await readPayload(opened.log, first)).toBe('synced');
    expect(await readPayload(opened.log, later)).toBe('in memory only');
    expect(opened.damages).toEqual([]);
  });
});

describe('MessageLog: a block that cannot be read back', () => {
  it('is reported with the messages that it still had, and these are gone', async () => {
    const opened = await new StandInLog().reopen();
    const sequences = await fill(opened, 10, 1000);
    const next = await opened.reopen();
    const [number] = next.blocks.stored as [number];
    next.blocks.damage(number);
    next.log.release(sequences[0] as number);
    const answers = await Promise.all(sequences.map((sequence) => readPayload(next.log, sequence)));
    expect(answers).toEqual(sequences.map(() => null));
    expect(next.damages).toEqual([9]);
    expect(next.log.messages).toBe(0);
    for (const sequence of sequences) next.log.release(sequence);
    expect(next.log.messages).toBe(0);
  });

  it('is reported at start, and the others are served', async () => {
    const opened = new StandInLog();
    const sequences = await fill(opened, 30, 1000);
    opened.blocks.damage(opened.blocks.stored[1] as number);
    const next = await opened.reopen();
    expect(next.damages.length).toBe(1);
    expect(next.log.messages).toBe(20);
    for (const [i, sequence] of sequences.entries()) {
      const payload = await readPayload(next.log, sequence);
      if (i >= 10 && i < 20) expect(payload).toBeNull();
      else expect(payload?.startsWith(`${i}.`)).toBe(true);
    }
  });

  it('is one that is not there', async () => {
    const opened = new StandInLog();
    const [sequence] = (await fill(opened, 1, 10)) as [number];
    const next = await opened.reopen();
    next.blocks.read = async () => undefined;
    expect(await readPayload(next.log, sequence)).toBeNull();
    expect(next.damages).toEqual([1]);
  });

  it('is read again later when it could not be reached, and not taken for lost', async () => {
    const opened = new StandInLog();
    const [sequence] = (await fill(opened, 1, 10)) as [number];
    const next = await opened.reopen();
    const { read } = next.blocks;
    next.blocks.read = () => Promise.reject(new RangeError('too many open files'));
    const payload = readPayload(next.log, sequence);
    while (next.laterCalls.length === 0) await Promise.resolve();
    next.blocks.read = read;
    for (const again of next.laterCalls.splice(0)) again();
    expect((await payload)?.startsWith('0.')).toBe(true);
    expect(next.damages).toEqual([]);
  });

  it('stays stored while the log is being closed, with a thousand sparse blocks to pack and no reads any more', async () => {
    const opened = new StandInLog(1 << 16);
    const sequences = await fill(opened, 4000, 1000, 20);
    const kept = sequences.filter((_, i) => i % 50 === 0);
    opened.blocks.read = () => Promise.reject(new RangeError('the database is being closed'));
    for (const sequence of sequences) if (!kept.includes(sequence)) opened.log.release(sequence);
    opened.log.close();
    opened.committer.require();
    for (let i = 0; i < 100; i++) await opened.commit();
    const next = await opened.reopen();
    expect(opened.damages).toEqual([]);
    for (const sequence of kept) expect(next.log.has(sequence)).toBe(true);
  });
});
