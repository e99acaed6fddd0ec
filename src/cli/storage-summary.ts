/** What an operator is told about storage: in one line, and what is lost where less than the most is stored. */
import { type DurabilityLevel, isLowerDurability } from '../core/durability.js';
import type { Settings } from './config-schema.js';
import { usesDirectory } from './storage-options.js';

type StorageSection = Settings['storage'];

/** More filters than these are counted and not named. */
const NAMED_FILTERS = 5;

const LOSS: Readonly<Record<DurabilityLevel, string>> = {
  fsync: 'nothing is lost',
  os: 'what is not synced is lost when the power fails',
  memory: 'what is in memory is lost when the process ends',
};

export interface StorageSummary {
  /** Absent if none is opened. */
  readonly directory?: string;
  readonly durability: DurabilityLevel;
  /** Number of topic filters that are stored otherwise. */
  readonly overrides: number;
}

export function storageSummary(storage: StorageSection): StorageSummary {
  const { directory, durability, overrides } = storage;
  return { ...(usesDirectory(storage) ? { directory } : {}), durability, overrides: overrides.length };
}

/** `./data (fsync)`, `./data (os, 2 overrides)`, `no directory (memory)` */
export function storageText({ directory, durability, overrides }: StorageSummary): string {
  const count = overrides === 0 ? '' : overrides === 1 ? ', 1 override' : `, ${overrides} overrides`;
  return `${directory ?? 'no directory'} (${durability}${count})`;
}

/** A sentence for each way in which less is promised than that an acknowledged message is on the disk. */
export function storageWarnings({ durability, overrides }: StorageSection): string[] {
  return [...loweredForAll(durability), ...loweredForTopics(durability, overrides)];
}

function loweredForAll(durability: DurabilityLevel): string[] {
  if (durability === 'memory') return ['durability is memory: nothing outlives the process'];
  if (durability === 'os') {
    return ['durability is os: messages acknowledged shortly before the power fails or the machine crashes are lost'];
  }
  return [];
}

function loweredForTopics(durability: DurabilityLevel, overrides: StorageSection['overrides']): string[] {
  const lowered = overrides.filter((override) => isLowerDurability(override.durability, durability));
  if (lowered.length === 0) return [];
  const subject = lowered.length === 1 ? '1 topic filter is' : `${lowered.length} topic filters are`;
  const named = lowered.slice(0, NAMED_FILTERS).map(({ filter, durability: level }) => `${filter}: ${level}`);
  const others = lowered.length - named.length;
  const list = `${named.join(', ')}${others === 0 ? '' : ` and ${others} more`}`;
  const losses = new Set(lowered.map(({ durability: level }) => LOSS[level]));
  return [`${subject} stored with less than ${durability}: ${list}; ${[...losses].join(', ')}`];
}
