/** `millrace users …`: the users of a running broker. A password is read, sent and forgotten. */
import { deletedUser, type UserAnswer, userAnswer, userList } from '../http/user-answers.js';
import type { AdminClient } from './admin-client.js';
import { adminPages } from './admin-pages.js';
import { adminPath } from './admin-path.js';
import { type AdminConsole, AdminMisuse, type AdminRequest, askFirst, showAnswer } from './admin-request.js';
import { NoPassword } from './password-input.js';
import { formatTable } from './text-table.js';

/** @returns whether what was asked for has come about @throws AdminCallFailed */
export async function runUsersCommand(
  request: AdminRequest,
  client: AdminClient,
  console: AdminConsole,
): Promise<boolean | AdminMisuse> {
  const { command, operand: username = '' } = request;
  switch (command) {
    case 'users ls':
      return await listUsers(request, client, console);
    case 'users show': {
      const user = await client.ask(userAnswer, 'GET', adminPath('users', username));
      return showAnswer(request, console, user, () => usersText([user]));
    }
    case 'users set':
      return await setUser(request, client, console);
    default: {
      const refusal = await askFirst(request, console, `Delete the user ${username}, and end the connections?`);
      if (refusal !== null) return refusal;
      const answer = await client.ask(deletedUser, 'DELETE', adminPath('users', username));
      return showAnswer(request, console, answer, () => `the user ${username} is deleted\n`);
    }
  }
}

async function listUsers(request: AdminRequest, client: AdminClient, console: AdminConsole): Promise<true> {
  const users: UserAnswer[] = [];
  for await (const page of adminPages(client, userList, adminPath('users'))) users.push(...page.users);
  return showAnswer(request, console, { users }, () =>
    users.length === 0 ? 'there are no users\n' : usersText(users),
  );
}

async function setUser(
  request: AdminRequest,
  client: AdminClient,
  console: AdminConsole,
): Promise<boolean | AdminMisuse> {
  const { operand: username = '', options } = request;
  const iterations = options.get('iterations');
  if (iterations !== undefined && !/^\d{1,9}$/.test(iterations)) {
    return new AdminMisuse(`flag --iterations: expected a whole number, found "${iterations}"`);
  }
  const path = adminPath('users', username);
  const password = await console.readPassword();
  if (password instanceof NoPassword) return new AdminMisuse(password.reason);
  if (password === '') return new AdminMisuse('the password is empty');
  const hash = options.get('hash');
  const user = await client.ask(userAnswer, 'PUT', path, {
    password,
    ...(hash === undefined ? {} : { hash }),
    ...(iterations === undefined ? {} : { iterations: Number(iterations) }),
  });
  const kept = user.credentials.join(', ');
  return showAnswer(request, console, user, () => `the password of ${username} is set: ${kept}\n`);
}

function usersText(users: readonly UserAnswer[]): string {
  return formatTable(
    [{ title: 'USER' }, { title: 'CREDENTIALS' }, { title: 'ROLES' }],
    users.map(({ username, credentials, roles }) => [username, credentials.join(', '), roles.join(', ') || '-']),
  );
}
