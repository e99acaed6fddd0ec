import { describe, expect, it } from 'vitest';
import { BlockMarks } from '../../../src/store/block-marks.js';
import type { RecordOutline } from '../../../src/store/message-record.js';
import { encodeMarks, StoredMarks } from '../../../src/store/stored-marks.js';
import { append } from '../../support/log-reading.js';
import { StandInLog } from '../../support/stand-in-log.js';

const ENTRIES = [{ queue: 1, bytes: Buffer.from('e') }];

/** Messages with an entry and one reference, settled on the disk in blocks of ten. */
async function fill(opened: StandInLog, count: number): Promise<number[]> {
  const sequences: number[] = [];
  for (let i = 0; i < count; i++) {
    sequences.push(append(opened.log, 'x'.repeat(1000), { entries: ENTRIES }));
    if (i % 10 === 9) await opened.commit();
  }
  await opened.commit();
  return sequences;
}

/** Counts the messages that wait in queue 1. */
function waitingCounter() {
  const counter = {
    waiting: 0,
    referencesOf: ({ entries }: Readonly<RecordOutline>): number => {
      const waiting = entries.filter(({ isSettled }) => !isSettled).length;
      counter.waiting += waiting;
      return waiting;
    },
  };
  return counter;
}

describe('marks of queues: what is written', () => {
  it('is one value for each block and commit, and nothing of the block itself', async () => {
    const opened = new StandInLog();
    const sequences = await fill(opened, 30);
    const { writes, marksWrites } = opened.blocks;
    const before = writes.length;
    for (const at of [0, 1, 2, 12, 13]) opened.log.settle(1, sequences[at] as number, true);
    await opened.commit();
    opened.log.settle(1, sequences[14] as number, true);
    await opened.commit();
    expect(marksWrites.map(({ number }) => number)).toEqual([1, 11, 11]);
    expect(Math.max(...marksWrites.map(({ bytes }) => bytes))).toBeLessThan(20);
    expect(writes.length).toBe(before);
  });

  it('is nothing for what was settled before its block was written', async () => {
    const opened = new StandInLog();
    for (let i = 0; i < 10; i++) opened.log.settle(1, append(opened.log, 'x', { entries: ENTRIES }), true);
    await opened.commit();
    expect([opened.blocks.writes, opened.blocks.marksWrites, opened.blocks.stored]).toEqual([[], [], []]);
    expect(opened.settledTicket).toBe(1);
  });

  it('comes with the first write of a block whose messages were to stay in memory', async () => {
    const opened = new StandInLog(20_000);
    const sequences = Array.from({ length: 100 }, () =>
      append(opened.log, 'x'.repeat(1000), { entries: ENTRIES, durability: 'memory' }),
    );
    opened.log.settle(1, sequences[0] as number, true);
    opened.log.settle(1, sequences[1] as number, true);
    append(opened.log, 'x'.repeat(70_000));
    await opened.commit();
    const counter = waitingCounter();
    await opened.reopen(counter.referencesOf);
    expect(opened.blocks.storedMarks).toEqual([1]);
    expect(counter.waiting).toBeLessThanOrEqual(98);
    expect(counter.waiting).toBeGreaterThan(50);
  });

  it('is removed in the commit that removes the block', async () => {
    const opened = new StandInLog();
    const sequences = await fill(opened, 10);
    for (const sequence of sequences.slice(0, 5)) opened.log.settle(1, sequence, true);
    await opened.commit();
    expect(opened.blocks.storedMarks).toEqual([1]);
    for (const sequence of sequences.slice(5)) opened.log.settle(1, sequence, true);
    opened.committer.commit();
    opened.committer.settle(1);
    expect([opened.blocks.stored, opened.blocks.storedMarks]).toEqual([[], []]);
  });

  it('is removed when there is nothing to say any more', async () => {
    const opened = new StandInLog();
    let state: Buffer | null = Buffer.from('s');
    opened.log.setQueueStates({ encodeState: () => state });
    const [sequence] = (await fill(opened, 10)) as [number];
    opened.log.stateChanged(1, sequence, true);
    await opened.commit();
    expect(opened.blocks.storedMarks).toEqual([1]);
    state = null;
    opened.log.stateChanged(1, sequence, true);
    await opened.commit();
    expect(opened.blocks.storedMarks).toEqual([]);
  });

  it('is nothing for who has no queues', async () => {
    const opened = new StandInLog();
    const sequences = Array.from({ length: 50 }, () => append(opened.log, 'x'.repeat(1000)));
    await opened.commit();
    for (const sequence of sequences) opened.log.release(sequence);
    await opened.commit();
    expect(opened.blocks.marksWrites).toEqual([]);
  });
});

describe('marks of queues: damage', () => {
  it('makes the messages of the block come again, and is told with their number, once', async () => {
    const opened = new StandInLog();
    const sequences = await fill(opened, 30);
    for (const sequence of sequences) if (sequence % 2 === 0) opened.log.settle(1, sequence, true);
    await opened.commit();
    opened.blocks.damageMarks(11);
    const first = waitingCounter();
    const next = await opened.reopen(first.referencesOf);
    expect([first.waiting, next.log.messages, next.marksDamages, next.damages]).toEqual([20, 20, [10], []]);
    await next.commit();
    const second = waitingCounter();
    const third = await next.reopen(second.referencesOf);
    expect([second.waiting, third.marksDamages]).toEqual([20, []]);
  });

  it('of the block takes its marks with it', async () => {
    const opened = new StandInLog();
    const [sequence] = (await fill(opened, 20)) as [number];
    opened.log.settle(1, sequence, true);
    await opened.commit();
    opened.blocks.damage(1);
    const next = await opened.reopen();
    await next.commit();
    expect([next.damages, next.marksDamages, next.blocks.stored, next.blocks.storedMarks]).toEqual([
      [10],
      [],
      [11],
      [],
    ]);
  });

  it('that took a block leaves no marks behind', async () => {
    const opened = new StandInLog();
    const sequences = await fill(opened, 30);
    for (const sequence of sequences) if (sequence % 2 === 0) opened.log.settle(1, sequence, true);
    await opened.commit();
    for (const number of [1, 21]) opened.committer.disk.delete(`log:${number}`);
    const counter = waitingCounter();
    const next = await opened.reopen(counter.referencesOf);
    await next.commit();
    expect([counter.waiting, next.blocks.stored, next.blocks.storedMarks]).toEqual([5, [11], [11]]);
  });
});

describe('the marks of a block', () => {
  const block = { number: 70_000, first: 70_000, count: 40, isLive: (sequence: number) => sequence % 5 !== 0 };

  function encoded(): Buffer {
    const marks = new BlockMarks();
    marks.noteSettled(3, 33, 40);
    marks.noteSettled(300, 1, 40);
    for (const offset of [2, 38]) marks.noteState(3, offset, 40);
    const states = { encodeState: (queue: number, sequence: number) => Buffer.from(`${queue}/${sequence}`) };
    return Buffer.from(encodeMarks(block, marks, states) as Buffer);
  }

  it('are stored as docs/storage-format.md says', () => {
    const value = encoded();
    const done = ['00', '05', '2184104208'];
    const three = ['03', '0401', '02', '03', '07', '332f3730303032', '24', '07', '332f3730303338', '00'];
    const threeHundred = ['ac02', '0001', '02', '00'];
    const header = ['000000011170'];
    expect(value[0]).toBe(1);
    expect(value.subarray(5).toString('hex')).toBe([...header, ...done, ...three, ...threeHundred].join(''));
  });

  it('are refused when any byte has changed, or is missing, or when they are another block’s', () => {
    const value = encoded();
    for (let at = 0; at < value.length; at++) {
      for (const flip of [1, 0x80, 0xff]) {
        const damaged = Buffer.from(value);
        damaged[at] = (value[at] as number) ^ flip;
        expect(StoredMarks.decode(damaged, block.number), `byte ${at}`).toBeNull();
      }
      expect(StoredMarks.decode(value.subarray(0, at), block.number), `${at} bytes`).toBeNull();
    }
    expect(StoredMarks.decode(value, block.number + 1)).toBeNull();
    expect(StoredMarks.decode(value, block.number)).not.toBeNull();
  });
});
