/** The commands for users of a broker that is running, and their help texts. */
import { DEFAULT_PASSWORD_ITERATIONS, PASSWORD_HASHES } from '../auth/password-hash.js';
import { adminCommand, YES } from './admin-usage.js';
import type { Command } from './command.js';

export const USER_COMMANDS: readonly Command[] = [
  adminCommand({
    name: 'users ls',
    summary: 'list the users of a running broker',
    details: 'Lists the users of auth.passwordFile and auth.scram, what is kept of their passwords, and their roles.',
  }),
  adminCommand({
    name: 'users show',
    summary: 'show one user',
    details: 'Shows what is kept of the password of a user, by its name, and the roles of the user.',
    operand: 'USER',
  }),
  adminCommand({
    name: 'users set',
    summary: 'create a user, or change a password',
    details: `Asks for the password, or reads it from the first line of standard input if that is no terminal. The broker puts it
into all files in which the user is, or a new user into auth.passwordFile and auth.scram, as far as they are set. Connections
with an older password are ended.

  millrace users set station-7 < secret.txt`,
    operand: 'USER',
    flags: [
      {
        name: 'hash',
        value: 'NAME',
        help: `of auth.passwordFile: ${PASSWORD_HASHES.join(' or ')} (default ${PASSWORD_HASHES[0]})`,
      },
      {
        name: 'iterations',
        value: 'N',
        help: `of ${PASSWORD_HASHES[0]} (default ${DEFAULT_PASSWORD_ITERATIONS})`,
      },
    ],
  }),
  adminCommand({
    name: 'users rm',
    summary: 'delete a user',
    details: 'Deletes a user from all files, and ends the connections of the user. Sessions stay until they expire.',
    operand: 'USER',
    flags: [YES],
  }),
];
