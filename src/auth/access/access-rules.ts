/** All rules that are in force, and what they come to for one client. */
import type { AclFile } from './acl-file.js';
import { ClientRights } from './client-rights.js';
import { grantedRules } from './granted-rules.js';
import type { Principal } from './principal.js';
import type { RoleBook } from './role-book.js';

export class AccessRules {
  readonly #acl: AclFile | null;
  /** Null if no file of roles is set. */
  readonly roles: RoleBook | null;

  constructor(acl: AclFile | null, roles: RoleBook | null) {
    this.#acl = acl;
    this.roles = roles;
  }

  rightsOf(principal: Principal): ClientRights {
    return new ClientRights([
      ...(principal.rules.length === 0 ? [] : [grantedRules(principal)]),
      ...(this.roles?.listsFor(principal) ?? []),
      ...(this.#acl === null ? [] : [this.#acl.rulesFor(principal)]),
    ]);
  }
}
