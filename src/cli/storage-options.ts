import type { DurabilityLevel } from '../core/durability.js';
import type { Settings } from './config-schema.js';

/** What the store has to know, in its own units. */
export interface StorageSettings {
  /** As configured: a relative path starts from the working directory. */
  readonly directory: string;
  /** With `memory` no directory is opened at all; see {@link usesDirectory}. */
  readonly durability: DurabilityLevel;
  /** The first whose filter matches the topic of a message decides. Valid filters, not shared, each there once. */
  readonly overrides: readonly { readonly filter: string; readonly durability: DurabilityLevel }[];
  /** Blocks of messages kept in memory. */
  readonly cacheBytes: number;
  /** Bytes written and not yet on the disk from which publishers are held back. */
  readonly maximumPendingBytes: number;
  /** Free space of the disk below which no new message is stored; 0 does not look. */
  readonly minimumFreeBytes: number;
  /** How long a publisher waits whose message cannot be stored. */
  readonly failureTimeoutMs: number;
}

/** The store's settings as the configuration has them. */
export function storageSettings({ storage }: Settings): StorageSettings {
  return {
    directory: storage.directory,
    durability: storage.durability,
    overrides: storage.overrides,
    cacheBytes: storage.cache,
    maximumPendingBytes: storage.maxPending,
    minimumFreeBytes: storage.minFree,
    failureTimeoutMs: Math.round(storage.failureTimeout * 1000),
  };
}

/** Whether anything is stored at all, and so whether the directory is to be opened. */
export function usesDirectory({ durability }: Pick<StorageSettings, 'durability'>): boolean {
  return durability !== 'memory';
}
