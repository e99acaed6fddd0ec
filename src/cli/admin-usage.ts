/** What the help texts of all commands for a running broker have in common. */
import type { Command, CommandFlag } from './command.js';

const WHERE = `The broker is found by the configuration, as start reads it: by its data directory, in which it says where it
listens. --url and --token-file say it for a broker on another machine, or without a data directory.`;

const COMMON: readonly CommandFlag[] = [
  { name: 'json', help: 'print the answer of the broker as JSON' },
  { name: 'url', value: 'URL', help: 'where the broker answers by HTTP, such as http://127.0.0.1:8080' },
  { name: 'token-file', value: 'FILE', help: 'file with the token of the administration' },
];

/** For what cannot be taken back: it is asked about. */
export const YES: CommandFlag = { name: 'yes', help: 'do not ask' };

/** A command for a running broker. */
export function adminCommand(command: Omit<Command, 'readsConfiguration'>): Command {
  return {
    ...command,
    details: `${command.details}\n\n${WHERE}`,
    readsConfiguration: true,
    flags: [...(command.flags ?? []), ...COMMON],
  };
}
