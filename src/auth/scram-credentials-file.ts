/**
 * The file with the users of SCRAM, one a line for each mechanism; empty lines and those that begin with `#` do not count:
 *
 *   station-7:SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm…=:wfPLwcE6…=
 *
 * A line is never quoted in a problem: somebody may have written a password there.
 */
import { decodeBase64 } from './base64.js';
import { saslprep, UnpreparedText } from './saslprep.js';
import { MAXIMUM_ITERATIONS, MINIMUM_ITERATIONS, type ScramCredential, scramCredential } from './scram-credential.js';
import { SCRAM_MECHANISMS } from './scram-mechanism.js';

export interface CredentialProblem {
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly suggestion?: string | undefined;
}

/** By name of the mechanism, then by user name. A mechanism that nobody has a line for is not there. */
export type ScramUsers = ReadonlyMap<string, ReadonlyMap<string, ScramCredential>>;

export interface ScramCredentialsFile {
  readonly users: ScramUsers;
  readonly problems: readonly CredentialProblem[];
}

const NAMES = SCRAM_MECHANISMS.map(({ name }) => name);

const FORM = `USER:${NAMES[0]}$ITERATIONS:SALT$STOREDKEY:SERVERKEY`;

/** No value has a `:` or `$` in it, so that a user name may. */
const LINE = /^(.*):([^:$]*)\$([^:$]*):([^:$]*)\$([^:$]*):([^:$]*)$/d;

/** RFC 5802 sets no least length; 8 bytes are enough that no two users have the same salt by chance. */
const MINIMUM_SALT_BYTES = 8;

/** What is wrong with a line, `offset` UTF-16 units into it. */
class Fault {
  readonly offset: number;
  readonly message: string;
  readonly suggestion: string | undefined;

  constructor(offset: number, message: string, suggestion?: string) {
    this.offset = offset;
    this.message = message;
    this.suggestion = suggestion;
  }
}

export function parseCredentialsFile(text: string): ScramCredentialsFile {
  const users = new Map<string, Map<string, ScramCredential>>();
  const lineOf = new Map<string, number>();
  const problems: CredentialProblem[] = [];
  for (const [index, content] of text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .entries()) {
    if (content.trim() === '' || content.startsWith('#')) continue;
    const line = index + 1;
    const parsed = parseLine(content);
    if (parsed instanceof Fault) {
      const { offset, message, suggestion } = parsed;
      problems.push({ line, column: offset + 1, message, suggestion });
      continue;
    }
    const { username, credential } = parsed;
    const { name } = credential.mechanism;
    const first = lineOf.get(`${name}:${username}`);
    if (first !== undefined) {
      const message = `user ${JSON.stringify(username)} is there twice for ${name}, first in line ${first}`;
      problems.push({ line, column: 1, message });
    }
    lineOf.set(`${name}:${username}`, first ?? line);
    const ofMechanism = users.get(name) ?? new Map<string, ScramCredential>();
    users.set(name, ofMechanism.set(username, credential));
  }
  return { users, problems };
}

/**
 * The text with one user's lines replaced by those for `credentials`, where the first of them stood or else at the end; everything else
 * stays as it is.
 * @param username one that {@link describeUnusableUsername} has nothing against
 */
export function editCredentialsFile(
  text: string,
  username: string,
  credentials: readonly ScramCredential[],
): { readonly text: string; readonly isKnown: boolean } {
  const lines = text.split('\n');
  const isOfUser = (line: string): boolean => {
    const bare = line.replace(/^\ufeff/, '').replace(/\r$/, '');
    return !bare.startsWith('#') && LINE.exec(bare)?.[1] === username;
  };
  const at = lines.findIndex(isOfUser);
  const added = credentials.map((credential) => formatCredentialLine(username, credential));
  if (at === -1) {
    const end = text === '' || text.endsWith('\n') ? '' : '\n';
    return { text: `${text}${end}${added.map((line) => `${line}\n`).join('')}`, isKnown: false };
  }
  const ending = lines[at]?.endsWith('\r') ? '\r' : '';
  const kept = lines.flatMap((line, index) => {
    if (index === at) return added.map((each) => `${each}${ending}`);
    return isOfUser(line) ? [] : [line];
  });
  return { text: kept.join('\n'), isKnown: true };
}

/** The line for one user. @param username one that {@link describeUnusableUsername} has nothing against */
export function formatCredentialLine(username: string, credential: ScramCredential): string {
  return `${username}:${credential.text}`;
}

/**
 * Why a user name cannot stand in the file.
 * @param username as `saslprep` returns it
 */
export function describeUnusableUsername(username: string): string | undefined {
  if (username.startsWith('#')) return 'must not begin with #, which begins a comment';
  if (username.trim() !== username) return 'must not begin or end with a blank';
  return undefined;
}

function parseLine(line: string): { readonly username: string; readonly credential: ScramCredential } | Fault {
  const match = LINE.exec(line);
  if (match === null) return new Fault(0, `expected ${FORM}, as millrace scram prints it`);
  const [, username = '', name = '', iterationsText = '', saltText = '', storedText = '', serverText = ''] = match;
  const startOf = (group: number): number => match.indices?.[group]?.[0] ?? 0;
  const unusable = usernameFault(username);
  if (unusable !== undefined) return unusable;
  const mechanism = SCRAM_MECHANISMS.find((each) => each.name === name);
  if (mechanism === undefined) return mechanismFault(startOf(2), name);
  const { keyBytes } = mechanism;
  const iterations = /^[1-9]\d{0,9}$/.test(iterationsText) ? Number(iterationsText) : 0;
  if (iterations < MINIMUM_ITERATIONS || iterations > MAXIMUM_ITERATIONS) {
    const message = `expected a number of iterations from ${MINIMUM_ITERATIONS} to ${MAXIMUM_ITERATIONS}`;
    return new Fault(startOf(3), message);
  }
  const salt = decodeBase64(saltText);
  if (salt === undefined || salt.length < MINIMUM_SALT_BYTES) {
    return new Fault(startOf(4), `expected a salt of at least ${MINIMUM_SALT_BYTES} bytes in base64`);
  }
  const storedKey = decodeBase64(storedText);
  if (storedKey?.length !== keyBytes) return new Fault(startOf(5), keyMessage('stored', keyBytes));
  const serverKey = decodeBase64(serverText);
  if (serverKey?.length !== keyBytes) return new Fault(startOf(6), keyMessage('server', keyBytes));
  return { username, credential: scramCredential(mechanism, { iterations, salt, storedKey, serverKey }) };
}

function usernameFault(username: string): Fault | undefined {
  const prepared = saslprep(username, 'stored');
  if (prepared instanceof UnpreparedText) return new Fault(0, `the user name ${prepared.reason}`);
  const unusable = describeUnusableUsername(username);
  if (unusable !== undefined) return new Fault(0, `the user name ${unusable}`);
  if (prepared === username) return undefined;
  // What a client says is brought into that form before it is looked up.
  return new Fault(0, 'the user name is not in the form that SASLprep (RFC 4013) gives it', prepared);
}

function mechanismFault(offset: number, name: string): Fault {
  const plain = (text: string): string => text.replace(/[-_]/g, '').toLowerCase();
  const meant = NAMES.find((known) => plain(known) === plain(name));
  return new Fault(offset, `expected ${NAMES.join(' or ')}`, meant);
}

function keyMessage(name: string, keyBytes: number): string {
  return `expected a ${name} key of ${keyBytes} bytes in base64`;
}
