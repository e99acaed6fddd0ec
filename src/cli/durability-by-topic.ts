/** Which durability the messages of a topic have: the first override whose filter matches decides. */
import type { DurabilityLevel } from '../core/durability.js';
import { matchesTopic } from '../topics/filter-match.js';
import type { StorageSettings } from './storage-options.js';

/** Topics whose level is remembered; all are forgotten when there are more. */
const REMEMBERED_TOPICS = 10_000;

/** @returns undefined if all have the same */
export function durabilityByTopic({
  durability,
  overrides,
}: Pick<StorageSettings, 'durability' | 'overrides'>): ((topic: string) => DurabilityLevel) | undefined {
  if (overrides.length === 0) return undefined;
  const known = new Map<string, DurabilityLevel>();
  return (topic) => {
    let level = known.get(topic);
    if (level === undefined) {
      level = overrides.find(({ filter }) => matchesTopic(filter, topic))?.durability ?? durability;
      if (known.size >= REMEMBERED_TOPICS) known.clear();
      known.set(topic, level);
    }
    return level;
  };
}
