import { describe, expect, it } from 'vitest';
import { SlicedTasks } from '../../../src/core/sliced-tasks.js';
import { ManualClock } from '../../support/manual-clock.js';

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** Tasks that take so long each, and say that they have been done. */
function crowd(taskMs: number) {
  const clock = new ManualClock();
  const tasks = new SlicedTasks(clock);
  const done: number[] = [];
  const add = (name: number): boolean =>
    tasks.run(() => {
      clock.advance(taskMs);
      done.push(name);
    });
  return { tasks, done, add };
}

describe('work that comes in crowds', () => {
  it('is done at once while it takes no time', () => {
    const { tasks, done, add } = crowd(0);
    expect([0, 1, 2, 3].map(add)).toEqual([true, true, true, true]);
    expect(done).toEqual([0, 1, 2, 3]);
    expect(tasks.waiting).toBe(0);
  });

  it('waits when the slice of the turn is used up, and goes on in the next turns, a slice in each', async () => {
    const { tasks, done, add } = crowd(1);
    expect([0, 1, 2, 3, 4].map(add)).toEqual([true, true, false, false, false]);
    expect(tasks.waiting).toBe(3);
    await nextTurn();
    expect(done).toEqual([0, 1, 2, 3]);
    await nextTurn();
    expect(done).toEqual([0, 1, 2, 3, 4]);
    expect(tasks.waiting).toBe(0);
  });

  it('is done in the order in which it has come, also if there would be time for a later part', async () => {
    const { done, add } = crowd(1);
    for (const name of [0, 1, 2, 3, 4]) add(name);
    await nextTurn();
    expect(add(5)).toBe(false);
    while (done.length < 6) await nextTurn();
    expect(done).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('can be done without a task while one would be done at once, and counts in the slice all the same', async () => {
    const clock = new ManualClock();
    const tasks = new SlicedTasks(clock);
    expect(tasks.takesNow).toBe(true);
    clock.advance(1);
    expect(tasks.takesNow).toBe(true);
    clock.advance(1);
    expect(tasks.takesNow).toBe(false);
    let isDone = false;
    expect(
      tasks.run(() => {
        isDone = true;
      }),
    ).toBe(false);
    await nextTurn();
    expect(isDone).toBe(true);
    await nextTurn();
    expect(tasks.takesNow).toBe(true);
  });

  it('is not overtaken by what asks whether it can be done at once', async () => {
    const { tasks, done, add } = crowd(1);
    for (const name of [0, 1, 2, 3, 4]) add(name);
    await nextTurn();
    expect(done).toHaveLength(4);
    expect(tasks.takesNow).toBe(false);
  });

  it('has a fresh slice in the turn after the last that waited', async () => {
    const { add } = crowd(1);
    for (const name of [0, 1, 2]) add(name);
    await nextTurn();
    await nextTurn();
    expect(add(3)).toBe(true);
  });

  it('may bring about more of it', async () => {
    const clock = new ManualClock();
    const tasks = new SlicedTasks(clock);
    const done: string[] = [];
    tasks.run(() => {
      clock.advance(2);
      expect(tasks.run(() => done.push('inner'))).toBe(false);
      done.push('outer');
    });
    await nextTurn();
    expect(done).toEqual(['outer', 'inner']);
  });

  it('is done in thousands, each once', async () => {
    const { tasks, done, add } = crowd(0.1);
    for (let name = 0; name < 5000; name++) add(name);
    while (tasks.waiting > 0) await nextTurn();
    expect(done).toEqual(Array.from({ length: 5000 }, (_, name) => name));
  });
});
