import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { DataDirectoryInUse, DataDirectoryUnusable, DataFormatTooNew, StoreDamaged } from '../../../src/core/errors.js';
import { CommittedLevel } from '../../../src/store/committed-level.js';
import {
  type DataDirectory,
  type DataDirectoryOptions,
  openDataDirectory,
  repairDataDirectory,
} from '../../../src/store/data-directory.js';
import { isDamage } from '../../../src/store/level-failure.js';
import { judgeLogEnd } from '../../../src/store/log-end.js';
import { copyAsAfterCrash } from '../../support/crash-copy.js';
import { ManualClock } from '../../support/manual-clock.js';
import { createTemporaryDirectory } from '../../support/temporary-directory.js';

const KEYS = 16_000;
/** How many of them are in LevelDB's log, the last ones; the rest is in tables. */
const IN_LOG = 4_000;
const key = (index: number): string => `k${String(index).padStart(8, '0')}`;
const contentOf = (index: number): string => `${index}:`.repeat(60);

function optionsFor(directory: string, more: Partial<DataDirectoryOptions> = {}): DataDirectoryOptions {
  const clock = new ManualClock(Date.UTC(2027, 0, 2, 3, 4, 5));
  return { directory, clock, maximumPendingBytes: 1 << 24, minimumFreeBytes: 0, ...more };
}

async function openDirectory(directory: string, more: Partial<DataDirectoryOptions> = {}): Promise<DataDirectory> {
  const opened = await openDataDirectory(optionsFor(directory, more));
  onTestFinished(() => opened.level.close());
  return opened;
}

async function openRaw(directory: string): Promise<CommittedLevel> {
  const level = new CommittedLevel(join(directory, 'store'), optionsFor(directory));
  await level.open();
  return level;
}

let template = '';
let templateBrokerId = '';

beforeAll(async () => {
  const source = await mkdtemp(join(tmpdir(), 'millrace-'));
  const first = await openDataDirectory(optionsFor(source));
  await fill(first.level, 0, KEYS - IN_LOG);
  await first.level.close();
  // LevelDB turns its log into a table when it is opened: what is written from now on stands in the new one.
  const { level, brokerId } = await openDataDirectory(optionsFor(source));
  await fill(level, KEYS - IN_LOG, KEYS);
  template = await mkdtemp(join(tmpdir(), 'millrace-'));
  templateBrokerId = brokerId;
  await copyAsAfterCrash(join(source, 'store'), join(template, 'store'));
  await level.close();
  await rm(source, { recursive: true });
});

async function fill(level: CommittedLevel, from: number, to: number): Promise<void> {
  for (let index = from; index < to; index++) {
    level.putNow(key(index), Buffer.from(contentOf(index)), false);
    if (index % 500 === 499) await level.flush();
  }
}

afterAll(() => rm(template, { recursive: true }));

/** A directory with several tables and a log, as it is after a crash. */
async function createFilled(): Promise<{ directory: string; store: string; brokerId: string }> {
  const directory = await createTemporaryDirectory();
  await cp(template, directory, { recursive: true });
  return { directory, store: join(directory, 'store'), brokerId: templateBrokerId };
}

/** Likewise, killed in the middle of a batch: its log ends with a part of it, and room. */
async function createTorn(
  size: number,
  cutAt: (bytes: number) => number,
): Promise<{ directory: string; store: string }> {
  const { directory: other } = await createFilled();
  const level = await openRaw(other);
  await fill(level, 0, 500);
  await level.batch([
    { type: 'put', key: 'meta:torn-a', value: Buffer.alloc(100, 1) },
    { type: 'put', key: 'meta:torn-b', value: Buffer.alloc(size, 1) },
  ]);
  const directory = await createTemporaryDirectory();
  const store = join(directory, 'store');
  await copyAsAfterCrash(join(other, 'store'), store);
  await level.close();
  const log = (await filesOf(store, /\d\.log$/)).at(-1) as string;
  const { wholeBytes } = judgeLogEnd(await readFile(log));
  await truncate(log, cutAt(wholeBytes));
  await truncate(log, wholeBytes + 100_000);
  return { directory, store };
}

async function filesOf(store: string, pattern: RegExp): Promise<string[]> {
  const names = (await readdir(store)).filter((name) => pattern.test(name)).sort();
  return names.map((name) => join(store, name));
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path)).size;
}

async function flip(path: string, position: number): Promise<void> {
  const bytes = await readFile(path);
  for (let i = position; i < position + 16; i++) bytes[i] = (bytes[i] as number) ^ 0xa5;
  await writeFile(path, bytes);
}

/** How many of the keys are there, all with what was written under them. */
async function countKeys(level: CommittedLevel): Promise<number> {
  let count = 0;
  for await (const [found, value] of level.iterator({ gte: 'k', lt: 'l' })) {
    if (value.toString() === contentOf(Number(found.slice(1)))) count++;
    else expect.fail(`${found} has another value than was written`);
  }
  return count;
}

describe('a data directory', () => {
  it('is made with an identity that stays, readable for its owner only', async () => {
    const directory = join(await createTemporaryDirectory(), 'a', 'b');
    const created = await openDataDirectory(optionsFor(directory));
    expect(created).toMatchObject({ wasCreated: true, notices: [] });
    expect(created.brokerId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    await created.level.close();
    const again = await openDirectory(directory);
    expect(again).toMatchObject({ wasCreated: false, brokerId: created.brokerId, notices: [] });
    expect(await again.level.get('meta:format')).toEqual(Buffer.from('4'));
  });

  it('is refused while another has it open, and not harmed', async () => {
    const directory = await createTemporaryDirectory();
    const first = await openDirectory(directory);
    await expect(openDataDirectory(optionsFor(directory))).rejects.toThrow(DataDirectoryInUse);
    await expect(openDataDirectory(optionsFor(directory))).rejects.toThrow(
      `The data directory ${directory} is in use by another process`,
    );
    expect(await readdir(directory)).toEqual(['store']);
    await first.level.put('a', Buffer.from('1'));
    await first.level.close();
    expect(await (await openDirectory(directory)).level.get('a')).toEqual(Buffer.from('1'));
  });

  it('is refused where there can be none', async () => {
    const directory = await createTemporaryDirectory();
    const file = join(directory, 'file');
    await writeFile(file, '');
    for (const path of [file, join(file, 'below')]) {
      await expect(openDataDirectory(optionsFor(path))).rejects.toThrow(DataDirectoryUnusable);
      await expect(openDataDirectory(optionsFor(path))).rejects.toThrow(path);
    }
    await mkdir(join(directory, 'odd'));
    await writeFile(join(directory, 'odd', 'store'), '');
    await expect(openDataDirectory(optionsFor(join(directory, 'odd')))).rejects.toThrow(DataDirectoryUnusable);
  });

  it('is refused if another program has made the database in it', async () => {
    const directory = await createTemporaryDirectory();
    const level = await openRaw(directory);
    await level.put('a', Buffer.from('1'));
    await level.close();
    await expect(openDataDirectory(optionsFor(directory))).rejects.toThrow(DataDirectoryUnusable);
    await expect(openDataDirectory(optionsFor(directory))).rejects.toThrow(/has no format version/);
  });

  it('is made anew where a first start was cut off', async () => {
    const directory = await createTemporaryDirectory();
    const level = await openRaw(directory);
    await level.close();
    expect((await openDirectory(directory)).wasCreated).toBe(true);
    const cut = await createTemporaryDirectory();
    await mkdir(join(cut, 'store'));
    for (const name of ['LOCK', 'LOG', 'MANIFEST-000001']) await writeFile(join(cut, 'store', name), '');
    expect((await openDirectory(cut)).wasCreated).toBe(true);
  });
});

describe('the format version', () => {
  const put = (name: string) => async (level: CommittedLevel) => {
    level.putNow(name, Buffer.from((await level.get('meta:format')) ?? 'none'));
  };

  it('newer than ours is refused with both numbers', async () => {
    const directory = await createTemporaryDirectory();
    const { level } = await openDataDirectory(optionsFor(directory));
    await level.put('meta:format', Buffer.from('7'));
    await level.close();
    const refusal = openDataDirectory(optionsFor(directory));
    await expect(refusal).rejects.toThrow(DataFormatTooNew);
    await expect(refusal).rejects.toMatchObject({ foundFormat: 7, knownFormat: 4, code: 'ERR_DATA_FORMAT_TOO_NEW' });
  });

  it('1 is brought up to 4, and all that is there stays as it is', async () => {
    const directory = await createTemporaryDirectory();
    const { level: old } = await openDataDirectory(optionsFor(directory, { migrations: [] }));
    await old.put('log:0000000000000001', Buffer.from('a block'));
    await old.close();
    const { level } = await openDirectory(directory);
    expect((await level.getMany(['meta:format', 'log:0000000000000001'])).map(String)).toEqual(['4', 'a block']);
  });

  it('older than ours is brought up step by step, once', async () => {
    const directory = await createTemporaryDirectory();
    await (await openDataDirectory(optionsFor(directory, { migrations: [] }))).level.close();
    const migrations = [put('first'), put('second')];
    const { level } = await openDataDirectory(optionsFor(directory, { migrations }));
    expect((await level.getMany(['first', 'second', 'meta:format'])).map(String)).toEqual(['1', '2', '3']);
    await level.batch([
      { type: 'del', key: 'first' },
      { type: 'del', key: 'second' },
    ]);
    await level.close();
    const again = await openDirectory(directory, { migrations });
    expect(await again.level.keys().all()).toEqual(['meta:broker', 'meta:format']);
    expect(again.wasCreated).toBe(false);
  });

  it('is written in the commit of the migration that leads to it', async () => {
    const directory = await createTemporaryDirectory();
    await (await openDataDirectory(optionsFor(directory, { migrations: [] }))).level.close();
    let ticket = 0;
    const migration = async (level: CommittedLevel) => {
      await level.get('meta:format');
      ticket = level.putNow('migrated', Buffer.from('1'));
    };
    const { level } = await openDirectory(directory, { migrations: [migration] });
    expect(level.settledTicket).toBe(ticket);
  });

  it('stays what it was if a migration fails', async () => {
    const directory = await createTemporaryDirectory();
    await (await openDataDirectory(optionsFor(directory, { migrations: [] }))).level.close();
    const broken = async () => {
      throw new RangeError('broken');
    };
    await expect(openDataDirectory(optionsFor(directory, { migrations: [put('first'), broken] }))).rejects.toThrow(
      'broken',
    );
    const { level } = await openDirectory(directory, { migrations: [put('again'), put('second')] });
    expect((await level.getMany(['first', 'again', 'second', 'meta:format'])).map(String)).toEqual([
      '1',
      'undefined',
      '2',
      '3',
    ]);
  });

  it('of a new directory is the newest', async () => {
    const { level } = await openDirectory(await createTemporaryDirectory(), { migrations: [put('first')] });
    expect(await level.keys().all()).toEqual(['meta:broker', 'meta:format']);
    expect(String(await level.get('meta:format'))).toBe('2');
  });
});

describe('a store that a crash has cut off', () => {
  it.each([1, 7, 100, 5000])('is opened without a repair, %i bytes short', async (bytes) => {
    const { directory, store, brokerId } = await createFilled();
    const log = (await filesOf(store, /\d\.log$/)).at(-1) as string;
    await truncate(log, (await sizeOf(log)) - bytes);
    const opened = await openDirectory(directory);
    expect(opened).toMatchObject({ wasCreated: false, brokerId, notices: [] });
    const count = await countKeys(opened.level);
    expect(count).toBeLessThan(KEYS);
    expect(count).toBeGreaterThanOrEqual(KEYS - 1000);
    expect(await readdir(directory)).toEqual(['store']);
  });
});

describe('a damaged store', () => {
  const first = async (store: string, pattern: RegExp): Promise<string> => (await filesOf(store, pattern))[0] as string;
  const damages: [string, (store: string) => Promise<void>][] = [
    ['an empty MANIFEST', async (store) => truncate(await first(store, /MANIFEST/), 0)],
    ['a changed MANIFEST', async (store) => flip(await first(store, /MANIFEST/), 20)],
    ['no MANIFEST', async (store) => rm(await first(store, /MANIFEST/))],
    ['no CURRENT', (store) => rm(join(store, 'CURRENT'))],
    ['an empty CURRENT', (store) => truncate(join(store, 'CURRENT'), 0)],
  ];

  it.each(damages)('with %s is repaired, with nothing lost, and set aside', async (_name, damage) => {
    const { directory, store, brokerId } = await createFilled();
    await damage(store);
    const before = await readdir(store);
    const told: string[] = [];
    const opened = await openDirectory(directory, { notices: { notice: (sentence) => told.push(sentence) } });
    expect(opened).toMatchObject({ wasCreated: false, brokerId });
    expect(await countKeys(opened.level)).toBe(KEYS);
    const aside = 'store.damaged-2027-01-02T03-04-05.000Z';
    expect((await readdir(directory)).sort()).toEqual(['store', aside]);
    const files = await readdir(join(directory, aside));
    expect(before.filter((name) => !name.startsWith('LOG') && !files.includes(name))).toEqual([]);
    expect(opened.notices).toHaveLength(1);
    expect(opened.notices[0]).toContain(`The damaged files are in ${join(directory, aside)}.`);
    expect(told).toEqual(opened.notices);
    await opened.level.close();
    expect((await openDirectory(directory)).notices).toEqual([]);
  });

  it('with a table missing serves the rest', async () => {
    const { directory, store } = await createFilled();
    await rm(await first(store, /ldb$/));
    const { level, notices } = await openDirectory(directory);
    expect(notices[0]).toContain('missing files');
    const count = await countKeys(level);
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThan(KEYS);
  });

  it('with its own keys unreadable is repaired, and keeps what can be read', async () => {
    const { directory, store } = await createFilled();
    const tables = await filesOf(store, /ldb$/);
    for (const table of tables) {
      if ((await readFile(table)).includes('meta:')) await truncate(table, (await sizeOf(table)) >> 1);
    }
    const opened = await openDirectory(directory);
    expect(opened.notices).toHaveLength(2);
    expect(opened.notices[1]).toContain(`it is ${opened.brokerId} now`);
    expect(opened.wasCreated).toBe(false);
    expect(String(await opened.level.get('meta:format'))).toBe('4');
    expect(await countKeys(opened.level)).toBeLessThan(KEYS);
  });

  it('with a table whose damage shows only when it is read can be repaired then', async () => {
    const { directory, store } = await createFilled();
    const table = await first(store, /ldb$/);
    await flip(table, (await sizeOf(table)) >> 1);
    const { level, notices } = await openDataDirectory(optionsFor(directory));
    expect(notices).toEqual([]);
    const damage: unknown = await countKeys(level).then(
      () => null,
      (error: unknown) => error,
    );
    expect(isDamage(damage)).toBe(true);
    await level.close();
    const repaired = await repairDataDirectory(optionsFor(directory), damage);
    onTestFinished(() => repaired.level.close());
    expect(repaired.notices[0]).toContain('1 of its tables');
    const count = await countKeys(repaired.level);
    expect(count).toBeGreaterThan(KEYS - 1000);
    expect(count).toBeLessThan(KEYS);
  });

  it.each([
    ['within a block', 2000, (bytes: number) => bytes - 700],
    ['between two blocks', 100_000, (bytes: number) => bytes - (bytes % 32_768)],
    ['on its last byte', 2000, (bytes: number) => bytes - 1],
  ])('whose last batch was cut off %s, with room behind it, is opened in silence', async (_, size, cutAt) => {
    const { directory, store } = await createTorn(size, cutAt);
    const { level, notices } = await openDirectory(directory);
    expect(notices).toEqual([]);
    expect(await readdir(directory)).toEqual(['store']);
    expect(await level.get('meta:torn-a')).toBeUndefined();
    expect(await countKeys(level)).toBe(KEYS);
    expect(await readFile(join(store, 'LOG'), 'utf8')).toContain('dropping');
  });

  it('whose last batch was cut off keeps nothing of it when it has to be repaired besides', async () => {
    const { directory, store } = await createTorn(2000, (bytes) => bytes - 700);
    await rm(join(store, 'CURRENT'));
    const { level, notices } = await openDirectory(directory);
    expect(notices).toHaveLength(1);
    expect(await level.get('meta:torn-a')).toBeUndefined();
    expect(await level.get('meta:torn-b')).toBeUndefined();
    expect(await countKeys(level)).toBe(KEYS);
  });

  it('tells of a sector that is lost from its log with batches behind it in the same block', async () => {
    const { directory: other } = await createFilled();
    const level = await openRaw(other);
    const options = { type: 'put', value: Buffer.alloc(2000, 1) } as const;
    for (let i = 0; i < 5; i++) await level.batch([{ ...options, key: `meta:settled-${i}` }]);
    const directory = await createTemporaryDirectory();
    const store = join(directory, 'store');
    await copyAsAfterCrash(join(other, 'store'), store);
    await level.close();
    const log = (await filesOf(store, /\d\.log$/)).at(-1) as string;
    const bytes = await readFile(log);
    const { wholeBytes } = judgeLogEnd(bytes);
    expect(wholeBytes).toBeLessThan(32_768);
    // In the fourth batch from the end, of some 2000 bytes each.
    const sector = (wholeBytes - 7000) >> 9;
    await writeFile(log, Buffer.concat([bytes.fill(0, sector << 9, (sector + 1) << 9), Buffer.alloc(100_000)]));
    const opened = await openDirectory(directory);
    expect(opened.notices).toHaveLength(1);
    expect(opened.notices[0]).toContain('could not be read and are lost');
    expect(await opened.level.get('meta:settled-0')).toBeDefined();
  });

  it('with damage within its log tells how much is lost', async () => {
    const { directory, store } = await createFilled();
    const log = (await filesOf(store, /\d\.log$/)).at(-1) as string;
    await flip(log, (await sizeOf(log)) >> 1);
    const { level, notices } = await openDirectory(directory);
    expect(notices).toHaveLength(1);
    expect(notices[0]).toMatch(/^\d+ bytes of the log in .* could not be read and are lost \(Corruption: /);
    expect(await countKeys(level)).toBeLessThan(KEYS);
  });

  it('with damage within its log has that log set aside, as it was', async () => {
    const { directory, store } = await createFilled();
    const log = (await filesOf(store, /\d\.log$/)).at(-1) as string;
    await flip(log, (await sizeOf(log)) >> 1);
    const damaged = await readFile(log);
    const { notices } = await openDirectory(directory);
    const aside = join(directory, 'store.damaged-log-2027-01-02T03-04-05.000Z');
    expect(notices[0]).toContain(`The damaged log is in ${aside}.`);
    expect(damaged.equals(await readFile(join(aside, basename(log))))).toBe(true);
    expect((await readdir(directory)).sort()).toEqual(['store', basename(aside)]);
  });

  it('that lost its format with the head of its log is not taken for a stranger’s', async () => {
    const directory = await createTemporaryDirectory();
    const source = await createTemporaryDirectory();
    const { level, brokerId } = await openDirectory(source);
    // In the first 32 KiB of the log all is lost with one bit, and the format is there.
    await fill(level, 0, 500);
    await copyAsAfterCrash(join(source, 'store'), join(directory, 'store'));
    const log = (await filesOf(join(directory, 'store'), /\d\.log$/)).at(-1) as string;
    await flip(log, 20);
    const opened = await openDirectory(directory);
    expect(opened.notices).toHaveLength(2);
    expect(opened.brokerId).not.toBe(brokerId);
    expect(opened.notices[1]).toContain(`it is ${opened.brokerId} now`);
    expect(String(await opened.level.get('meta:format'))).toBe('4');
    await opened.level.close();
    expect(await openDirectory(directory)).toMatchObject({ brokerId: opened.brokerId, notices: [] });
  });

  it('that cannot be repaired is left as it is, and its place is told', async () => {
    const { directory, store } = await createFilled();
    await rm(join(store, 'CURRENT'));
    // What stands in the way of the rename at the end.
    await mkdir(join(directory, 'store.damaged-2027-01-02T03-04-05.000Z', 'occupied'), { recursive: true });
    const before = await filesOf(store, /ldb$|\d\.log$|MANIFEST|CURRENT/);
    const failure = openDataDirectory(optionsFor(directory));
    await expect(failure).rejects.toThrow(StoreDamaged);
    await expect(failure).rejects.toMatchObject({ location: store });
    expect(await filesOf(store, /ldb$|\d\.log$|MANIFEST|CURRENT/)).toEqual(before);
  });

  it('whose repair was cut off between its two renames is served at the next start', async () => {
    const { directory, store, brokerId } = await createFilled();
    await rename(store, `${store}.repairing`);
    const opened = await openDirectory(directory);
    expect(opened).toMatchObject({ wasCreated: false, brokerId });
    expect(opened.notices).toHaveLength(1);
    expect(await countKeys(opened.level)).toBe(KEYS);
  });

  it('whose repair was cut off earlier is repaired from the start', async () => {
    const { directory, store } = await createFilled();
    await mkdir(`${store}.repairing`);
    await writeFile(join(`${store}.repairing`, 'CURRENT'), 'half');
    await rm(join(store, 'CURRENT'));
    const { level } = await openDirectory(directory);
    expect(await countKeys(level)).toBe(KEYS);
    expect(await readdir(directory)).not.toContain('store.repairing');
  });
});
