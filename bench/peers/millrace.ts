/** Millrace as it is shipped: the command line, with its defaults, and every other listener on a free port. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EVERY_PROTOCOL, EVERY_QOS, type Peer } from './peer.js';

export const MILLRACE = 'millrace';

const MAIN = join('dist', 'cli', 'main.js');
/** No limit of a session's queue: the durable scenarios queue more for one session than anybody wants to by default. */
const UNBOUNDED_QUEUES = [
  'MILLRACE__SESSIONS__MAX_QUEUED_MESSAGES=1000000000',
  'MILLRACE__SESSIONS__MAX_QUEUED_BYTES=1TiB',
];

/**
 * @param customCommand a command line, split at spaces, in which `PORT` stands for the port and `DATA` for the directory;
 * instead of the built one
 */
export function millrace(customCommand: string | undefined): Peer {
  return peer(MILLRACE, customCommand, []);
}

/** One peer for each durability: what is acknowledged is on the disk, with the operating system, or in memory. */
export function durableMillrace(customCommand: string | undefined): Peer[] {
  return [
    peer(MILLRACE, customCommand, UNBOUNDED_QUEUES),
    peer(`${MILLRACE}-os`, customCommand, [...UNBOUNDED_QUEUES, 'MILLRACE__STORAGE__DURABILITY=os']),
    peer(`${MILLRACE}-memory`, customCommand, [...UNBOUNDED_QUEUES, 'MILLRACE__STORAGE__DURABILITY=memory']),
  ];
}

/** What the load does is permitted, among rules about something else. */
const RULES = [...Array.from({ length: 20 }, (_, n) => `topic read other/${n}/#`), 'topic readwrite bench/#'];

/**
 * The same with rules of access: `-rules` permits what subscribers ask for as a whole, so that messages pass without being asked about;
 * `-rules-each` denies a part that nobody publishes to, so that each is.
 */
export function ruledMillrace(customCommand: string | undefined): Peer[] {
  return [
    ruled(`${MILLRACE}-rules`, customCommand, RULES),
    ruled(`${MILLRACE}-rules-each`, customCommand, [...RULES, 'topic deny bench/+/secret']),
  ];
}

function ruled(name: string, customCommand: string | undefined, rules: readonly string[]): Peer {
  const plain = peer(name, customCommand, []);
  const { source } = plain;
  if (source.kind !== 'launched') return plain;
  return {
    ...plain,
    isOnRequest: true,
    source: {
      kind: 'launched',
      command: (port, directory) => {
        const file = join(directory, 'acl');
        writeFileSync(file, `${rules.join('\n')}\n`);
        return ['env', `MILLRACE__ACCESS__ACL_FILE=${file}`, ...source.command(port, directory)];
      },
    },
  };
}

/** @param environment `NAME=value`, besides the environment of the benchmark */
function peer(name: string, customCommand: string | undefined, environment: readonly string[]): Peer {
  const missing = customCommand === undefined && !existsSync(MAIN);
  return {
    name,
    protocols: EVERY_PROTOCOL,
    qos: EVERY_QOS,
    unavailable: missing ? `${MAIN} does not exist: run npm run build in the repository's root` : undefined,
    // Whatever brings a configuration is about what is on the disk.
    takesConfiguration: customCommand === undefined && name === MILLRACE,
    source: {
      kind: 'launched',
      command: (port, directory, configurationFile) => [
        ...(environment.length > 0 ? ['env', ...environment] : []),
        ...(customCommand === undefined
          ? builtCommand(port, directory, configurationFile)
          : customCommand
              .split(' ')
              .map((word) => word.replace(/^PORT$/, String(port)).replace(/^DATA$/, join(directory, 'data')))),
      ],
    },
  };
}

function builtCommand(port: number, directory: string, configurationFile: string | undefined): string[] {
  const sqsPort = configurationFile === undefined ? 0 : sqsPortOf(port);
  const listeners = ['--port', String(port), '--ws-port', '0', '--http-port', '0', '--sqs-port', String(sqsPort)];
  const configuration = configurationFile === undefined ? [] : ['--config', configurationFile];
  const data = ['--data', join(directory, 'data')];
  return [process.execPath, MAIN, 'start', ...listeners, ...data, '--log-format', 'json', ...configuration];
}

/** Where a broker with a configuration serves clients of SQS. @param port of MQTT */
export function sqsPortOf(port: number): number {
  return port < 65_535 ? port + 1 : port - 1;
}
