/**
 * What topic names and topic filters have in common as text: their length, the characters that are in neither, and the
 * number of levels. Called by the two validators, for text that may come from the in-process API as well as from the
 * wire.
 */

/** Longest topic name or filter, in bytes of UTF-8: its length is sent in two bytes. */
const MAXIMUM_BYTES = 65_535;

/** A UTF-16 code unit takes at most three bytes of UTF-8, so shorter text need not be measured. */
const ALWAYS_SHORT_ENOUGH = Math.floor(MAXIMUM_BYTES / 3);

/**
 * @param kind how the text is called in the answer, e.g. `Topic name`
 * @returns what is wrong, with the clause; undefined if nothing is
 */
export function describeInvalidTopicText(kind: string, text: string): string | undefined {
  // [MQTT-4.7.3-1] at least one character
  if (text.length === 0) return `${kind} is empty [MQTT-4.7.3-1]`;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    // [MQTT-4.7.3-2] no null character
    if (unit === 0) return `${kind} contains U+0000 [MQTT-4.7.3-2]`;
    if (unit < 0xd800 || unit > 0xdfff) continue;
    // [MQTT-1.5.4-1] a surrogate without its other half has no UTF-8 form
    const next = text.charCodeAt(at + 1);
    if (unit > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff)) return `${kind} is not valid Unicode [MQTT-1.5.4-1]`;
    at++;
  }
  // [MQTT-4.7.3-3] at most 65,535 bytes
  if (text.length > ALWAYS_SHORT_ENOUGH && Buffer.byteLength(text) > MAXIMUM_BYTES) {
    return `${kind} is longer than ${MAXIMUM_BYTES} bytes [MQTT-4.7.3-3]`;
  }
  return undefined;
}

/** Number of levels of a name or filter: one more than it has separators, for empty levels are levels too. */
export function countLevels(text: string): number {
  let levels = 1;
  for (let at = text.indexOf('/'); at !== -1; at = text.indexOf('/', at + 1)) levels++;
  return levels;
}

/** Where the level that begins at `start` ends: at its separator, or with the text. */
export function levelEnd(text: string, start: number): number {
  const slash = text.indexOf('/', start);
  return slash === -1 ? text.length : slash;
}

/** Whether the level of a valid filter that begins at `start` is `+` or `#`. */
export function isWildcard(filter: string, start: number): boolean {
  return filter[start] === '+' || filter[start] === '#';
}

/** V8 copies what is shorter; of longer text it keeps a view, and all that the text was cut out of with it. */
const SHORTEST_VIEW = 13;

/**
 * A level, in memory of its own: what is kept of a long filter or topic must not keep the rest of it, which may be gone long
 * since and counts for nobody.
 */
export function ownLevel(text: string, start: number, end: number): string {
  const level = text.slice(start, end);
  return level.length < SHORTEST_VIEW ? level : ownText(level);
}

/** The same text, in memory of its own. */
export function ownText(text: string): string {
  return Buffer.from(text).toString();
}
