import { appendFile, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { StoreClosed, StoreNotSettled, StoreUnavailable } from '../../../src/core/errors.js';
import { CommittedLevel } from '../../../src/store/committed-level.js';
import { copyAsAfterCrash } from '../../support/crash-copy.js';
import { FaultyLevel } from '../../support/faulty-level.js';
import { ManualClock } from '../../support/manual-clock.js';
import { createTemporaryDirectory } from '../../support/temporary-directory.js';

const bytes = (text: string): Buffer => Buffer.from(text);

interface Options {
  readonly location?: string;
  readonly minimumFreeBytes?: number;
  readonly maximumPendingBytes?: number;
}

async function openLevel(options: Options = {}): Promise<{ level: FaultyLevel; clock: ManualClock; location: string }> {
  const clock = new ManualClock();
  const location = options.location ?? join(await createTemporaryDirectory(), 'store');
  const level = new FaultyLevel(location, {
    clock,
    maximumPendingBytes: options.maximumPendingBytes ?? 1_000_000,
    minimumFreeBytes: options.minimumFreeBytes ?? 0,
  });
  await level.open();
  onTestFinished(() => {
    level.failures = 0;
    level.release();
    return level.close().catch(() => {});
  });
  return { level, clock, location };
}

/** What a process killed now would find at its next start. */
async function readAfterCrash(location: string): Promise<Record<string, string>> {
  const copy = join(await createTemporaryDirectory(), 'copy');
  await copyAsAfterCrash(location, copy);
  const level = new CommittedLevel(copy, { clock: new ManualClock(), maximumPendingBytes: 1, minimumFreeBytes: 0 });
  const entries = await level.iterator().all();
  await level.close();
  return Object.fromEntries(entries.map(([key, value]) => [key, value.toString()]));
}

/** However long the disk takes: the test's own limit of time ends what never comes. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await nextTurn();
}

describe('a group', () => {
  it('holds what one turn writes through any verb, in the order of the calls', async () => {
    const { level, location } = await openLevel();
    const chained = level.batch();
    chained.put('chained', bytes('1')).del('twice');
    const promises = [
      level.put('put', bytes('1')),
      level.batch([
        { type: 'put', key: 'batch', value: bytes('1') },
        { type: 'put', key: 'twice', value: bytes('1') },
      ]),
      chained.write(),
    ];
    level.putNow('now', bytes('1'));
    level.putNow('gone', bytes('1'));
    level.delNow('gone');
    promises.push(level.del('put'));
    await Promise.all(promises);
    expect(level.writes).toEqual([true]);
    expect(level.settledTicket).toBe(1);
    expect(await readAfterCrash(location)).toEqual({ batch: '1', chained: '1', now: '1' });
  });

  it('has the number that its writers were told, growing by one', async () => {
    const { level } = await openLevel();
    expect([level.openTicket, level.settledTicket]).toEqual([1, 0]);
    expect(level.putNow('a', bytes('1'))).toBe(1);
    expect(level.delNow('b')).toBe(1);
    await level.flush();
    expect([level.openTicket, level.settledTicket]).toEqual([2, 1]);
    expect(level.putNow('a', bytes('2'))).toBe(2);
    await level.flush();
    expect(level.settledTicket).toBe(2);
  });

  it('is not settled before it is written, and the next one forms meanwhile', async () => {
    const { level, location } = await openLevel();
    let resolved = 0;
    level.hold();
    void level.put('a', bytes('1')).then(() => resolved++);
    await until(() => level.writes.length === 1);
    expect(level.putNow('b', bytes('1'))).toBe(2);
    expect(level.putNow('c', bytes('1'))).toBe(2);
    await nextTurn();
    expect([resolved, level.settledTicket, level.writes.length]).toEqual([0, 0, 1]);
    expect(await readAfterCrash(location)).toEqual({});
    level.release();
    await level.flush();
    expect([resolved, level.settledTicket, level.writes.length]).toEqual([1, 2, 2]);
    expect(await readAfterCrash(location)).toEqual({ a: '1', b: '1', c: '1' });
  });

  it('has copied the value when putNow returns', async () => {
    const { level } = await openLevel();
    const value = bytes('before');
    level.putNow('a', value);
    value.fill('x');
    await level.flush();
    expect(await level.get('a')).toEqual(bytes('before'));
  });

  it('holds nothing of the earlier groups whose native batch it uses again', async () => {
    const { level, location } = await openLevel();
    for (let group = 0; group < 4; group++) {
      level.putNow(`${group}`, bytes('1'));
      level.delNow(`${group - 1}`);
      await level.flush();
    }
    expect(await readAfterCrash(location)).toEqual({ 3: '1' });
    level.delNow('3');
    await level.flush();
    expect(await readAfterCrash(location)).toEqual({});
  });

  it('is synced if any of its operations is', async () => {
    const { level } = await openLevel();
    level.putNow('a', bytes('1'), false);
    level.delNow('b', false);
    await level.flush();
    level.putNow('a', bytes('1'), false);
    level.delNow('b', true);
    level.putNow('c', bytes('1'), false);
    await level.flush();
    level.putNow('a', bytes('1'), false);
    await level.flush();
    await level.put('a', bytes('2'));
    expect(level.writes).toEqual([false, true, false, true]);
  });

  it('takes in what the contributor adds when it closes', async () => {
    const { level, location } = await openLevel();
    let contributions = 0;
    level.setContributor({
      contribute: () => {
        contributions++;
        expect(level.putNow('contributed', bytes(String(contributions)))).toBe(level.openTicket);
      },
    });
    const ticket = level.requireCommit();
    expect(level.requireCommit()).toBe(ticket);
    await level.flush();
    expect(level.settledTicket).toBe(ticket);
    expect(level.writes).toEqual([true]);
    level.putNow('a', bytes('1'));
    await level.flush();
    expect(await readAfterCrash(location)).toEqual({ a: '1', contributed: '2' });
  });

  it('settles without a write if nothing was added to it', async () => {
    const { level } = await openLevel();
    level.requireCommit();
    await level.flush();
    expect([level.settledTicket, level.writes.length]).toEqual([1, 0]);
    level.putNow('a', bytes('1'));
    await level.flush();
    expect([level.settledTicket, level.writes.length]).toEqual([2, 1]);
  });

  it('is told to every listener once it is settled', async () => {
    const { level } = await openLevel();
    const heard: number[] = [];
    level.onSettled(() => heard.push(level.settledTicket));
    level.onSettled(() => {
      heard.push(10 * level.settledTicket);
      if (level.settledTicket === 1) level.putNow('b', bytes('1'));
    });
    level.putNow('a', bytes('1'));
    await level.flush();
    await level.flush();
    expect(heard).toEqual([1, 10, 2, 20]);
  });

  it('counts as pending until it is settled', async () => {
    const { level } = await openLevel({ maximumPendingBytes: 5000 });
    level.hold();
    level.putNow('a', Buffer.alloc(3000));
    await until(() => level.writes.length === 1);
    expect(level.pendingBytes).toBeGreaterThan(3000);
    expect(level.isCongested).toBe(false);
    level.putNow('b', Buffer.alloc(3000));
    expect(level.pendingBytes).toBeGreaterThan(6000);
    expect(level.isCongested).toBe(true);
    level.release();
    await level.flush();
    expect([level.pendingBytes, level.isCongested]).toEqual([0, false]);
  });
});

describe('clear', () => {
  it('deletes a range in one group', async () => {
    const { level, location } = await openLevel();
    for (const key of ['a:1', 'a:2', 'b:1']) level.putNow(key, bytes('1'));
    await level.clear({ gte: 'a:', lt: 'a;' });
    expect(await readAfterCrash(location)).toEqual({ 'b:1': '1' });
    expect(level.writes.length).toBe(2);
  });
});

describe('a store that is closed', () => {
  it('has settled what was pending, with what the contributor added', async () => {
    const { level, location } = await openLevel();
    level.setContributor({ contribute: () => void level.putNow('contributed', bytes('1')) });
    level.putNow('a', bytes('1'));
    await level.close();
    expect(await readAfterCrash(location)).toEqual({ a: '1', contributed: '1' });
  });

  it('refuses everything', async () => {
    const { level } = await openLevel();
    await level.close();
    expect(() => level.putNow('a', bytes('1'))).toThrow(StoreClosed);
    expect(() => level.requireCommit()).toThrow(StoreClosed);
    await expect(level.flush()).rejects.toThrow(StoreClosed);
    await expect(level.put('a', bytes('1'))).rejects.toThrow();
    await expect(level.open()).rejects.toThrow();
  });
});

describe('after a write that failed', () => {
  it('settles nothing until the same group is written, then the later ones, in order', async () => {
    const { level, clock, location } = await openLevel();
    const states: string[] = [];
    level.onHealthChanged(({ state }) => states.push(state));
    const order: number[] = [];
    level.onSettled(() => order.push(level.settledTicket));
    level.putNow('z', bytes('1'));
    await level.flush();
    level.failures = 3;
    level.putNow('a', bytes('1'));
    await until(() => level.writes.length === 3);
    level.putNow('b', bytes('1'));
    await nextTurn();
    expect(level.health).toEqual({
      state: 'failing',
      sinceMs: clock.now(),
      message: 'IO error: No space left on device',
    });
    expect([level.settledTicket, order, states]).toEqual([1, [1], ['failing']]);
    await until(() => clock.pending === 1);
    clock.advance(999);
    await nextTurn();
    expect(level.writes.length).toBe(3);
    clock.advance(1);
    await until(() => level.writes.length === 4);
    await until(() => clock.pending === 1);
    clock.advance(1000);
    await level.flush();
    expect([level.settledTicket, order, states]).toEqual([3, [1, 2, 3], ['failing', 'ok']]);
    expect(await readAfterCrash(location)).toEqual({ a: '1', b: '1', z: '1' });
    expect(level.getSync('a')).toEqual(bytes('1'));
  });

  it('loses no later group to the torn record that the failed one left in the log', async () => {
    const { level, location } = await openLevel();
    level.putNow('before', bytes('1'));
    await level.flush();
    level.onFailure = async () => {
      const log = (await readdir(location)).find((name) => name.endsWith('.log')) as string;
      await appendFile(join(location, log), Buffer.alloc(29, 0x5a));
    };
    level.failures = 1;
    level.putNow('torn', bytes('1'));
    await level.flush();
    level.putNow('after', bytes('1'));
    await level.flush();
    expect(await readAfterCrash(location)).toEqual({ after: '1', before: '1', torn: '1' });
  });

  it('may write a group again that had reached the disk already', async () => {
    const { level, location } = await openLevel();
    level.onFailure = (batch) => batch._write({ sync: false });
    level.failures = 1;
    level.putNow('a', bytes('1'));
    level.putNow('b', bytes('1'));
    level.delNow('a');
    await level.flush();
    expect(await readAfterCrash(location)).toEqual({ b: '1' });
  });

  it('lets single reads wait and refuses what cannot wait while the store is being opened again', async () => {
    const { level, clock, location } = await openLevel();
    await level.put('a', bytes('1'));
    const iterator = level.iterator();
    await iterator.next();
    level.failures = 1;
    level.onFailure = () => rename(join(location, 'CURRENT'), join(location, 'AWAY'));
    level.putNow('b', bytes('1'));
    await until(() => clock.pending === 1);
    const reads = Promise.all([level.get('a'), level.getMany(['a', 'c']), level.has('a'), level.hasMany(['a', 'c'])]);
    expect(() => level.getSync('a')).toThrow(StoreUnavailable);
    expect(() => level.iterator()).toThrow(StoreUnavailable);
    expect(() => level.snapshot()).toThrow(StoreUnavailable);
    await expect(iterator.next()).rejects.toThrow();
    let isRead = false;
    reads.then(
      () => {
        isRead = true;
      },
      () => {},
    );
    await nextTurn();
    expect(isRead).toBe(false);
    expect(level.status).toBe('open');
    await rename(join(location, 'AWAY'), join(location, 'CURRENT'));
    clock.advance(1000);
    await level.flush();
    expect(await reads).toEqual([bytes('1'), [bytes('1'), undefined], true, [true, false]]);
    expect(await level.keys().all()).toEqual(['a', 'b']);
  });

  it('goes on answering reads while the disk takes no writes', async () => {
    const { level, clock, location } = await openLevel();
    await level.put('a', bytes('1'));
    const iterator = level.keys();
    // No probe can be written where there is no directory; the open database has its files.
    level.onFailure = () => rename(location, `${location}.away`);
    level.failures = 1;
    level.putNow('b', bytes('1'));
    await until(() => clock.pending === 1);
    clock.advance(1000);
    await until(() => clock.pending === 1);
    expect(level.writes.length).toBe(2);
    expect(level.health.state).toBe('failing');
    expect(await level.get('a')).toEqual(bytes('1'));
    expect(level.getSync('a')).toEqual(bytes('1'));
    expect(await iterator.next()).toBe('a');
    await rename(`${location}.away`, location);
    clock.advance(1000);
    await level.flush();
    expect(await readAfterCrash(location)).toEqual({ a: '1', b: '1' });
    expect(await readdir(location)).not.toContain('write-probe');
  });

  it('does not create an empty store where the files have vanished', async () => {
    const { level, clock, location } = await openLevel();
    level.failures = 1;
    level.onFailure = async () => {
      for (const name of await readdir(location)) await rm(join(location, name));
    };
    level.putNow('b', bytes('1'));
    await until(() => clock.pending === 1);
    for (let i = 0; i < 3; i++) {
      clock.advance(1000);
      await until(() => clock.pending === 1);
    }
    expect(await readdir(location)).not.toContain('CURRENT');
    expect([level.settledTicket, level.health.state]).toEqual([0, 'failing']);
  });

  it('is closed after one last try, and says what is lost', async () => {
    const { level, clock, location } = await openLevel();
    await level.put('a', bytes('1'));
    level.failures = Number.POSITIVE_INFINITY;
    const inFlight = level.put('b', bytes('1'));
    inFlight.catch(() => {});
    await until(() => clock.pending === 1);
    const open = level.put('c', bytes('1'));
    open.catch(() => {});
    const writes = level.writes.length;
    await expect(level.close()).rejects.toThrow(StoreNotSettled);
    expect(level.writes.length).toBe(writes + 1);
    await expect(inFlight).rejects.toThrow(StoreNotSettled);
    await expect(open).rejects.toThrow(StoreNotSettled);
    await expect(level.flush()).rejects.toThrow(StoreClosed);
    const { level: next } = await openLevel({ location });
    expect(await next.keys().all()).toEqual(['a']);
  });

  it('is closed with everything on disk if the last try works', async () => {
    const { level, clock, location } = await openLevel();
    level.failures = 2;
    level.putNow('b', bytes('1'));
    await until(() => clock.pending === 1);
    level.putNow('c', bytes('1'));
    await level.close();
    expect(await readAfterCrash(location)).toEqual({ b: '1', c: '1' });
  });

  it('sends away who waits to read when it is closed', async () => {
    const { level, clock, location } = await openLevel();
    level.failures = 1;
    level.onFailure = () => rename(join(location, 'CURRENT'), join(location, 'AWAY'));
    level.putNow('b', bytes('1'));
    await until(() => clock.pending === 1);
    const read = level.get('a');
    read.catch(() => {});
    await expect(level.close()).rejects.toThrow(StoreNotSettled);
    await expect(read).rejects.toThrow(StoreClosed);
  });
});

describe('free space', () => {
  it('below the minimum makes the store full until there is a quarter more, and writes go on', async () => {
    const { level, clock } = await openLevel({ minimumFreeBytes: 1000 });
    const states: string[] = [];
    level.onHealthChanged(({ state }) => states.push(state));
    const look = async (freeBytes: number): Promise<string> => {
      level.freeBytes = freeBytes;
      await until(() => clock.pending === 1);
      clock.advance(1000);
      await until(() => clock.pending === 1);
      return level.health.state;
    };
    expect(await look(1000)).toBe('ok');
    expect(await look(999)).toBe('full');
    expect(level.health).toMatchObject({ freeBytes: 999, minimumFreeBytes: 1000 });
    level.putNow('a', bytes('1'));
    await level.flush();
    expect(await look(1249)).toBe('full');
    expect(await look(1250)).toBe('ok');
    expect(await look(1100)).toBe('ok');
    expect(states).toEqual(['full', 'ok']);
  });

  it('is looked at before the second is over when a sixteenth of the minimum has been written', async () => {
    const { level, clock } = await openLevel({ minimumFreeBytes: 160_000 });
    await until(() => clock.pending === 1);
    level.freeBytes = 10;
    level.putNow('a', Buffer.alloc(9000));
    await level.flush();
    expect(level.health.state).toBe('ok');
    level.putNow('b', Buffer.alloc(1000));
    await level.flush();
    await until(() => level.health.state === 'full');
  });

  it('is looked at when the store opens and when a write fails; failing outweighs full', async () => {
    const { level } = await openLevel({ minimumFreeBytes: 1000 });
    level.freeBytes = 10;
    level.failures = 1;
    level.putNow('a', bytes('1'));
    await until(() => level.health.state === 'failing');
    await level.flush();
    await until(() => level.health.state === 'full');
  });
});
