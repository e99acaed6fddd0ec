import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { PersistentCounter } from '../../../src/store/persistent-counter.js';
import { copyAsAfterCrash } from '../../support/crash-copy.js';
import { FaultyLevel } from '../../support/faulty-level.js';
import { ManualClock } from '../../support/manual-clock.js';
import { createTemporaryDirectory } from '../../support/temporary-directory.js';

async function openLevel(location?: string): Promise<FaultyLevel> {
  const level = new FaultyLevel(location ?? join(await createTemporaryDirectory(), 'store'), {
    clock: new ManualClock(),
    maximumPendingBytes: 1_000_000,
    minimumFreeBytes: 0,
  });
  await level.open();
  onTestFinished(() => level.close());
  return level;
}

/** What a process killed now would open at its next start. */
async function openAfterCrash(level: FaultyLevel): Promise<FaultyLevel> {
  const copy = join(await createTemporaryDirectory(), 'copy');
  await copyAsAfterCrash(level.location, copy);
  return openLevel(copy);
}

function take(counter: PersistentCounter, count: number): number[] {
  return Array.from({ length: count }, () => counter.next());
}

describe('a persistent counter', () => {
  it('counts from its start by one', async () => {
    const counter = new PersistentCounter(await openLevel(), 'c', 5, 10);
    expect(take(counter, 100)).toEqual(Array.from({ length: 100 }, (_, index) => 5 + index));
  });

  it.each([1, 2, 3, 10, 1000])('never repeats a settled number after a crash, in steps of %i', async (step) => {
    let level = await openLevel();
    let highest = 0;
    for (const count of [1, 4, 5, 6, 23]) {
      const counter = await PersistentCounter.load(level, 'c', step);
      const numbers = take(counter, count);
      expect(numbers[0]).toBeGreaterThan(highest);
      highest = numbers.at(-1) as number;
      level.putNow('used', Buffer.from(String(highest)));
      await level.flush();
      level = await openAfterCrash(level);
    }
  });

  it('reserves in the group in which a number can first be used, or before', async () => {
    const level = await openLevel();
    const counter = await PersistentCounter.load(level, 'c', 4);
    for (let i = 0; i < 20; i++) {
      const number = counter.next();
      level.putNow('used', Buffer.alloc(0));
      await level.flush();
      expect(Number(await level.get('meta:counter:c'))).toBeGreaterThan(number);
    }
  });

  it('writes once in half a step, at most', async () => {
    const level = await openLevel();
    const counter = await PersistentCounter.load(level, 'c', 1000);
    for (let i = 0; i < 100; i++) {
      take(counter, 100);
      await level.flush();
    }
    expect(level.writes.length).toBeLessThanOrEqual(20);
  });

  it('wastes nothing at a clean close', async () => {
    const level = await openLevel();
    const counter = await PersistentCounter.load(level, 'c', 1000);
    expect(take(counter, 3)).toEqual([1, 2, 3]);
    counter.release();
    await level.close();
    const next = await PersistentCounter.load(await openLevel(level.location), 'c', 1000);
    expect(next.next()).toBe(4);
  });

  it('is as safe after a release as before', async () => {
    const level = await openLevel();
    const counter = await PersistentCounter.load(level, 'c', 1000);
    take(counter, 3);
    counter.release();
    expect(counter.next()).toBe(4);
    await level.flush();
    expect((await PersistentCounter.load(await openAfterCrash(level), 'c', 10)).next()).toBeGreaterThan(4);
  });

  it('goes on above what is known to be in use, and tells once that it was behind', async () => {
    const level = await openLevel();
    let told = 0;
    const counter = await PersistentCounter.load(level, 'c', 10, () => told++);
    for (const number of [76, 3, 80]) counter.ensureAbove(number);
    expect(counter.next()).toBe(81);
    expect(told).toBe(1);
    await level.flush();
    const next = await PersistentCounter.load(await openAfterCrash(level), 'c', 10, () => told++);
    next.ensureAbove(81);
    expect(next.next()).toBeGreaterThan(81);
    expect(told).toBe(1);
  });

  it('does not fall behind what it was raised to when it is released', async () => {
    const level = await openLevel();
    const counter = await PersistentCounter.load(level, 'c', 10);
    counter.ensureAbove(500);
    counter.release();
    await level.close();
    expect((await PersistentCounter.load(await openLevel(level.location), 'c', 10)).next()).toBe(501);
  });

  it('does not believe a number that no counter gets to', async () => {
    const counter = await PersistentCounter.load(await openLevel(), 'c', 10);
    for (const number of [2 ** 48, Number.MAX_SAFE_INTEGER, Number.NaN]) counter.ensureAbove(number);
    expect(counter.next()).toBe(1);
  });

  it('has one number range for each name', async () => {
    const level = await openLevel();
    take(await PersistentCounter.load(level, 'a', 10), 50);
    await level.flush();
    expect((await PersistentCounter.load(level, 'b', 10)).next()).toBe(1);
  });

  it.each(['', 'x', '-1', '1e3', '99999999999999999999'])(
    'does not refuse the start where the store says "%s": it tells, and is raised',
    async (text) => {
      const level = await openLevel();
      await level.put('meta:counter:c', Buffer.from(text));
      let told = 0;
      const counter = await PersistentCounter.load(level, 'c', 10, () => told++);
      counter.ensureAbove(41);
      expect(counter.next()).toBe(42);
      expect(told).toBe(1);
    },
  );
});
