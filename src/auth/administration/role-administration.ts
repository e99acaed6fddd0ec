/**
 * The roles of the file that the configuration names, as an administrator lists and changes them while the broker runs, and who has them.
 * The file stays the truth: a change is a change of it, and in force for everybody who is connected when it resolves.
 */
import type { RoleBook } from '../access/role-book.js';
import type { RuleDefinition } from '../access/role-book-reader.js';
import { type Grantee, RoleDocument, type RoleRule, UnchangeableText } from '../access/role-document.js';
import { isUsableName, isWellFormed } from '../usable-name.js';
import {
  FileUnusable,
  InvalidName,
  InvalidRole,
  NotAdministered,
  RoleInUse,
  RoleNotFound,
} from './administration-errors.js';
import type { EditedFile } from './edited-file.js';
import type { EditedText, FileChanges } from './file-changes.js';

export interface RoleView {
  readonly role: string;
  readonly rules: readonly RuleDefinition[];
  /** How many have it by their name. */
  readonly users: number;
  readonly everybody: boolean;
  readonly anonymous: boolean;
}

export interface RolePage {
  readonly roles: readonly RoleView[];
  /** For the next page; null if there is none. */
  readonly cursor: string | null;
}

export interface RoleUserPage {
  readonly users: readonly string[];
  readonly cursor: string | null;
}

/** What another text of the file comes to, together with what else there is of rules. */
export interface TriedRoles {
  /** With the place in that text; what is wrong in another file is among them. */
  readonly problems: readonly { readonly where: string; readonly text: string }[];
  /** Puts it in force. */
  takeEffect(): void;
}

export interface RoleSurroundings {
  readonly changes: FileChanges;
  /** Those in force. */
  readonly inForce: () => RoleBook | null;
  readonly tryText: (text: string) => TriedRoles;
}

const LONGEST_ROLE_NAME = 256;
const SHOWN_HOLDERS = 3;
const SHOWN_PROBLEMS = 5;

export class RoleAdministration {
  readonly #file: EditedFile | null;
  readonly #surroundings: RoleSurroundings;

  /** @param file null if the configuration names none */
  constructor(file: EditedFile | null, surroundings: RoleSurroundings) {
    this.#file = file;
    this.#surroundings = surroundings;
  }

  /** A page of all roles in order of their names, from the first after `cursor` on. @throws NotAdministered */
  list(limit: number, cursor: string): RolePage {
    const book = this.#book();
    const [names, next] = pageOf(book.names(), limit, cursor);
    return { roles: names.map((name) => viewOf(book, name)), cursor: next };
  }

  /** @throws RoleNotFound @throws NotAdministered, as all of these */
  describe(role: string): RoleView {
    const book = this.#book();
    if (book.find(role) === undefined) throw notFound(role);
    return viewOf(book, role);
  }

  /** A page of the users who have the role by their name, in order. @throws RoleNotFound */
  usersOf(role: string, limit: number, cursor: string): RoleUserPage {
    const book = this.#book();
    if (book.find(role) === undefined) throw notFound(role);
    const [users, next] = pageOf(book.usersOf(role), limit, cursor);
    return { users, cursor: next };
  }

  /** Of the file; none without one. */
  rolesOf(username: string): readonly string[] {
    return this.#surroundings.inForce()?.rolesOf(username) ?? [];
  }

  /**
   * Creates a role, or gives one other rules; who has it stays so.
   * @throws InvalidRole @throws InvalidName, and what {@link FileChanges.apply} throws
   */
  async put(role: string, rules: readonly RoleRule[]): Promise<{ readonly role: RoleView; readonly isNew: boolean }> {
    checkRoleName(role);
    let isNew = false;
    await this.#change((document) => {
      isNew = !document.hasRole(role);
      document.putRole(role, rules);
    });
    return { role: this.describe(role), isNew };
  }

  /** @throws RoleNotFound @throws RoleInUse while somebody has it */
  async delete(role: string): Promise<void> {
    await this.#change((document) => {
      const { users, sections } = document.holdersOf(role);
      if (document.hasRole(role) && users.length + sections.length > 0) throw inUse(role, users, sections);
      if (!document.removeRole(role)) throw notFound(role);
    });
  }

  /** Gives a role, to whoever has it already, too. @throws RoleNotFound @throws InvalidName */
  async grant(role: string, grantee: Grantee): Promise<void> {
    if (grantee.kind === 'user' && !isUsableName(grantee.username)) {
      throw new InvalidName('this can be no user name: see section 1.5.4 of MQTT');
    }
    await this.#change((document) => {
      if (!document.hasRole(role)) throw notFound(role);
      document.grant(role, grantee);
    });
  }

  /** @throws RoleNotFound if there is no such role, or it was not given */
  async revoke(role: string, grantee: Grantee): Promise<void> {
    await this.#change((document) => {
      if (!document.hasRole(role)) throw notFound(role);
      if (!document.revoke(role, grantee)) {
        const who = grantee.kind === 'user' ? `the user ${JSON.stringify(grantee.username)}` : grantee.kind;
        throw new RoleNotFound(`The role ${JSON.stringify(role)} is not given to ${who}`);
      }
    });
  }

  async #change(change: (document: RoleDocument) => void): Promise<void> {
    const file = this.#ensureFile();
    await this.#surroundings.changes.apply([{ file, edit: (text) => this.#edit(file, text, change) }]);
  }

  #edit(file: EditedFile, text: string, change: (document: RoleDocument) => void): EditedText {
    const document = RoleDocument.parse(text);
    if (document instanceof UnchangeableText) throw this.#unusable(text) ?? new FileUnusable(file.path);
    change(document);
    const edited = document.toText();
    if (edited instanceof UnchangeableText) throw new InvalidRole(`${file.path}: ${edited.reason}`);
    const { problems, takeEffect } = this.#surroundings.tryText(edited);
    if (problems.length === 0) return { text: edited, takeEffect };
    throw this.#unusable(text) ?? new InvalidRole(told(problems.map((problem) => problem.text)));
  }

  /** @returns null if nothing is wrong with what there is */
  #unusable(text: string): FileUnusable | null {
    const { problems } = this.#surroundings.tryText(text);
    if (problems.length === 0) return null;
    return new FileUnusable(told(problems.map((problem) => `${problem.where}: ${problem.text}`)));
  }

  #book(): RoleBook {
    this.#ensureFile();
    const book = this.#surroundings.inForce();
    if (book === null) throw new NotAdministered(NO_FILE);
    return book;
  }

  #ensureFile(): EditedFile {
    if (this.#file === null) throw new NotAdministered(NO_FILE);
    return this.#file;
  }
}

const NO_FILE = 'There is no file of roles: set access.rolesFile';

function pageOf(names: readonly string[], limit: number, cursor: string): [page: string[], cursor: string | null] {
  const rest = names.filter((name) => name > cursor).sort((one, other) => (one < other ? -1 : 1));
  const page = rest.slice(0, limit);
  return [page, rest.length > page.length ? (page.at(-1) ?? null) : null];
}

function viewOf(book: RoleBook, role: string): RoleView {
  return {
    role,
    rules: book.find(role) ?? [],
    users: book.usersOf(role).length,
    everybody: book.isGivenTo('everybody', role),
    anonymous: book.isGivenTo('anonymous', role),
  };
}

function checkRoleName(role: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for
  const isUsable = role !== '' && role.length <= LONGEST_ROLE_NAME && isWellFormed(role) && !/[\0-\x1f\x7f]/.test(role);
  if (isUsable) return;
  throw new InvalidName(
    `A role has a name of 1 to ${LONGEST_ROLE_NAME} characters, none of which is a control character`,
  );
}

function inUse(role: string, users: readonly string[], sections: readonly string[]): RoleInUse {
  const shown = users.slice(0, SHOWN_HOLDERS).map((name) => JSON.stringify(name));
  const more = users.length > shown.length ? [`${users.length - shown.length} users more`] : [];
  const holders = [...sections, ...shown, ...more].join(', ');
  return new RoleInUse(`The role ${JSON.stringify(role)} is given to ${holders}: take it from them first`);
}

function told(problems: readonly string[]): string {
  const more = problems.length > SHOWN_PROBLEMS ? [`${problems.length - SHOWN_PROBLEMS} problems more`] : [];
  return [...problems.slice(0, SHOWN_PROBLEMS), ...more].join('; ');
}

function notFound(role: string): RoleNotFound {
  return new RoleNotFound(`There is no role ${JSON.stringify(role)}`);
}
