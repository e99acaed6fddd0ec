/** Rules of access for tests, as they would stand in the files. */
import { parse } from 'yaml';
import { AccessControl, type SubscribeCheck } from '../../src/auth/access/access-control.js';
import { AccessRules } from '../../src/auth/access/access-rules.js';
import { AclFile } from '../../src/auth/access/acl-file.js';
import { RoleBook } from '../../src/auth/access/role-book.js';

/** @param lines of an acl_file */
export function aclRules(...lines: readonly string[]): AccessRules {
  const { file, problems } = AclFile.parse('acl', lines.join('\n'));
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  return new AccessRules(file, null);
}

export function roleRules(yaml: string): AccessRules {
  const { book, problems } = RoleBook.read(parse(yaml), (path) => path.join('.'));
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  return new AccessRules(null, book);
}

/** @param lines of an acl_file */
export function aclControl(lines: readonly string[], subscribeCheck: SubscribeCheck = 'strict'): AccessControl {
  return new AccessControl(aclRules(...lines), subscribeCheck);
}
