/** What a topic or filter takes in an index, beside its own text: many short levels take more memory than one long one. */
import { countLevels } from './topic-text.js';

/** Measured: 68 to 80 bytes of heap for each level that two have begun with and one has left, and some hundred for the entry. */
const BYTES_PER_LEVEL = 80;
const BYTES_PER_ENTRY = 300;

/** An upper estimate, in bytes. */
export function indexBytes(topic: string): number {
  return BYTES_PER_ENTRY + BYTES_PER_LEVEL * countLevels(topic);
}
