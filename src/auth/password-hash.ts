/**
 * What mosquitto keeps of passwords, in the three forms that its versions write:
 *
 *   $7$101$SALT$HASH                           PBKDF2 with HMAC-SHA-512 (1.6 and later)
 *   $6$SALT$HASH                               SHA-512 of the password and the salt (before that)
 *   $argon2id$v=19$m=47104,t=1,p=1$SALT$HASH   argon2id (2.1)
 *
 * Checking takes from microseconds to a tenth of a second and more, and never on the event loop.
 */
import { isUtf8 } from 'node:buffer';
import { createHash, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { argon2Library, argon2Path } from './argon2-library.js';
import { decodeBase64 } from './base64.js';
import { checkInThread } from './check-threads.js';

const pbkdf2Async = promisify(pbkdf2);

const HASH_BYTES = 64;
/** Of mosquitto up to 2.0, and of 2.1: it takes no others. */
const SALT_BYTES = [12, 64];
/** What every mosquitto reads. */
const WRITTEN_SALT_BYTES = 12;

/** Some ten seconds on a desktop computer: above, nobody would get in. */
export const MAXIMUM_ITERATIONS = 10_000_000;

/** Up to ten milliseconds, which Node's own threads do for less than one of ours costs. */
const SHORT_ITERATIONS = 10_000;

/** The forms that new hashes can have, by the names that mosquitto_passwd has for them. */
export const PASSWORD_HASHES = ['sha512-pbkdf2', 'argon2id'] as const;
export type PasswordHashName = (typeof PASSWORD_HASHES)[number];

/** As in mosquitto 2.1: a millisecond for the broker. More make it harder to guess a password that people chose. */
export const DEFAULT_PASSWORD_ITERATIONS = 1000;

/** Memory, passes and lanes: within these a check takes seconds at most, and a gibibyte. */
const MAXIMUM_MEMORY_KIB = 1024 * 1024;
const MAXIMUM_PASSES = 32;
const MAXIMUM_LANES = 16;

/** mosquitto 2.1 writes argon2id with these. */
const ARGON2_WRITTEN = { memoryCost: 47_104, timeCost: 1, parallelism: 1, outputLen: HASH_BYTES } as const;
const ARGON2_SALT_BYTES = 64;

export interface PasswordHash {
  /** As it stands in the file. */
  readonly text: string;
  /** `sha512` is what cannot be written any more. */
  readonly name: PasswordHashName | 'sha512';
  /** What a check costs: the same for hashes of the same form and parameters. */
  readonly cost: string;
  verify(password: Buffer): Promise<boolean>;
  /** A hash at the same cost that no password is known for. */
  standIn(): PasswordHash;
}

/** A text that is none of the forms. */
export class InvalidHash {
  /** UTF-16 units into the text. */
  readonly offset: number;
  readonly message: string;

  constructor(offset: number, message: string) {
    this.offset = offset;
    this.message = message;
  }
}

export function parsePasswordHash(text: string): PasswordHash | InvalidHash {
  if (text.startsWith('$7$')) return parsePbkdf2(text);
  if (text.startsWith('$6$')) return parseSha512(text);
  if (text.startsWith('$argon2id$')) return parseArgon2(text);
  return new InvalidHash(
    0,
    'expected a hash ($7$…, $6$… or $argon2id$…), as millrace passwd and mosquitto_passwd write it',
  );
}

/**
 * A new hash, made outside the event loop.
 * @param iterations of `sha512-pbkdf2`
 * @returns null for argon2id without the package for it
 */
export async function hashPassword(
  password: string,
  name: PasswordHashName = 'sha512-pbkdf2',
  iterations = DEFAULT_PASSWORD_ITERATIONS,
): Promise<string | null> {
  return name === 'argon2id' ? await hashByArgon2(password) : await hashByPbkdf2(password, iterations);
}

/** A new hash in the form `$7$`, with a salt that every version of mosquitto reads. */
export async function hashByPbkdf2(password: string, iterations: number): Promise<string> {
  const salt = randomBytes(WRITTEN_SALT_BYTES);
  const hash = await pbkdf2Async(password, salt, iterations, HASH_BYTES, 'sha512');
  return `$7$${iterations}$${salt.toString('base64')}$${hash.toString('base64')}`;
}

/** A new hash in the form `$argon2id$`, as mosquitto 2.1 makes it. @returns null without the package for it */
export async function hashByArgon2(password: string): Promise<string | null> {
  const salt = randomBytes(ARGON2_SALT_BYTES);
  return (await argon2Library()?.hash(password, { ...ARGON2_WRITTEN, salt })) ?? null;
}

class Pbkdf2Hash implements PasswordHash {
  readonly name = 'sha512-pbkdf2';
  readonly text: string;
  readonly #iterations: number;
  readonly #salt: Buffer;
  readonly #hash: Buffer;

  constructor(text: string, iterations: number, salt: Buffer, hash: Buffer) {
    this.text = text;
    this.#iterations = iterations;
    this.#salt = salt;
    this.#hash = hash;
  }

  get cost(): string {
    return `$7$${this.#iterations}`;
  }

  async verify(password: Buffer): Promise<boolean> {
    const salt = this.#salt;
    const iterations = this.#iterations;
    if (iterations > SHORT_ITERATIONS) {
      return checkInThread({ kind: 'pbkdf2', salt, iterations, hash: this.#hash, password });
    }
    const hash = await pbkdf2Async(password, salt, iterations, HASH_BYTES, 'sha512');
    return timingSafeEqual(hash, this.#hash);
  }

  standIn(): PasswordHash {
    return new Pbkdf2Hash('', this.#iterations, randomBytes(this.#salt.length), randomBytes(HASH_BYTES));
  }
}

class Sha512Hash implements PasswordHash {
  readonly name = 'sha512';
  readonly text: string;
  readonly cost = '$6$';
  readonly #salt: Buffer;
  readonly #hash: Buffer;

  constructor(text: string, salt: Buffer, hash: Buffer) {
    this.text = text;
    this.#salt = salt;
    this.#hash = hash;
  }

  async verify(password: Buffer): Promise<boolean> {
    return timingSafeEqual(createHash('sha512').update(password).update(this.#salt).digest(), this.#hash);
  }

  standIn(): PasswordHash {
    return new Sha512Hash('', randomBytes(this.#salt.length), randomBytes(HASH_BYTES));
  }
}

class Argon2Hash implements PasswordHash {
  readonly name = 'argon2id';
  readonly text: string;
  readonly cost: string;
  readonly #encoded: string;

  constructor(text: string, encoded = text) {
    this.text = text;
    this.#encoded = encoded;
    this.cost = encoded.split('$', 4).join('$');
  }

  async verify(password: Buffer): Promise<boolean> {
    // The package takes nothing else.
    if (!isUtf8(password)) return false;
    // Without the package, no such hash has been read.
    return checkInThread({ kind: 'argon2', library: argon2Path(), encoded: this.#encoded, password });
  }

  standIn(): PasswordHash {
    const [saltBytes = 0, hashBytes = 0] = this.#encoded
      .split('$')
      .slice(4)
      .map((part) => Math.floor((part.length * 3) / 4));
    const [salt, hash] = [saltBytes, hashBytes].map((length) =>
      randomBytes(length).toString('base64').replaceAll('=', ''),
    );
    return new Argon2Hash('', `${this.cost}$${salt}$${hash}`);
  }
}

function parsePbkdf2(text: string): PasswordHash | InvalidHash {
  const [, , iterationsText = '', saltText, hashText, ...rest] = text.split('$');
  if (hashText === undefined || rest.length > 0) return new InvalidHash(0, 'expected $7$ITERATIONS$SALT$HASH');
  const iterations = numberIn(iterationsText, MAXIMUM_ITERATIONS);
  const saltOffset = '$7$'.length + iterationsText.length + 1;
  if (iterations === undefined) {
    return new InvalidHash('$7$'.length, `expected a number of iterations from 1 to ${MAXIMUM_ITERATIONS}`);
  }
  const parts = saltAndHash(saltText ?? '', hashText, saltOffset);
  return parts instanceof InvalidHash ? parts : new Pbkdf2Hash(text, iterations, parts.salt, parts.hash);
}

function parseSha512(text: string): PasswordHash | InvalidHash {
  const [, , saltText, hashText, ...rest] = text.split('$');
  if (hashText === undefined || rest.length > 0) return new InvalidHash(0, 'expected $6$SALT$HASH');
  const parts = saltAndHash(saltText ?? '', hashText, '$6$'.length);
  return parts instanceof InvalidHash ? parts : new Sha512Hash(text, parts.salt, parts.hash);
}

function saltAndHash(saltText: string, hashText: string, offset: number): { salt: Buffer; hash: Buffer } | InvalidHash {
  const salt = decodeBase64(saltText);
  if (salt === undefined || !SALT_BYTES.includes(salt.length)) {
    return new InvalidHash(offset, `expected a salt of ${SALT_BYTES.join(' or ')} bytes in base64`);
  }
  const hash = decodeBase64(hashText);
  if (hash?.length === HASH_BYTES) return { salt, hash };
  return new InvalidHash(offset + saltText.length + 1, `expected a hash of ${HASH_BYTES} bytes in base64`);
}

const ARGON2 = /^\$argon2id\$v=19\$m=(\d{1,10}),t=(\d{1,10}),p=(\d{1,10})\$([^$]*)\$([^$]*)$/d;

function parseArgon2(text: string): PasswordHash | InvalidHash {
  const match = ARGON2.exec(text);
  if (match === null) return new InvalidHash(0, 'expected $argon2id$v=19$m=MEMORY,t=PASSES,p=LANES$SALT$HASH');
  const startOf = (group: number): number => match.indices?.[group]?.[0] ?? 0;
  const [, memoryText = '', passesText = '', lanesText = '', saltText = '', hashText = ''] = match;
  const lanes = numberIn(lanesText, MAXIMUM_LANES);
  if (lanes === undefined) return new InvalidHash(startOf(3), `expected p from 1 to ${MAXIMUM_LANES}`);
  const memory = numberIn(memoryText, MAXIMUM_MEMORY_KIB);
  if (memory === undefined || memory < 8 * lanes) {
    return new InvalidHash(startOf(1), `expected m from ${8 * lanes} to ${MAXIMUM_MEMORY_KIB} (KiB)`);
  }
  const passes = numberIn(passesText, MAXIMUM_PASSES);
  if (passes === undefined) return new InvalidHash(startOf(2), `expected t from 1 to ${MAXIMUM_PASSES}`);
  const [saltBytes = 0, hashBytes = 0] = [saltText, hashText].map(unpaddedLength);
  if (saltBytes < 8 || saltBytes > 64) return new InvalidHash(startOf(4), 'expected a salt of 8 to 64 bytes in base64');
  if (hashBytes < 16 || hashBytes > 64)
    return new InvalidHash(startOf(5), 'expected a hash of 16 to 64 bytes in base64');
  if (argon2Library() !== null) return new Argon2Hash(text);
  return new InvalidHash(0, 'argon2 needs the package @node-rs/argon2, which is not there for this machine');
}

/** @returns bytes, or 0 if it is not base64 without padding */
function unpaddedLength(text: string): number {
  const bytes = decodeBase64(text + '='.repeat((4 - (text.length % 4)) % 4));
  return bytes === undefined || text.includes('=') ? 0 : bytes.length;
}

function numberIn(text: string, maximum: number): number | undefined {
  if (!/^[1-9]\d{0,9}$/.test(text)) return undefined;
  return Number(text) <= maximum ? Number(text) : undefined;
}
