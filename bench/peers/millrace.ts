/** Millrace as it is shipped: the command line, with its defaults, and every other listener on a free port. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EVERY_TRANSPORT } from '../generator/transport.js';
import { type Ability, EVERY_PROTOCOL, EVERY_QOS, type Launch, type Peer } from './peer.js';

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
      command: (launch) => {
        const file = join(launch.directory, 'acl');
        writeFileSync(file, `${rules.join('\n')}\n`);
        return ['env', `MILLRACE__ACCESS__ACL_FILE=${file}`, ...source.command(launch)];
      },
    },
  };
}

/** @param environment `NAME=value`, besides the environment of the benchmark */
function peer(name: string, customCommand: string | undefined, environment: readonly string[]): Peer {
  const missing = customCommand === undefined && !existsSync(MAIN);
  const abilities: Ability[] = ['shared subscriptions', 'a process of Node', 'a password file', 'argon2id passwords'];
  // Whatever brings a configuration is about what is on the disk.
  if (customCommand === undefined && name === MILLRACE) abilities.push('our configuration');
  return {
    name,
    protocols: EVERY_PROTOCOL,
    transports: customCommand === undefined ? EVERY_TRANSPORT : ['tcp'],
    qos: EVERY_QOS,
    abilities,
    unavailable: missing ? `${MAIN} does not exist: run npm run build in the repository's root` : undefined,
    source: {
      kind: 'launched',
      command: (launch) => {
        const listeners = customCommand === undefined ? listenerVariables(launch) : [];
        const variables = [...environment, ...listeners, ...passwordVariables(launch)];
        const command = customCommand === undefined ? builtCommand(launch) : filledIn(customCommand, launch);
        return variables.length > 0 ? ['env', ...variables, ...command] : command;
      },
    },
  };
}

function filledIn(customCommand: string, { port, directory }: Launch): string[] {
  return customCommand
    .split(' ')
    .map((word) => word.replace(/^PORT$/, String(port)).replace(/^DATA$/, join(directory, 'data')));
}

function builtCommand({ port, transport, directory, configurationFile }: Launch): string[] {
  const sqsPort = configurationFile === undefined ? 0 : sqsPortOf(port);
  const tcpPort = transport === 'tcp' ? port : 0;
  const wsPort = transport === 'ws' ? port : 0;
  const mqtt = ['--port', String(tcpPort), '--ws-port', String(wsPort)];
  const http = ['--http-port', '0', '--sqs-port', String(sqsPort)];
  const configuration = configurationFile === undefined ? [] : ['--config', configurationFile];
  const data = ['--data', join(directory, 'data')];
  return [process.execPath, MAIN, 'start', ...mqtt, ...http, ...data, '--log-format', 'json', ...configuration];
}

/** The listeners for TLS have no flags of their own. */
function listenerVariables({ port, transport, certificate }: Launch): string[] {
  if (certificate === undefined) return [];
  const listener = `MILLRACE__LISTENERS__${transport === 'wss' ? 'WSS' : 'MQTTS'}`;
  return [
    `${listener}__PORT=${port}`,
    `${listener}__TLS__CERTIFICATE=${certificate.certificate}`,
    `${listener}__TLS__KEY=${certificate.key}`,
  ];
}

function passwordVariables({ passwordFile }: Launch): string[] {
  return passwordFile === undefined ? [] : [`MILLRACE__AUTH__PASSWORD_FILE=${passwordFile}`];
}

/**
 * Where a broker with a configuration serves clients of SQS: two further on, since Linux gives listeners odd ports, and connections even ones,
 * of which none is free for a minute after a storm of them.
 * @param port of MQTT
 */
export function sqsPortOf(port: number): number {
  return port < 65_534 ? port + 2 : port - 2;
}
