/** A file with users, whatever it keeps of their passwords, as {@link UserAdministration} changes it. */
import type { PasswordHashName } from '../password-hash.js';
import type { EditedFile } from './edited-file.js';
import type { EditedText } from './file-changes.js';

/** How a password file is to keep a password; undefined for the default. */
export interface HashWishes {
  readonly hash?: PasswordHashName | undefined;
  /** Of `sha512-pbkdf2`. */
  readonly iterations?: number | undefined;
}

/** The users of the file that are in force. */
export interface KnownUsers {
  /** Another number after each change. */
  readonly version: number;
  usernames(): Iterable<string>;
  /** What is kept for the user, by name: never the thing itself. */
  credentialsOf(username: string): readonly string[];
}

export interface UserFile<Secret = unknown> {
  readonly file: EditedFile;
  readonly known: KnownUsers;
  /** Why the name cannot stand in the file; continues "the user name". */
  describeUnusable(username: string): string | undefined;
  /**
   * Makes of a password what the file keeps, outside the event loop.
   * @throws InvalidPassword
   */
  derive(username: string, password: string, wishes: HashWishes): Promise<Secret>;
  /**
   * @param secret null to delete the user
   * @returns null if the user who is to be deleted is not there
   * @throws FileUnusable
   */
  edit(text: string, username: string, secret: Secret | null): EditedText | null;
}
