/** Opens the store that the settings ask for: on disk, or in memory where nothing is to outlive the process. */
import type { Clock } from '../core/clock.js';
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
  readonly directory: string;
  /** With `memory` no directory is opened at all. */
  readonly durability: DurabilityLevel;
  /** The level of a topic's messages, where it differs. Asked for each message that is stored. */
  readonly durabilityOf?: ((topic: string) => DurabilityLevel) | undefined;
  /** Bytes of message blocks kept in memory for who will read them. */
  readonly cacheBytes: number;
  /** Bytes on their way to the disk at which publishers wait. */
  readonly maximumPendingBytes: number;
  /** Free space of the disk below which nothing more is taken; 0 does not look. */
  readonly minimumFreeBytes: number;
  readonly clock: Clock;
  /** Told in whole sentences what the owner of the data should know. */
  readonly onNotice: (sentence: string) => void;
}

/**
 * @throws DataDirectoryInUse, DataDirectoryUnusable, DataFormatTooNew, StoreDamaged
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  if (options.durability === 'memory') return new MemoryStore();
  return await openLevelStore(options, await openDataDirectory(directoryOptions(options)));
}

/**
 * Opens it again when what was read of it has turned out to be damaged; it has been closed.
 * @throws the error itself if it is no damage, and what {@link openStore} throws
 */
export async function reopenRepaired(options: StoreOptions, error: unknown): Promise<Store> {
  if (!isDamage(error)) throw error;
  return await openLevelStore(options, await repairDataDirectory(directoryOptions(options), error));
}

async function openLevelStore(options: StoreOptions, { level }: DataDirectory): Promise<Store> {
  const { clock, cacheBytes, maximumPendingBytes, durability, onNotice } = options;
  return await LevelStore.open(level, {
    clock,
    cacheBytes,
    maximumPendingBytes,
    durability,
    durabilityOf: options.durabilityOf ?? (() => durability),
    onDamaged: (messages) => {
      const what = messages === 1 ? 'A message' : `${messages} messages`;
      onNotice(`${what} could not be read back from the store and cannot be delivered.`);
    },
  });
}

function directoryOptions(options: StoreOptions): DataDirectoryOptions {
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
