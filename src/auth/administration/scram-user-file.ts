/** The file of SCRAM users, as it is changed for an administrator. Names and passwords are kept as SASLprep has them. */
import { randomBytes } from 'node:crypto';
import { saslprep, UnpreparedText } from '../saslprep.js';
import { DEFAULT_ITERATIONS, deriveCredentialAside, SALT_BYTES, type ScramCredential } from '../scram-credential.js';
import {
  describeUnusableUsername,
  editCredentialsFile,
  parseCredentialsFile,
  type ScramUsers,
} from '../scram-credentials-file.js';
import { SCRAM_MECHANISMS, SCRAM_SHA_256 } from '../scram-mechanism.js';
import { FileUnusable, InvalidPassword } from './administration-errors.js';
import type { EditedFile } from './edited-file.js';
import type { EditedText } from './file-changes.js';
import type { KnownUsers, UserFile } from './user-file.js';

export class ScramUserFile implements UserFile<readonly ScramCredential[]> {
  readonly file: EditedFile;
  readonly known: KnownUsers;
  readonly #take: (users: ScramUsers) => void;

  /** @param take puts users in force in the place of those before */
  constructor(file: EditedFile, known: KnownUsers, take: (users: ScramUsers) => void) {
    this.file = file;
    this.known = known;
    this.#take = take;
  }

  describeUnusable(username: string): string | undefined {
    const prepared = saslprep(username, 'stored');
    if (prepared instanceof UnpreparedText) return prepared.reason;
    if (prepared === username) return describeUnusableUsername(username);
    return `is not in the form that SASLprep (RFC 4013) gives it: ${JSON.stringify(prepared)}`;
  }

  /** For the mechanisms that the user has, and for one that every client of SCRAM speaks if there are none. */
  async derive(username: string, password: string): Promise<readonly ScramCredential[]> {
    const prepared = saslprep(password, 'stored');
    if (prepared instanceof UnpreparedText) throw new InvalidPassword(`the password ${prepared.reason}`);
    const had = this.known.credentialsOf(username);
    const mechanisms = SCRAM_MECHANISMS.filter(({ name }) => had.includes(name));
    const credentials: ScramCredential[] = [];
    for (const mechanism of mechanisms.length === 0 ? [SCRAM_SHA_256] : mechanisms) {
      const salt = randomBytes(SALT_BYTES);
      credentials.push(await deriveCredentialAside(mechanism, prepared, salt, DEFAULT_ITERATIONS));
    }
    return credentials;
  }

  edit(text: string, username: string, credentials: readonly ScramCredential[] | null): EditedText | null {
    const edited = editCredentialsFile(text, username, credentials ?? []);
    const { users, problems } = parseCredentialsFile(edited.text);
    const [problem] = problems.length === 0 ? [] : [...parseCredentialsFile(text).problems, ...problems];
    if (problem !== undefined) {
      throw new FileUnusable(`${this.file.path}:${problem.line}:${problem.column}: ${problem.message}`);
    }
    if (credentials === null && !edited.isKnown) return null;
    return { text: edited.text, takeEffect: () => this.#take(users) };
  }
}
