/**
 * Text that somebody on the network has chosen, for a log: bounded, and without what could make a reader take it for something else.
 */

const LONGEST = 200;

// Control characters, and those that change the direction or the lines of what stands around them.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const MISLEADING = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

export function loggable(text: string): string {
  const bounded = text.length > LONGEST ? `${text.slice(0, LONGEST)}… (${text.length} characters)` : text;
  return bounded.replace(MISLEADING, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
