/** `millrace passwd FILE USER`: sets or deletes a user's line in a password file of mosquitto's format. */
import { FileNotWritten, FileUnusable } from '../auth/administration/administration-errors.js';
import { FileChanges } from '../auth/administration/file-changes.js';
import { editPasswords } from '../auth/administration/password-user-file.js';
import { describeUnusableName } from '../auth/password-file.js';
import { hashPassword, MAXIMUM_ITERATIONS, PASSWORD_HASHES, type PasswordHashName } from '../auth/password-hash.js';
import { MAX_USERS_BYTES } from './auth-files.js';
import { EditedTextFile } from './edited-text-file.js';
import { NoPassword, type PasswordInput, type PromptOutput, readPassword } from './password-input.js';

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
  try {
    return await changeUser(file, username, wishes, input, prompt);
  } catch (error) {
    if (error instanceof FileUnusable) return new PasswordRefused(error.message);
    if (error instanceof FileNotWritten) return new PasswordNotWritten(error.message);
    throw error;
  }
}

/** @throws FileUnusable @throws FileNotWritten */
async function changeUser(
  path: string,
  username: string,
  wishes: PasswordWishes,
  input: PasswordInput,
  prompt: PromptOutput,
): Promise<string | PasswordRefused> {
  const file = new EditedTextFile(path, MAX_USERS_BYTES, true);
  // Nobody types a password twice for a file that cannot be used.
  editPasswords(path, file.read(), username, null);
  let hash: string | null = null;
  if (!wishes.isDeleting) {
    const password = await readPassword(input, prompt);
    if (password instanceof NoPassword) return new PasswordRefused(password.reason);
    if (password === '') return new PasswordRefused('the password is empty');
    hash = await hashPassword(password, wishes.hash as PasswordHashName | undefined, iterationsOf(wishes));
    if (hash === null)
      return new PasswordRefused('argon2id needs the package @node-rs/argon2, which is not there for this machine');
  }
  let isKnown = false;
  await new FileChanges().apply([
    {
      file,
      edit: (text) => {
        const edited = editPasswords(path, text, username, hash);
        isKnown = edited.isKnown;
        return { text: edited.text, takeEffect: () => {} };
      },
    },
  ]);
  if (hash !== null) return `${isKnown ? 'changed the password of' : 'added'} ${username} in ${path}`;
  if (isKnown) return `deleted ${username} from ${path}`;
  return new PasswordRefused(`there is no user ${JSON.stringify(username)} in ${path}`);
}

function iterationsOf({ iterations }: PasswordWishes): number | undefined {
  return iterations === undefined ? undefined : Number(iterations);
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
