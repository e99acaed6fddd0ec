/**
 * `${username}` and `${clientId}` in rules of our own: each a whole level of a filter, or a whole name of a queue, that stands for the
 * client's own.
 */
import type { Principal } from './principal.js';

type Named = Pick<Principal, 'username' | 'clientId'>;

const VALUES: ReadonlyMap<string, (principal: Named) => string | null> = new Map([
  [placeholder('username'), ({ username }: Named) => username],
  [placeholder('clientId'), ({ clientId }: Named) => clientId],
]);

export const PLACEHOLDERS: readonly string[] = [...VALUES.keys()];

/** Anything that looks like one, misspelt ones included. */
const ANY = /\$\{[^}/]*\}?/;

function placeholder(name: string): string {
  return `\${${name}}`;
}

export function hasPlaceholder(text: string): boolean {
  return text.split('/').some((level) => VALUES.has(level));
}

/** @returns what is wrong with how `text` uses placeholders; undefined if nothing is */
export function findMisplaced(text: string): { readonly index: number; readonly found: string } | undefined {
  let index = 0;
  for (const level of text.split('/')) {
    const match = VALUES.has(level) ? null : ANY.exec(level);
    if (match !== null) return { index: index + match.index, found: match[0] };
    index += level.length + 1;
  }
  return undefined;
}

/**
 * `text` with the client's own names in it.
 * @param unusable stands where the client has no name, or one that is no level (it is empty, or has `/`, `+`, `#` or `*` in
 *   it, or would be a first one with `$`); null if nothing does
 * @returns null if there is nothing to put in a place
 */
export function fillPlaceholders(text: string, principal: Named, unusable: string | null): string | null {
  const levels: string[] = [];
  for (const level of text.split('/')) {
    const nameOf = VALUES.get(level);
    const own = nameOf === undefined ? level : usable(nameOf(principal), levels.length === 0);
    if (own === null && unusable === null) return null;
    levels.push(own ?? unusable ?? '');
  }
  return levels.join('/');
}

/** @param isFirst of its filter: a client that calls itself $SYS or $queue must not get what is below */
function usable(name: string | null, isFirst: boolean): string | null {
  if (name === null || name === '' || /[/+#*]/.test(name)) return null;
  return isFirst && name.startsWith('$') ? null : name;
}
