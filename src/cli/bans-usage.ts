/** The commands for bans of a broker that is running, and their help texts. */
import { adminCommand } from './admin-usage.js';
import type { Command } from './command.js';

const WHOM = 'KIND is client, user or address; an address may be a range, such as 203.0.113.0/24.';

export const BAN_COMMANDS: readonly Command[] = [
  adminCommand({
    name: 'bans ls',
    summary: 'list who is banned from a running broker',
    details: 'Lists the bans that are in force, with where they come from and when they end.',
  }),
  adminCommand({
    name: 'bans add',
    summary: 'ban a client id, a user or an address',
    details: `Bans somebody, and ends the connections. ${WHOM}

  millrace bans add client meter-17 --reason stolen
  millrace bans add address 203.0.113.7 --for 1h`,
    operand: 'KIND VALUE',
    flags: [
      { name: 'for', value: 'TIME', help: 'how long, such as 30m or 7d (default: until it is lifted)' },
      { name: 'reason', value: 'TEXT', help: 'for those who look at the list, and for the log' },
    ],
  }),
  adminCommand({ name: 'bans rm', summary: 'lift a ban', details: `Lifts a ban. ${WHOM}`, operand: 'KIND VALUE' }),
];
