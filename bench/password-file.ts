/** Password files in mosquitto's form, in which LOAD_LOGIN and a number of devices stand, with a salt for each password. */
import { pbkdf2, randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { BenchFailure } from './bench-failure.js';
import { deviceLogin, LOAD_LOGIN } from './generator/logins.js';

export interface PasswordSettings {
  readonly hash: 'sha512-pbkdf2' | 'argon2id';
  readonly devices: number;
}

/** What mosquitto 1.6 to 2.0 writes. */
const ITERATIONS = 101;
const SALT_BYTES = 12;
const HASH_BYTES = 64;
/** What mosquitto 2.1 writes. */
const ARGON2ID = { memoryCost: 47_104, timeCost: 1, parallelism: 1, outputLen: 64 } as const;

const pbkdf2Async = promisify(pbkdf2);
const texts = new Map<string, Promise<string>>();

/**
 * The same text whenever it is asked for the same: hashes that are dear to check are dear to make.
 * @throws BenchFailure when the package for argon2id is not there
 */
export function passwordFileText({ hash, devices }: PasswordSettings): Promise<string> {
  const key = `${hash} ${devices}`;
  const text = texts.get(key) ?? makeText(hash === 'argon2id' ? argon2id() : pbkdf2Line, devices);
  texts.set(key, text);
  return text;
}

async function makeText(hashOf: (password: string) => Promise<string>, devices: number): Promise<string> {
  const logins = [LOAD_LOGIN, ...Array.from({ length: devices }, (_, device) => deviceLogin(device))];
  const hashes = new Map<string, Promise<string>>();
  for (const { password } of logins) {
    if (!hashes.has(password)) hashes.set(password, hashOf(password));
  }
  const lines = await Promise.all(
    logins.map(async ({ username, password }) => `${username}:${await hashes.get(password)}`),
  );
  return `${lines.join('\n')}\n`;
}

async function pbkdf2Line(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await pbkdf2Async(password, salt, ITERATIONS, HASH_BYTES, 'sha512');
  return `$7$${ITERATIONS}$${salt.toString('base64')}$${hash.toString('base64')}`;
}

function argon2id(): (password: string) => Promise<string> {
  const require = createRequire(import.meta.url);
  try {
    const { hash } = require('@node-rs/argon2') as typeof import('@node-rs/argon2');
    return (password) => hash(password, ARGON2ID);
  } catch {
    throw new BenchFailure('argon2id needs the package @node-rs/argon2, which is not there for this machine');
  }
}
