/** The commands for roles of a broker that is running, and their help texts. */
import { adminCommand, YES } from './admin-usage.js';
import type { Command, CommandFlag } from './command.js';

const WHOM: readonly CommandFlag[] = [
  { name: 'everybody', help: 'all clients, instead of a user' },
  { name: 'anonymous', help: 'clients without a user name, instead of a user' },
];

export const ROLE_COMMANDS: readonly Command[] = [
  adminCommand({
    name: 'roles ls',
    summary: 'list the roles of a running broker',
    details: 'Lists the roles of access.rolesFile, and who has them.',
  }),
  adminCommand({
    name: 'roles show',
    summary: 'show the rules of a role',
    details: 'Shows the rules of a role as YAML, as set reads them, and who has it.',
    operand: 'ROLE',
    flags: [{ name: 'users', help: 'list the users who have it by their name, one a line, instead of the rules' }],
  }),
  adminCommand({
    name: 'roles set',
    summary: 'create a role, or give one other rules',
    details: `Reads the rules from a file: a list as it stands behind the name of a role in access.rolesFile. They hold at once for
everybody who has the role.

  millrace roles show sensor > sensor.yaml
  millrace roles set sensor sensor.yaml
  echo '[{ allow: publish, topic: a/b }]' | millrace roles set sensor /dev/stdin`,
    operand: 'ROLE FILE',
  }),
  adminCommand({
    name: 'roles rm',
    summary: 'delete a role that nobody has',
    details: 'Deletes a role. Whoever has it keeps it from being deleted: revoke it first.',
    operand: 'ROLE',
    flags: [YES],
  }),
  adminCommand({
    name: 'roles grant',
    summary: 'give a role to a user, or to all clients',
    details: 'Gives a role. It holds at once, also for who is connected.',
    operand: 'ROLE USER',
    isOperandOptional: true,
    flags: WHOM,
  }),
  adminCommand({
    name: 'roles revoke',
    summary: 'take a role away',
    details: 'Takes a role away. That holds at once, also for who is connected.',
    operand: 'ROLE USER',
    isOperandOptional: true,
    flags: WHOM,
  }),
];
