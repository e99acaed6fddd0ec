/** The password file, as it is changed for an administrator or by `millrace passwd`. */
import {
  describeUnusableName,
  editPasswordFile,
  type PasswordFileProblem,
  parsePasswordFile,
} from '../password-file.js';
import { hashPassword, type PasswordHash } from '../password-hash.js';
import { FileUnusable, InvalidPassword } from './administration-errors.js';
import type { EditedFile } from './edited-file.js';
import type { EditedText } from './file-changes.js';
import type { HashWishes, KnownUsers, UserFile } from './user-file.js';

export interface EditedPasswords {
  readonly text: string;
  readonly users: ReadonlyMap<string, PasswordHash>;
  /** The user was there before. */
  readonly isKnown: boolean;
}

/**
 * The text with one user's line added, replaced or, with `hash` null, left out, and what it says then.
 * @param path for people
 * @throws FileUnusable if something else in it is wrong
 */
export function editPasswords(path: string, text: string, username: string, hash: string | null): EditedPasswords {
  const rest = editPasswordFile(text, username, null);
  const edited = hash === null ? (rest ?? text) : (editPasswordFile(text, username, hash) ?? text);
  const { users, problems } = parsePasswordFile(edited);
  // A name that stood there twice is in the rest still.
  const isLeft = hash === null && users.has(username);
  if (problems.length > 0 || isLeft) throw unusable(path, parsePasswordFile(text).problems[0] ?? problems[0]);
  return { text: edited, users, isKnown: rest !== null };
}

function unusable(path: string, problem: PasswordFileProblem | undefined): FileUnusable {
  const where = problem === undefined ? path : `${path}:${problem.line}:${problem.column}: ${problem.message}`;
  return new FileUnusable(where);
}

export class PasswordUserFile implements UserFile<string> {
  readonly file: EditedFile;
  readonly known: KnownUsers;
  readonly #take: (users: ReadonlyMap<string, PasswordHash>) => void;

  /** @param take puts users in force in the place of those before */
  constructor(file: EditedFile, known: KnownUsers, take: (users: ReadonlyMap<string, PasswordHash>) => void) {
    this.file = file;
    this.known = known;
    this.#take = take;
  }

  describeUnusable(username: string): string | undefined {
    return describeUnusableName(username);
  }

  async derive(_username: string, password: string, { hash, iterations }: HashWishes): Promise<string> {
    const text = await hashPassword(password, hash, iterations);
    if (text !== null) return text;
    throw new InvalidPassword('argon2id needs the package @node-rs/argon2, which is not there for this machine');
  }

  edit(text: string, username: string, hash: string | null): EditedText | null {
    const edited = editPasswords(this.file.path, text, username, hash);
    if (hash === null && !edited.isKnown) return null;
    return { text: edited.text, takeEffect: () => this.#take(edited.users) };
  }
}
