/** `millrace roles …`: the roles of a running broker, and who has them. */
import { parse, stringify } from 'yaml';
import { deletedRole, type RoleAnswer, roleAnswer, roleList, roleUserList } from '../http/role-answers.js';
import type { AdminClient } from './admin-client.js';
import { adminPages } from './admin-pages.js';
import { adminPath } from './admin-path.js';
import { type AdminConsole, AdminMisuse, type AdminRequest, askFirst, showAnswer } from './admin-request.js';
import { MAX_ALIAS_COUNT } from './config-file.js';
import { readGivenText, UnreadableFile } from './text-file.js';
import { formatTable } from './text-table.js';
import { visible, visibleLine } from './visible-text.js';

/** As much as the broker takes by default. */
const MAX_RULES_FILE_BYTES = 256 * 1024;

/** @returns whether what was asked for has come about @throws AdminCallFailed */
export async function runRolesCommand(
  request: AdminRequest,
  client: AdminClient,
  console: AdminConsole,
): Promise<boolean | AdminMisuse> {
  const { command, operand: role = '' } = request;
  switch (command) {
    case 'roles ls':
      return await listRoles(request, client, console);
    case 'roles show':
      return await showRole(request, client, console);
    case 'roles set':
      return await setRole(request, client, console);
    case 'roles rm': {
      const refusal = await askFirst(request, console, `Delete the role ${role}?`);
      if (refusal !== null) return refusal;
      const answer = await client.ask(deletedRole, 'DELETE', adminPath('roles', role));
      return showAnswer(request, console, answer, () => `the role ${role} is deleted\n`);
    }
    default:
      return await giveOrTake(request, client, console);
  }
}

async function listRoles(request: AdminRequest, client: AdminClient, console: AdminConsole): Promise<true> {
  const roles: RoleAnswer[] = [];
  for await (const page of adminPages(client, roleList, adminPath('roles'))) roles.push(...page.roles);
  return showAnswer(request, console, { roles }, () =>
    roles.length === 0 ? 'there are no roles\n' : rolesText(roles),
  );
}

async function showRole(request: AdminRequest, client: AdminClient, console: AdminConsole): Promise<true> {
  const { operand: role = '', switches } = request;
  if (!switches.has('users')) {
    const answer = await client.ask(roleAnswer, 'GET', adminPath('roles', role));
    return showAnswer(request, console, answer, () => visible(roleText(answer)));
  }
  const users: string[] = [];
  for await (const page of adminPages(client, roleUserList, adminPath('roles', role, 'users')))
    users.push(...page.users);
  return showAnswer(request, console, { users }, () => users.map((name) => `${visibleLine(name)}\n`).join(''));
}

async function setRole(
  request: AdminRequest,
  client: AdminClient,
  console: AdminConsole,
): Promise<boolean | AdminMisuse> {
  const [role = '', file = ''] = request.operands;
  const rules = rulesIn(file);
  if (rules instanceof AdminMisuse) return rules;
  const answer = await client.ask(roleAnswer, 'PUT', adminPath('roles', role), { rules });
  const count = `${answer.rules.length} ${answer.rules.length === 1 ? 'rule' : 'rules'}`;
  return showAnswer(request, console, answer, () => `the role ${role} has ${count}\n`);
}

function rulesIn(file: string): unknown[] | AdminMisuse {
  const text = readGivenText(file, MAX_RULES_FILE_BYTES);
  if (text instanceof UnreadableFile) return new AdminMisuse(`${file}: ${text.reason}`);
  try {
    const rules: unknown = parse(text, { maxAliasCount: MAX_ALIAS_COUNT, logLevel: 'error' });
    if (Array.isArray(rules)) return rules;
    return new AdminMisuse(`${file}: expected a list of rules`);
  } catch (error) {
    return new AdminMisuse(`${file}: YAML: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function giveOrTake(
  request: AdminRequest,
  client: AdminClient,
  console: AdminConsole,
): Promise<boolean | AdminMisuse> {
  const { command, switches, operands } = request;
  const [role, username] = operands;
  const sections = ['everybody', 'anonymous'].filter((name) => switches.has(name));
  const [section] = sections;
  const isClear = role !== undefined && (username === undefined ? sections.length === 1 : sections.length === 0);
  if (!isClear) return new AdminMisuse(`${command} needs a ROLE, and one of USER, --everybody and --anonymous`);
  const isGiven = command === 'roles grant';
  const path =
    section === undefined ? adminPath('roles', role, 'users', username ?? '') : adminPath('roles', role, section);
  const answer = await client.ask(roleAnswer, isGiven ? 'PUT' : 'DELETE', path);
  const whom = section ?? `the user ${username}`;
  const text = isGiven ? `${whom} has the role ${role}` : `${whom} has the role ${role} no more`;
  return showAnswer(request, console, answer, () => visible(`${text}\n`));
}

function rolesText(roles: readonly RoleAnswer[]): string {
  return formatTable(
    [{ title: 'ROLE' }, { title: 'RULES', isRight: true }, { title: 'USERS', isRight: true }, { title: 'AND' }],
    roles.map((role) => [role.role, String(role.rules.length), String(role.users), othersText(role)]),
  );
}

/** The rules can be given to `roles set` as they are. */
function roleText(role: RoleAnswer): string {
  const rules = role.rules.map((rule) =>
    Object.fromEntries(Object.entries(rule).map(([key, names]) => [key, names?.length === 1 ? names[0] : names])),
  );
  return `# users: ${role.users}, and: ${othersText(role)}\n${stringify(rules, { lineWidth: 0 })}`;
}

function othersText({ everybody, anonymous }: RoleAnswer): string {
  return [everybody ? 'everybody' : '', anonymous ? 'anonymous' : ''].filter((word) => word !== '').join(', ') || '-';
}
