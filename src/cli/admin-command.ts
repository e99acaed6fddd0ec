/** The commands for a running broker: finds it, and has the command of the group do the rest. */
import { AdminClient } from './admin-client.js';
import { findAdmin } from './admin-location.js';
import type { AdminConsole, AdminMisuse, AdminRequest } from './admin-request.js';
import { runBansCommand } from './bans-command.js';
import type { Settings } from './config-schema.js';
import { runQueuesCommand } from './queues-command.js';
import { runRolesCommand } from './roles-command.js';
import { runUsersCommand } from './users-command.js';

type AdminRun = (request: AdminRequest, client: AdminClient, console: AdminConsole) => Promise<boolean | AdminMisuse>;

/** By the first word of the command. */
const GROUPS: ReadonlyMap<string, AdminRun> = new Map([
  ['queues', runQueuesCommand],
  ['users', runUsersCommand],
  ['roles', runRolesCommand],
  ['bans', runBansCommand],
]);

export function isAdminCommand(command: string): boolean {
  return GROUPS.has(groupOf(command));
}

/**
 * @param request of a command that {@link isAdminCommand} knows
 * @returns whether what was asked for has come about
 * @throws AdminCallFailed
 */
export async function runAdminCommand(
  request: AdminRequest,
  settings: Settings,
  console: AdminConsole,
): Promise<boolean | AdminMisuse> {
  const { command, options } = request;
  const client = new AdminClient(findAdmin(settings, options.get('url'), options.get('token-file')));
  const run = GROUPS.get(groupOf(command)) as AdminRun;
  return await run(request, client, console);
}

function groupOf(command: string): string {
  return command.split(' ', 1)[0] ?? '';
}
