/**
 * Rules of access for a broker within another program (`millrace/access`), in the forms that the files have:
 *
 *   const access = new AccessControl(accessRulesOf({ acl: 'topic read public/#\n' }));
 *   const broker = await Broker.start({ access, authenticator, listeners });
 *   access.replace(accessRulesOf({ acl: 'topic read other/#\n' }));     at once, for everybody who is connected
 */
import { InvalidArgument } from '../../core/errors.js';
import { AccessRules } from './access-rules.js';
import { AclFile } from './acl-file.js';
import { RoleBook } from './role-book.js';

export type { Authenticator, ConnectDecision, ConnectRequest } from '../authenticator.js';
export { type GrantedRule, type Identity, identityOf } from '../identity.js';
export { AccessControl, type SubscribeCheck } from './access-control.js';
export type { AccessRules };

/** What is left out has no rules. */
export interface StatedRules {
  /** Lines as of mosquitto's `acl_file`. */
  readonly acl?: string;
  /** What a file of `access.rolesFile` says: a map with `roles`, `users`, `anonymous` and `everybody`. */
  readonly roles?: unknown;
}

/** @throws InvalidArgument with everything that is wrong */
export function accessRulesOf({ acl, roles }: StatedRules): AccessRules {
  const lines = acl === undefined ? null : AclFile.parse('acl', acl);
  const book = roles === undefined ? null : RoleBook.read(roles, (path) => path.join('.'));
  const problems = [
    ...(lines?.problems ?? []).map(({ line, column, message }) => `acl:${line}:${column}: ${message}`),
    ...(book?.problems ?? []).map(({ path, message }) => `${['roles', ...path].join('.')}: ${message}`),
  ];
  if (problems.length > 0) throw new InvalidArgument(`rules of access: ${problems.join('; ')}`);
  return new AccessRules(lines?.file ?? null, book?.book ?? null);
}
