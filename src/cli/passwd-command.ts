/** `millrace passwd FILE USER`: sets or deletes a user's line in a password file of mosquitto's format. */
import { randomBytes } from 'node:crypto';
import {
  chownSync,
  closeSync,
  fchmodSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describeUnusableName, editPasswordFile, parsePasswordFile } from '../auth/password-file.js';
import { hashByArgon2, hashByPbkdf2, MAXIMUM_ITERATIONS } from '../auth/password-hash.js';
import { NoPassword, type PasswordInput, type PromptOutput, readPassword } from './password-input.js';
import { readTextFile, UnreadableFile } from './text-file.js';

export const PASSWORD_HASHES = ['sha512-pbkdf2', 'argon2id'] as const;

/** As in mosquitto 2.1: a millisecond for the broker. More make it harder to guess a password that people chose. */
export const DEFAULT_PASSWORD_ITERATIONS = 1000;

const MAX_FILE_BYTES = 64 * 1024 * 1024;
const OWNER_ONLY = 0o600;

/** What was typed; undefined for the default. */
export interface PasswordWishes {
  readonly hash: string | undefined;
  readonly iterations: string | undefined;
  readonly isDeleting: boolean;
}

/** It was asked for something that cannot be: nothing has been changed. */
export class PasswordRefused {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/** The file cannot be written: it is as it was. */
export class PasswordNotWritten {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/** @returns what was done */
export async function changePassword(
  file: string,
  username: string,
  wishes: PasswordWishes,
  input: PasswordInput,
  prompt: PromptOutput,
): Promise<string | PasswordRefused | PasswordNotWritten> {
  const unusable = describeUnusableName(username);
  if (unusable !== undefined) return new PasswordRefused(`the user name ${unusable}`);
  const fault = faultOf(wishes);
  if (fault !== undefined) return new PasswordRefused(fault);
  const before = statSync(file, { throwIfNoEntry: false }) === undefined ? '' : readTextFile(file, MAX_FILE_BYTES);
  if (before instanceof UnreadableFile) return new PasswordRefused(`${file} ${before.reason}`);
  const [problem] = parsePasswordFile(before).problems;
  if (problem !== undefined) {
    return new PasswordRefused(`${file}:${problem.line}:${problem.column}: ${problem.message}`);
  }
  if (wishes.isDeleting) {
    const rest = editPasswordFile(before, username, null);
    if (rest === null) return new PasswordRefused(`there is no user ${JSON.stringify(username)} in ${file}`);
    return replaceFile(file, rest) ?? `deleted ${username} from ${file}`;
  }
  const password = await readPassword(input, prompt);
  if (password instanceof NoPassword) return new PasswordRefused(password.reason);
  if (password === '') return new PasswordRefused('the password is empty');
  const hash = await hashOf(password, wishes);
  if (hash === null)
    return new PasswordRefused('argon2id needs the package @node-rs/argon2, which is not there for this machine');
  const isKnown = parsePasswordFile(before).users.has(username);
  const after = editPasswordFile(before, username, hash) ?? before;
  return replaceFile(file, after) ?? `${isKnown ? 'changed the password of' : 'added'} ${username} in ${file}`;
}

function faultOf({ hash, iterations, isDeleting }: PasswordWishes): string | undefined {
  const given = hash !== undefined ? 'hash' : iterations !== undefined ? 'iterations' : undefined;
  if (isDeleting && given !== undefined) return `flag --delete and flag --${given} exclude each other`;
  if (hash !== undefined && !PASSWORD_HASHES.some((name) => name === hash)) {
    return `flag --hash: expected ${PASSWORD_HASHES.join(' or ')}, found "${hash}"`;
  }
  if (iterations === undefined) return undefined;
  if (hash === 'argon2id') return 'flag --iterations is for sha512-pbkdf2';
  const isInRange = /^[1-9]\d{0,8}$/.test(iterations) && Number(iterations) <= MAXIMUM_ITERATIONS;
  return isInRange
    ? undefined
    : `flag --iterations: expected a whole number from 1 to ${MAXIMUM_ITERATIONS}, found "${iterations}"`;
}

async function hashOf(password: string, { hash, iterations }: PasswordWishes): Promise<string | null> {
  if (hash === 'argon2id') return await hashByArgon2(password);
  return await hashByPbkdf2(password, iterations === undefined ? DEFAULT_PASSWORD_ITERATIONS : Number(iterations));
}

/**
 * Writes beside the file and renames: who reads it finds it whole, before or after. Mode and owner stay; what a link leads
 * to is replaced, and the link stays.
 */
function replaceFile(file: string, text: string): PasswordNotWritten | undefined {
  let draft: string | undefined;
  try {
    const status = statSync(file, { throwIfNoEntry: false });
    const target = status === undefined ? file : realpathSync(file);
    draft = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}`);
    const descriptor = openSync(draft, 'wx', OWNER_ONLY);
    try {
      const bytes = Buffer.from(text);
      for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
      fchmodSync(descriptor, status === undefined ? OWNER_ONLY : status.mode & 0o7777);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    if (status !== undefined) keepOwner(draft, status);
    renameSync(draft, target);
    return undefined;
  } catch (error) {
    if (draft !== undefined) rmSync(draft, { force: true });
    return new PasswordNotWritten(
      `${file} cannot be written (${(error as NodeJS.ErrnoException).code ?? String(error)})`,
    );
  }
}

/** @throws what the file system says: the broker might not be able to read it then */
function keepOwner(draft: string, { uid, gid }: { readonly uid: number; readonly gid: number }): void {
  const own = statSync(draft);
  if (own.uid !== uid || own.gid !== gid) chownSync(draft, uid, gid);
}
