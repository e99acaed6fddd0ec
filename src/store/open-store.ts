/** Opens the store that the settings ask for: on disk, or in memory where nothing is to outlive the process. */
import { type Clock, SystemClock } from '../core/clock.js';
import type { DurabilityLevel } from '../core/durability.js';
import {
  type DataDirectory,
  type DataDirectoryOptions,
  openDataDirectory,
  repairDataDirectory,
} from './data-directory.js';
import { isDamage } from './level-failure.js';
import { LevelStore } from './level-store.js';
import { MemoryStore } from './memory-store.js';
import type { Store } from './store.js';

export interface StoreOptions {
  /** Made if it is not there. Used by one process at a time. */
  readonly directory: string;
  /** Default `fsync`. With `memory` no directory is opened at all. */
  readonly durability?: DurabilityLevel | undefined;
  /** The level of a topic's messages, where it differs. Asked for each message that is stored. */
  readonly durabilityOf?: ((topic: string) => DurabilityLevel) | undefined;
  /** Bytes of message blocks kept in memory for who will read them. Default 32 MiB. */
  readonly cacheBytes?: number | undefined;
  /** Bytes on their way to the disk at which publishers wait. Default 16 MiB. */
  readonly maximumPendingBytes?: number | undefined;
  /** Free space of the disk below which nothing more is taken; 0 does not look. Default 64 MiB. */
  readonly minimumFreeBytes?: number | undefined;
  /** Default: what the machine says. */
  readonly clock?: Clock | undefined;
  /** Told in whole sentences what the owner of the data should know. */
  readonly onNotice?: ((sentence: string) => void) | undefined;
}

const MIB = 1024 * 1024;

/**
 * Opens the store; the broker that gets it closes it.
 *
 * @throws DataDirectoryInUse, DataDirectoryUnusable, DataFormatTooNew, StoreDamaged
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  if (options.durability === 'memory') return new MemoryStore();
  const complete = withDefaults(options);
  return await openLevelStore(complete, await openDataDirectory(directoryOptions(complete)));
}

/**
 * Opens it again when what was read of it has turned out to be damaged; it has been closed.
 * @throws the error itself if it is no damage, and what {@link openStore} throws
 */
export async function reopenRepaired(options: StoreOptions, error: unknown): Promise<Store> {
  if (!isDamage(error)) throw error;
  const complete = withDefaults(options);
  return await openLevelStore(complete, await repairDataDirectory(directoryOptions(complete), error));
}

type CompleteOptions = { readonly [K in keyof StoreOptions]-?: Exclude<StoreOptions[K], undefined> };

function withDefaults(options: StoreOptions): CompleteOptions {
  const durability = options.durability ?? 'fsync';
  return {
    directory: options.directory,
    durability,
    durabilityOf: options.durabilityOf ?? (() => durability),
    cacheBytes: options.cacheBytes ?? 32 * MIB,
    maximumPendingBytes: options.maximumPendingBytes ?? 16 * MIB,
    minimumFreeBytes: options.minimumFreeBytes ?? 64 * MIB,
    clock: options.clock ?? new SystemClock(),
    onNotice: options.onNotice ?? (() => {}),
  };
}

async function openLevelStore(options: CompleteOptions, { level }: DataDirectory): Promise<Store> {
  const { clock, cacheBytes, maximumPendingBytes, durability, durabilityOf, onNotice } = options;
  return await LevelStore.open(level, {
    clock,
    cacheBytes,
    maximumPendingBytes,
    durability,
    durabilityOf,
    onNotice,
    onDamaged: (messages) => {
      const what = messages === 1 ? 'A message' : `${messages} messages`;
      onNotice(`${what} could not be read back from the store and cannot be delivered.`);
    },
    onMarksDamaged: (messages) => {
      const which = messages === 1 ? 'a message' : `${messages} messages`;
      onNotice(`What queues had done with ${which} could not be read back from the store: they come again.`);
    },
  });
}

function directoryOptions(options: CompleteOptions): DataDirectoryOptions {
  const { directory, clock, maximumPendingBytes, minimumFreeBytes, durability, onNotice } = options;
  return {
    directory,
    clock,
    maximumPendingBytes,
    minimumFreeBytes,
    isSynced: durability === 'fsync',
    notices: { notice: onNotice },
  };
}
