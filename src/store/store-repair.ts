/**
 * Repairs a damaged database without touching the damaged files:
 *
 *   store ─copy─► store.repairing ─repair, open, sync─► store.repairing
 *   store ─rename─► store.damaged-<time>         store.repairing ─rename─► store
 *
 * A crash on the way leaves `store` as it was, or, between the two renames, a `store.repairing` that is complete.
 */
import { cp, open, readdir, readFile, rename, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { StoreDamaged } from '../core/errors.js';
import { reasonOf } from './level-failure.js';
import { judgeLogEnd } from './log-end.js';
import { sortedLogs } from './log-format.js';
import { NativeLevel } from './native-level.js';

export interface Repair {
  /** Where the damaged files are. */
  readonly damagedLocation: string;
  /** Tables of which a part, or everything, could not be read. */
  readonly damagedTables: number;
}

/** Where LevelDB's repair puts what it has replaced. */
const REPLACED = 'lost';

/**
 * Repairs the closed database at `location`.
 * @throws StoreDamaged if that fails; the database is as it was then
 */
export async function repairStore(location: string, nowMs: number): Promise<Repair> {
  const copy = copyOf(location);
  // Without ':', which not every file system takes.
  const damagedLocation = `${location}.damaged-${new Date(nowMs).toISOString().replaceAll(':', '-')}`;
  try {
    await rm(copy, { recursive: true, force: true });
    await cp(location, copy, { recursive: true });
    await cutTornEnds(copy);
    await NativeLevel.repair(copy);
    await proveOpens(copy);
    const damagedTables = await removeReplaced(copy);
    await syncFiles(copy);
    await rename(location, damagedLocation);
    await rename(copy, location);
    return { damagedLocation, damagedTables };
  } catch (cause) {
    const message = `The database in ${location} is damaged and could not be repaired: ${reasonOf(cause)}`;
    throw new StoreDamaged(message, location, { cause });
  }
}

/** Ends a repair that a crash cut off between its two renames. @returns whether there was one */
export async function finishRepair(location: string): Promise<boolean> {
  const copy = copyOf(location);
  if ((await exists(location)) || !(await exists(copy))) return false;
  await rename(copy, location);
  return true;
}

function copyOf(location: string): string {
  return `${location}.repairing`;
}

/** LevelDB's repair does not look at checksums: it would take over a part of a batch. */
async function cutTornEnds(location: string): Promise<void> {
  for (const name of sortedLogs(await readdir(location))) {
    const path = join(location, name);
    const { state, wholeBytes } = judgeLogEnd(await readFile(path));
    if (state === 'torn') await truncate(path, wholeBytes);
  }
}

async function proveOpens(location: string): Promise<void> {
  const level = new NativeLevel(location, { createIfMissing: false, keyEncoding: 'utf8', valueEncoding: 'buffer' });
  await level.open();
  await level.close();
}

async function removeReplaced(location: string): Promise<number> {
  const replaced = join(location, REPLACED);
  if (!(await exists(replaced))) return 0;
  const names = await readdir(replaced);
  await rm(replaced, { recursive: true });
  return names.filter((name) => /\.(ldb|sst)$/.test(name)).length;
}

/** Neither copying nor repairing does it, and the copy is about to stand in for the original. */
async function syncFiles(location: string): Promise<void> {
  const paths = (await readdir(location)).map((name) => join(location, name));
  for (const path of [...paths, location]) {
    const file = await open(path, 'r');
    try {
      await file.sync();
    } finally {
      await file.close();
    }
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch {
    return false;
  }
}
