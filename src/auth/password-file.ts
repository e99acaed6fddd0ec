/**
 * mosquitto's password file: a user a line, `NAME:HASH`. As mosquitto has it, a line that begins with `#` or has no `:` does
 * not count, blanks around name and hash do not either, and a name with its first `:` ends. What is wrong is told with its
 * place, and never quoted: somebody may have written a password there.
 */
import { InvalidHash, type PasswordHash, parsePasswordHash } from './password-hash.js';

export interface PasswordFileProblem {
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export interface PasswordFile {
  readonly users: ReadonlyMap<string, PasswordHash>;
  readonly problems: readonly PasswordFileProblem[];
}

/** A user name in MQTT is at most so long. */
const LONGEST_NAME_BYTES = 65_535;

/** What C calls blanks. */
const BLANKS = /^[ \t\n\v\f\r]+|[ \t\n\v\f\r]+$/g;

export function parsePasswordFile(text: string): PasswordFile {
  const users = new Map<string, PasswordHash>();
  const lineOf = new Map<string, number>();
  const problems: PasswordFileProblem[] = [];
  for (const [index, content] of linesOf(text).entries()) {
    const entry = splitLine(content);
    if (entry === null) continue;
    const line = index + 1;
    const refuse = (offset: number, message: string): number => problems.push({ line, column: offset + 1, message });
    const unusable = describeUnusableName(entry.username);
    if (unusable !== undefined) {
      refuse(0, `the user name ${unusable}`);
      continue;
    }
    const first = lineOf.get(entry.username);
    if (first !== undefined) refuse(0, `user ${JSON.stringify(entry.username)} is there twice, first in line ${first}`);
    lineOf.set(entry.username, first ?? line);
    if (entry.hash === '') {
      refuse(content.length, 'there is no hash behind the user name');
      continue;
    }
    const hash = parsePasswordHash(entry.hash);
    if (hash instanceof InvalidHash) refuse(entry.hashOffset + hash.offset, hash.message);
    else users.set(entry.username, hash);
  }
  return { users, problems };
}

/**
 * The text with one user's line added, replaced or, with `hash` null, left out; everything else stays as it is.
 * @param username one that {@link describeUnusableName} has nothing against
 * @returns null if the user who is to be left out is not there
 */
export function editPasswordFile(text: string, username: string, hash: string | null): string | null {
  const lines = text.split('\n');
  // Most of a hundred thousand lines need not be taken apart.
  const at = lines.findIndex(
    (line, index) =>
      line.includes(username) && splitLine(index === 0 ? line.replace(/^\ufeff/, '') : line)?.username === username,
  );
  if (hash === null) {
    if (at === -1) return null;
    return lines.toSpliced(at, 1).join('\n');
  }
  const entry = `${username}:${hash}`;
  if (at !== -1) return lines.with(at, (lines[at] as string).endsWith('\r') ? `${entry}\r` : entry).join('\n');
  return text === '' || text.endsWith('\n') ? `${text}${entry}\n` : `${text}\n${entry}\n`;
}

/** Why a user name cannot stand in the file; continues "the user name". */
export function describeUnusableName(username: string): string | undefined {
  if (username === '') return 'is empty';
  if (username.includes(':')) return 'must not contain :, which ends it';
  if (username.startsWith('\ufeff'))
    return 'must not begin with U+FEFF, which does not count at the beginning of a file';
  if (username.startsWith('#')) return 'must not begin with #, which begins a comment';
  if (username.replace(BLANKS, '') !== username) return 'must not begin or end with a blank';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for
  if (/[\u0000\r\n]/.test(username)) return 'must not contain a line end or U+0000';
  return Buffer.byteLength(username) > LONGEST_NAME_BYTES ? `is longer than ${LONGEST_NAME_BYTES} bytes` : undefined;
}

function linesOf(text: string): string[] {
  return text.replace(/^\ufeff/, '').split(/\r?\n/);
}

/** @returns null for a line that does not count */
function splitLine(
  line: string,
): { readonly username: string; readonly hash: string; readonly hashOffset: number } | null {
  const colon = line.indexOf(':');
  if (colon === -1 || line.startsWith('#')) return null;
  const rest = line.slice(colon + 1);
  const hash = rest.replace(BLANKS, '');
  return { username: line.slice(0, colon).replace(BLANKS, ''), hash, hashOffset: colon + 1 + rest.indexOf(hash) };
}
