/**
 * Roles, and who has them: what a client may do without a line for each client.
 *
 *   roles:
 *     sensor:
 *       - { allow: publish, topic: 'sites/${username}/telemetry/#' }
 *       - { allow: subscribe, topic: 'sites/${username}/commands/#' }
 *     worker:
 *       - { allow: [receive, send], queue: 'jobs-*' }
 *   users:
 *     station-7: [sensor]
 *   anonymous: []        clients without a user name
 *   everybody: []        all clients
 */
import { byCodeUnits } from '../../core/by-code-units.js';
import type { RuleList } from './access-rule.js';
import type { Principal } from './principal.js';
import { type BookPath, type BookProblem, BookReader, type Role, type RuleDefinition } from './role-book-reader.js';

const SECTIONS = ['roles', 'users', 'anonymous', 'everybody'];

export class RoleBook {
  readonly #roles: ReadonlyMap<string, Role>;
  readonly #users: ReadonlyMap<string, readonly string[]>;
  readonly #anonymous: readonly string[];
  readonly #everybody: readonly string[];
  #usersByRole: ReadonlyMap<string, readonly string[]> | null = null;

  /** Only for {@link RoleBook.read}, which knows that all roles are there. */
  private constructor(
    roles: ReadonlyMap<string, Role>,
    users: ReadonlyMap<string, readonly string[]>,
    anonymous: readonly string[],
    everybody: readonly string[],
  ) {
    this.#roles = roles;
    this.#users = users;
    this.#anonymous = anonymous;
    this.#everybody = everybody;
  }

  /**
   * @param values what stands in the file
   * @param whereIs where something stands in it, for people
   */
  static read(
    values: unknown,
    whereIs: (path: BookPath) => string,
  ): { readonly book: RoleBook; readonly problems: readonly BookProblem[] } {
    const reader = new BookReader(whereIs);
    const sections = reader.map(values, []);
    for (const key of sections.keys()) if (!SECTIONS.includes(key)) reader.unknownKey([key], key, SECTIONS);
    const roles = new Map<string, Role>();
    for (const [name, rules] of reader.map(sections.get('roles'), ['roles'])) {
      roles.set(name, reader.role(name, rules, ['roles', name]));
    }
    const names = [...roles.keys()];
    const users = new Map<string, readonly string[]>();
    for (const [user, given] of reader.map(sections.get('users'), ['users'])) {
      users.set(user, reader.roleNames(given, ['users', user], names));
    }
    const anonymous = reader.roleNames(sections.get('anonymous'), ['anonymous'], names);
    const everybody = reader.roleNames(sections.get('everybody'), ['everybody'], names);
    return { book: new RoleBook(roles, users, anonymous, everybody), problems: reader.problems };
  }

  /** In the order of the file. */
  names(): string[] {
    return [...this.#roles.keys()];
  }

  /** The rules of a role, as they stand in the file. */
  find(name: string): readonly RuleDefinition[] | undefined {
    return this.#roles.get(name)?.definitions;
  }

  /** Of the file; credentials may name others. */
  rolesOf(username: string): readonly string[] {
    return this.#users.get(username) ?? [];
  }

  /** Users who have the role by their name, in order. */
  usersOf(role: string): readonly string[] {
    this.#usersByRole ??= usersByRole(this.#users);
    return this.#usersByRole.get(role) ?? [];
  }

  isGivenTo(section: 'everybody' | 'anonymous', role: string): boolean {
    return (section === 'everybody' ? this.#everybody : this.#anonymous).includes(role);
  }

  /** A list for each role of the client. Roles that the credentials name and that are not there give nothing. */
  listsFor(principal: Principal): RuleList[] {
    const own = principal.username === null ? this.#anonymous : (this.#users.get(principal.username) ?? []);
    const names = new Set([...own, ...principal.roles, ...this.#everybody]);
    const lists: RuleList[] = [];
    for (const name of names) {
      const role = this.#roles.get(name);
      if (role === undefined) continue;
      lists.push(role.fixed ?? role.templates.flatMap((template) => template.rulesFor(principal)));
    }
    return lists;
  }
}

function usersByRole(users: ReadonlyMap<string, readonly string[]>): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const [username, roles] of users) {
    for (const role of new Set(roles)) {
      const ofRole = found.get(role);
      if (ofRole === undefined) found.set(role, [username]);
      else ofRole.push(username);
    }
  }
  for (const names of found.values()) names.sort(byCodeUnits);
  return found;
}
