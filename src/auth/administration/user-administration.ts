/**
 * The users of the files that the configuration names, as an administrator lists and changes them while the broker runs. The files stay
 * the truth: a change is a change of theirs, in force when it resolves, with the connections ended that stood on what is gone.
 *
 * A user may be in several files. A new password is one for all in which the user is, and for a new user in all that there
 * are; who is deleted is deleted from all: no older password opens a side door.
 */
import { byCodeUnits } from '../../core/by-code-units.js';
import { isWellFormed } from '../usable-name.js';
import { InvalidName, InvalidPassword, NotAdministered, UserNotFound } from './administration-errors.js';
import type { FileChanges, FileEdit } from './file-changes.js';
import type { HashWishes, UserFile } from './user-file.js';

export interface UserView {
  readonly username: string;
  /** What is kept of the password, by name. */
  readonly credentials: readonly string[];
  /** Of the file of roles: who is in no file of users may have some, too. */
  readonly roles: readonly string[];
}

export interface UserPage {
  readonly users: readonly UserView[];
  /** For the next page; null if there is none. */
  readonly cursor: string | null;
}

export interface UserSurroundings {
  readonly changes: FileChanges;
  /** Has passwords hashed in turn with those that are checked. @throws TooManyChanges */
  readonly inTurn: <Value>(work: () => Promise<Value>) => Promise<Value>;
  readonly rolesOf: (username: string) => readonly string[];
  /** Resolves when the connections are ended of users who have lost what they were let in by. */
  readonly endWithdrawn: () => Promise<void>;
}

/** Above any password; what is longer is another mistake. */
export const LONGEST_PASSWORD = 4096;

export class UserAdministration {
  readonly #files: readonly UserFile[];
  readonly #surroundings: UserSurroundings;
  #sorted: { readonly version: string; readonly names: readonly string[] } = { version: '', names: [] };

  /** @param files none if the configuration names none */
  constructor(files: readonly UserFile[], surroundings: UserSurroundings) {
    this.#files = files;
    this.#surroundings = surroundings;
  }

  /** A page of all users in order of their names, from the first after `cursor` on. @throws NotAdministered */
  list(limit: number, cursor: string): UserPage {
    this.#ensureFiles();
    const names = this.#names();
    const from = names.findIndex((name) => name > cursor);
    const page = from === -1 ? [] : names.slice(from, from + limit);
    const isLast = from === -1 || from + page.length === names.length;
    return { users: page.map((name) => this.#view(name)), cursor: isLast ? null : (page.at(-1) ?? null) };
  }

  /** @throws UserNotFound @throws NotAdministered */
  describe(username: string): UserView {
    this.#ensureFiles();
    const view = this.#view(username);
    if (view.credentials.length === 0) throw notFound(username);
    return view;
  }

  /**
   * Creates a user, or changes the password of one.
   * @throws InvalidName @throws InvalidPassword, and what {@link FileChanges.apply} throws
   */
  async put(
    username: string,
    password: string,
    wishes: HashWishes,
  ): Promise<{ readonly user: UserView; readonly isNew: boolean }> {
    this.#ensureFiles();
    checkPassword(password, wishes);
    const holding = this.#files.filter((file) => isIn(file, username));
    const files = holding.length === 0 ? this.#files : holding;
    for (const file of files) checkName(file, username);
    const edits: FileEdit[] = [];
    for (const file of files) {
      const secret = await this.#surroundings.inTurn(() => file.derive(username, password, wishes));
      edits.push({ file: file.file, edit: (text) => file.edit(text, username, secret) });
    }
    await this.#apply(edits);
    return { user: this.#view(username), isNew: holding.length === 0 };
  }

  /** @throws UserNotFound, and what {@link FileChanges.apply} throws */
  async delete(username: string): Promise<void> {
    this.#ensureFiles();
    const edits = this.#files.map((file) => ({
      file: file.file,
      edit: (text: string) => (file.describeUnusable(username) === undefined ? file.edit(text, username, null) : null),
    }));
    if (!(await this.#apply(edits))) throw notFound(username);
  }

  async #apply(edits: readonly FileEdit[]): Promise<boolean> {
    const { changes, endWithdrawn } = this.#surroundings;
    try {
      return await changes.apply(edits);
    } finally {
      // Also if only one of two files could be replaced.
      await endWithdrawn();
    }
  }

  #view(username: string): UserView {
    const credentials = this.#files.flatMap(({ known }) => known.credentialsOf(username));
    return { username, credentials, roles: this.#surroundings.rolesOf(username) };
  }

  /** Sorted once for each change: a list of a hundred thousand is asked for page by page. */
  #names(): readonly string[] {
    const version = this.#files.map(({ known }) => known.version).join();
    if (version !== this.#sorted.version) {
      const names = new Set(this.#files.flatMap(({ known }) => [...known.usernames()]));
      this.#sorted = { version, names: [...names].sort(byCodeUnits) };
    }
    return this.#sorted.names;
  }

  #ensureFiles(): void {
    if (this.#files.length > 0) return;
    throw new NotAdministered('There is no file of users: set auth.passwordFile, or auth.scram');
  }
}

function isIn({ known }: UserFile, username: string): boolean {
  return known.credentialsOf(username).length > 0;
}

function checkName(file: UserFile, username: string): void {
  const reason = isWellFormed(username) ? file.describeUnusable(username) : 'is no text that can be written as UTF-8';
  if (reason !== undefined) throw new InvalidName(`${file.file.path}: the user name ${reason}`);
}

function checkPassword(password: string, { hash, iterations }: HashWishes): void {
  if (password === '') throw new InvalidPassword('the password is empty');
  if (password.length > LONGEST_PASSWORD) {
    throw new InvalidPassword(`the password is longer than ${LONGEST_PASSWORD} characters`);
  }
  if (!isWellFormed(password)) throw new InvalidPassword('the password is no text that can be written as UTF-8');
  if (hash === 'argon2id' && iterations !== undefined) throw new InvalidPassword('iterations are for sha512-pbkdf2');
}

function notFound(username: string): UserNotFound {
  return new UserNotFound(`There is no user ${JSON.stringify(username)}`);
}
