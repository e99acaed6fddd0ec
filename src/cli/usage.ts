/** The commands of the executable and their help texts. */

import { DEFAULT_PASSWORD_ITERATIONS, PASSWORD_HASHES } from '../auth/password-hash.js';
import { DEFAULT_ITERATIONS } from '../auth/scram-credential.js';
import { SCRAM_MECHANISMS } from '../auth/scram-mechanism.js';
import { ACCESS_COMMAND } from './access-usage.js';
import { BAN_COMMANDS } from './bans-usage.js';
import type { Command } from './command.js';
import { SETTING_FLAGS } from './config-flags.js';
import { QUEUE_COMMANDS } from './queues-usage.js';
import { ROLE_COMMANDS } from './roles-usage.js';
import { USER_COMMANDS } from './users-usage.js';

const SCRAM_NAMES = SCRAM_MECHANISMS.map(({ name }) => name);

export const COMMANDS: readonly Command[] = [
  {
    name: 'start',
    summary: 'start the broker (the default command)',
    details: 'Starts the broker and runs until SIGTERM or SIGINT; a second signal ends it at once.',
    readsConfiguration: true,
  },
  {
    name: 'check',
    summary: 'check the configuration and exit',
    details: 'Reads the configuration from all its sources, as start would, and reports every problem in it.',
    readsConfiguration: true,
  },
  {
    name: 'config print',
    summary: 'print the effective configuration, with the origin of each value',
    details: 'Prints the effective configuration as YAML; a comment on each line says where the value comes from.',
    readsConfiguration: true,
  },
  {
    name: 'config schema',
    summary: 'print the JSON Schema of the configuration file',
    details:
      'Prints the JSON Schema of the configuration file. An editor with a YAML language server completes and checks\nthe file if its first line is: # yaml-language-server: $schema=millrace.schema.json',
    readsConfiguration: false,
  },
  {
    name: 'scram',
    summary: 'print the line of a user for the file of auth.scram',
    details:
      'Asks for the password, or reads it from the first line of standard input if that is no terminal, and prints a\nline for the file of auth.scram: keys that check the password, never the password.\n\n  millrace scram station-7 >> scram-users',
    readsConfiguration: false,
    operand: 'USER',
    flags: [
      { name: 'mechanism', value: 'NAME', help: `${SCRAM_NAMES.join(' or ')} (default ${SCRAM_NAMES[0]})` },
      {
        name: 'iterations',
        value: 'N',
        help: `of the key derivation (default ${DEFAULT_ITERATIONS}). Each is paid by the client when it connects, none by the broker`,
      },
    ],
  },
  {
    name: 'passwd',
    summary: 'set or delete the password of a user in the file of auth.passwordFile',
    details:
      "Asks for the password, or reads it from the first line of standard input if that is no terminal, and puts its hash\ninto the file, in mosquitto's format; the file is made if it is not there, and replaced as a whole. A broker that\nruns takes the change into use by itself.\n\n  millrace passwd passwords station-7",
    readsConfiguration: false,
    operand: 'FILE USER',
    flags: [
      {
        name: 'hash',
        value: 'NAME',
        help: `${PASSWORD_HASHES.join(' or ')} (default ${PASSWORD_HASHES[0]}, which every mosquitto reads)`,
      },
      {
        name: 'iterations',
        value: 'N',
        help: `of ${PASSWORD_HASHES[0]} (default ${DEFAULT_PASSWORD_ITERATIONS}). Each is paid by the broker when a client connects`,
      },
      { name: 'delete', help: 'delete the user' },
    ],
  },
  ACCESS_COMMAND,
  ...QUEUE_COMMANDS,
  ...USER_COMMANDS,
  ...ROLE_COMMANDS,
  ...BAN_COMMANDS,
];

const COMMON_FLAGS: readonly (readonly [string, string])[] = [
  ['-h, --help', 'print this help; after a command, the help of that command'],
  ['-v, --version', 'print the version'],
];

const CONFIGURATION_FLAGS: readonly (readonly [string, string])[] = [
  ['-c, --config FILE', 'configuration file, YAML; there is none by default'],
  ...SETTING_FLAGS.map(({ name, value, help }) => [`    --${name} ${value}`, help] as const),
];

const EXIT_CODES = 'Exit codes: 0 ok, 1 failure at run time, 2 wrong usage or configuration.';

/** `millrace --help` */
export function generalHelp(): string {
  return `millrace - MQTT 3.1.1 and 5 broker

Usage: millrace [COMMAND] [FLAGS]

Commands:
${columns(COMMANDS.map(({ name, summary }) => [name, summary]))}

Flags:
${columns([...CONFIGURATION_FLAGS, ...COMMON_FLAGS])}

Settings come from defaults, then the file, then environment variables such as
MILLRACE__MQTT__MAX_PACKET_SIZE=2MiB, then flags; the later one wins.
${EXIT_CODES}
`;
}

/** `millrace COMMAND --help` */
export function commandHelp(command: Command): string {
  const own = (command.flags ?? []).map(
    ({ name, value, help }) => [`    --${name}${value === undefined ? '' : ` ${value}`}`, help] as const,
  );
  const flags = [...own, ...(command.readsConfiguration ? CONFIGURATION_FLAGS : []), ...COMMON_FLAGS];
  const { name, operand, isOperandOptional } = command;
  const typed = operand === undefined ? '' : isOperandOptional ? ` [${operand}]` : ` ${operand}`;
  return `Usage: millrace ${name}${typed} [FLAGS]\n\n${command.details}\n\nFlags:\n${columns(flags)}\n\n${EXIT_CODES}\n`;
}

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n');
}
