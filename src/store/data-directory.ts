/**
 * The directory in which a broker keeps what shall survive it. The database is in its folder `store`. Opening it makes
 * sure that it is ours, of a format that we know, in nobody else's use, and whole: a damaged database is set aside and
 * what can be read of it is served, with a notice of what was done.
 */
import { randomUUID } from 'node:crypto';
import { access, constants, mkdir, readdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { DataDirectoryInUse, DataDirectoryUnusable, MillraceError, StoreDamaged } from '../core/errors.js';
import { CommittedLevel, type CommittedLevelOptions } from './committed-level.js';
import { ensureFormat, type Migration, type StoreIdentity } from './format-version.js';
import { KeptLogs } from './kept-logs.js';
import { isDamage, isLocked, reasonOf } from './level-failure.js';
import { readRecoveryReport } from './recovery-report.js';
import { finishRepair, repairStore } from './store-repair.js';
import { syncDirectory } from './sync-directory.js';

/** Told in whole sentences what the owner of the data should know. */
export interface NoticeSink {
  notice(sentence: string): void;
}

export interface DataDirectoryOptions extends CommittedLevelOptions {
  readonly directory: string;
  /** The same sentences are in the result. */
  readonly notices?: NoticeSink | undefined;
  /** Identity of a broker whose directory is new; a random UUID unless told. */
  readonly newBrokerId?: (() => string) | undefined;
  /** Instead of those known, for tests. */
  readonly migrations?: readonly Migration[] | undefined;
}

export interface DataDirectory extends StoreIdentity {
  /** Open. Whoever opened the directory closes it. */
  readonly level: CommittedLevel;
  readonly notices: readonly string[];
}

/**
 * Opens the directory, makes it first where there is none.
 * @throws DataDirectoryInUse, DataDirectoryUnusable, DataFormatTooNew; StoreDamaged if a repair was needed and failed
 */
export async function openDataDirectory(options: DataDirectoryOptions): Promise<DataDirectory> {
  const notices = new Notices(options.notices);
  await ensureDirectory(options.directory);
  if (await finishRepair(locationOf(options))) notices.add('A repair that was cut short has been brought to its end.');
  try {
    return await openStore(options, notices, false);
  } catch (error) {
    if (!isDamage(error)) throw error;
    return repairAndOpen(options, notices, error);
  }
}

/**
 * Repairs the closed database of a directory that could be opened, and opens it again: for damage that was met when
 * something was read for the first time, see `isDamage`.
 * @throws as openDataDirectory
 */
export function repairDataDirectory(options: DataDirectoryOptions, damage: unknown): Promise<DataDirectory> {
  return repairAndOpen(options, new Notices(options.notices), damage);
}

async function ensureDirectory(directory: string): Promise<void> {
  try {
    // Of a file system that is read only, Node's recursive form says that the directory is not there.
    await mkdir(directory, { recursive: true, mode: 0o700 }).catch(() => mkdir(directory, { mode: 0o700 }));
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
    await readdir(directory);
  } catch (cause) {
    throw unusable(directory, cause);
  }
}

async function openStore(options: DataDirectoryOptions, notices: Notices, isRepaired: boolean): Promise<DataDirectory> {
  const location = locationOf(options);
  const createIfMissing = await isVacant(location);
  const kept = await KeptLogs.keep(location);
  // Nothing may be awaited between these two: a level opens itself otherwise, and creates what is missing.
  const level = new CommittedLevel(location, options);
  try {
    await level.open({ createIfMissing });
  } catch (error) {
    await kept.discard();
    if (isLocked(error)) throw inUse(options.directory, error);
    if (isDamage(error)) throw error;
    throw unusable(options.directory, error);
  }
  try {
    const { droppedBytes, reasons } = await readRecoveryReport(location);
    const isDamaged = droppedBytes > 0 && !(await kept.endTorn());
    if (isDamaged) {
      const aside = await kept.setAside(options.clock.now());
      notices.add(
        `${droppedBytes} bytes of the log in ${location} could not be read and are lost (${reasons.join('; ')}).` +
          (aside === null ? '' : ` The damaged log is in ${aside}.`),
      );
    } else await kept.discard();
    const { newBrokerId = randomUUID, migrations } = options;
    const identity = await ensureFormat(level, {
      newBrokerId,
      isRepaired: isRepaired || isDamaged,
      ...(migrations === undefined ? {} : { migrations }),
    });
    await syncDirectory(options.directory);
    if (identity.wasCreated) await syncDirectory(dirname(resolve(options.directory)));
    if (identity.isNewIdentity && (isRepaired || isDamaged)) {
      notices.add(
        `The identity of the broker was lost with the damage in ${location}: it is ${identity.brokerId} now.`,
      );
    }
    return { level, ...identity, notices: notices.sentences };
  } catch (error) {
    await level.close();
    throw error;
  }
}

/**
 * Whether LevelDB may begin a database there. Not wherever its CURRENT is missing: it would take all other files for
 * remains, and delete them.
 */
async function isVacant(location: string): Promise<boolean> {
  try {
    const names = await readdir(location);
    return !names.some((name) => name === 'CURRENT' || /\.(ldb|sst|log)$/.test(name));
  } catch {
    return true;
  }
}

async function repairAndOpen(options: DataDirectoryOptions, notices: Notices, damage: unknown): Promise<DataDirectory> {
  const location = locationOf(options);
  const { damagedLocation, damagedTables } = await repairStore(location, options.clock.now());
  notices.add(
    `The database in ${location} was damaged (${reasonOf(damage)}). It has been repaired; ` +
      `${damagedTables} of its tables could be read in part or not at all. The damaged files are in ${damagedLocation}.`,
  );
  try {
    return await openStore(options, notices, true);
  } catch (cause) {
    if (cause instanceof MillraceError) throw cause;
    const message = `The database in ${location} was repaired and is still damaged: ${reasonOf(cause)}`;
    throw new StoreDamaged(`${message}. The files as they were found are in ${damagedLocation}`, damagedLocation, {
      cause,
    });
  }
}

class Notices {
  readonly sentences: string[] = [];
  readonly #sink: NoticeSink | undefined;

  constructor(sink: NoticeSink | undefined) {
    this.#sink = sink;
  }

  add(sentence: string): void {
    this.sentences.push(sentence);
    this.#sink?.notice(sentence);
  }
}

function locationOf({ directory }: DataDirectoryOptions): string {
  return join(directory, 'store');
}

function inUse(directory: string, cause: unknown): DataDirectoryInUse {
  return new DataDirectoryInUse(`The data directory ${directory} is in use by another process`, { cause });
}

function unusable(directory: string, cause: unknown): DataDirectoryUnusable {
  return new DataDirectoryUnusable(`The data directory ${directory} cannot be used: ${reasonOf(cause)}`, { cause });
}
