/**
 * The version of everything that is kept in a store, and who it belongs to. A store without a version is either new, or
 * none of ours.
 */
import { DataDirectoryUnusable, DataFormatTooNew } from '../core/errors.js';
import type { CommittedLevel } from './committed-level.js';

/**
 * Brings a store from one version to the next. What it writes in its last turn shares a commit with the new version;
 * one that writes over several turns must be able to start again from where a crash left it.
 */
export type Migration = (level: CommittedLevel) => Promise<void>;

/** Queues came with version 2, in records and under keys of their own: nothing that is there changes. */
async function admitQueues(): Promise<void> {}

/**
 * With version 3 each shared subscription has a stream, and states say which copies of a message are done with. What is
 * there is read as it is, and becomes new as it is written again.
 */
async function admitExclusiveStreams(): Promise<void> {}

/** The history of queues came with version 4, under keys of its own, and so did records of queues that are gone. */
async function admitHistory(): Promise<void> {}

/** The first one leads from version 1 to version 2, and so on. */
const MIGRATIONS: readonly Migration[] = [admitQueues, admitExclusiveStreams, admitHistory];

const FORMAT_KEY = 'meta:format';
const BROKER_KEY = 'meta:broker';

export interface FormatOptions {
  readonly newBrokerId: () => string;
  /** The store was repaired, or LevelDB left out a part: its version may be among that, and it is ours all the same. */
  readonly isRepaired: boolean;
  /** Instead of those known, for tests. */
  readonly migrations?: readonly Migration[];
}

export interface StoreIdentity {
  readonly brokerId: string;
  readonly wasCreated: boolean;
  /** The identity is new, because the store is or because it had lost the one before. */
  readonly isNewIdentity: boolean;
}

/** @throws DataFormatTooNew, DataDirectoryUnusable for a store that is none of ours, and what reading throws */
export async function ensureFormat(level: CommittedLevel, options: FormatOptions): Promise<StoreIdentity> {
  const migrations = options.migrations ?? MIGRATIONS;
  const newest = migrations.length + 1;
  const text = (await level.get(FORMAT_KEY))?.toString();
  const wasCreated = text === undefined && (await isEmpty(level));
  if (text === undefined) {
    if (!wasCreated && !options.isRepaired) throw foreign(level, 'has no format version');
    await writeVersion(level, newest);
  } else {
    const version = Number(text);
    if (!Number.isSafeInteger(version) || version < 1) throw foreign(level, `has "${text}" for a format version`);
    if (version > newest) throw tooNew(level, version, newest);
    await migrate(level, migrations, version);
  }
  return { ...(await ensureBrokerId(level, options.newBrokerId)), wasCreated };
}

async function isEmpty(level: CommittedLevel): Promise<boolean> {
  const keys = await level.keys({ limit: 1 }).all();
  return keys.length === 0;
}

async function migrate(level: CommittedLevel, migrations: readonly Migration[], from: number): Promise<void> {
  for (let version = from; version <= migrations.length; version++) {
    await migrations[version - 1]?.(level);
    await writeVersion(level, version + 1);
  }
}

async function writeVersion(level: CommittedLevel, version: number): Promise<void> {
  level.putNow(FORMAT_KEY, Buffer.from(String(version)));
  await level.flush();
}

async function ensureBrokerId(
  level: CommittedLevel,
  newBrokerId: () => string,
): Promise<Omit<StoreIdentity, 'wasCreated'>> {
  const known = (await level.get(BROKER_KEY))?.toString();
  if (known !== undefined) return { brokerId: known, isNewIdentity: false };
  const brokerId = newBrokerId();
  level.putNow(BROKER_KEY, Buffer.from(brokerId));
  await level.flush();
  return { brokerId, isNewIdentity: true };
}

function foreign(level: CommittedLevel, what: string): DataDirectoryUnusable {
  return new DataDirectoryUnusable(`The database in ${level.location} ${what}: Millrace has not written it`);
}

function tooNew(level: CommittedLevel, found: number, known: number): DataFormatTooNew {
  const message = `The data in ${level.location} has format ${found}; this version knows formats up to ${known}`;
  return new DataFormatTooNew(message, found, known);
}
