/**
 * "Did you mean …?": the name that a person most likely had in mind. Case, `-` and `_` do not count, so that
 * `max_packet_size` finds `maxPacketSize`; beyond that it is Levenshtein's distance, up to a third of the name, and else a
 * name that contains the given one.
 */

/** `name` without what people write differently: lower case, no `-` and `_`. */
export function foldName(name: string): string {
  return name.replace(/[-_]/g, '').toLowerCase();
}

/** @returns the closest of `candidates`, or undefined if none is close; the first of equally close ones */
export function closestName(name: string, candidates: readonly string[]): string | undefined {
  // A hostile or broken file may carry a key of a megabyte; the distance is quadratic.
  if (name.length > 64) return undefined;
  const folded = foldName(name);
  let closest: string | undefined;
  let smallest = Math.max(2, Math.floor(folded.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(folded, foldName(candidate));
    // Two short names that share no letter are not alike, however few edits lie between them.
    if (distance < smallest && distance < Math.max(folded.length, 2)) {
      closest = candidate;
      smallest = distance;
    }
  }
  if (closest !== undefined || folded.length < 4) return closest;
  // A part of a long name is many edits away from it, and yet what was meant.
  return [...candidates].find((candidate) => foldName(candidate).includes(folded));
}

/** The text to append to a problem; empty without a suggestion. */
export function didYouMean(suggestion: string | undefined): string {
  return suggestion === undefined ? '' : ` - did you mean "${suggestion}"?`;
}

function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const replaced = (previous[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[to.length] ?? 0;
}
