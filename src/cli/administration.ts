/** What can be administered while the broker runs, put together: the files of users and roles, and the bans. */
import type { AccessControl } from '../auth/access/access-control.js';
import { FileChanges } from '../auth/administration/file-changes.js';
import { RoleAdministration } from '../auth/administration/role-administration.js';
import { UserAdministration } from '../auth/administration/user-administration.js';
import type { Broker } from '../broker/broker.js';
import { MAX_RULES_BYTES } from './access-files.js';
import type { AccessReload } from './access-reload.js';
import type { AuthSources } from './auth-sources.js';
import type { Settings } from './config-schema.js';
import { EditedTextFile } from './edited-text-file.js';

export interface BrokerAdministration {
  readonly users: UserAdministration;
  readonly roles: RoleAdministration;
  readonly bans: Broker['bans'];
}

export function administrationOf(
  { access: { rolesFile } }: Settings,
  auth: AuthSources,
  access: AccessControl,
  reload: AccessReload,
  broker: Broker,
): BrokerAdministration {
  // One change at a time, whichever file it is of.
  const changes = new FileChanges();
  const file = rolesFile === undefined ? null : new EditedTextFile(rolesFile, MAX_RULES_BYTES);
  const roles = new RoleAdministration(file, {
    changes,
    inForce: () => access.roles,
    tryText: (text) => reload.tryRoles(text),
  });
  const users = new UserAdministration(auth.userFiles, {
    changes,
    inTurn: (work) => auth.inTurn(work),
    rolesOf: (username) => roles.rolesOf(username),
    endWithdrawn: () => auth.onWithdrawn(),
  });
  return { users, roles, bans: broker.bans };
}
