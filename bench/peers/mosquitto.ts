/** Mosquitto as the distribution packages it, with queues unbounded and nothing logged. */
import { existsSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { EVERY_TRANSPORT, isWebSocket } from '../generator/transport.js';
import { EVERY_PROTOCOL, EVERY_QOS, type Launch, type Peer } from './peer.js';

const ADMINISTRATOR_DIRECTORIES = ['/usr/sbin', '/usr/local/sbin'];

export function mosquitto(): Peer {
  return peer(() => ['persistence false']);
}

/**
 * With persistence as its manual describes it: everything is kept in memory and written to a file every half hour, and
 * when it is told to end. What has been acknowledged since is lost by a crash.
 */
export function durableMosquitto(): Peer {
  return peer((directory) => ['persistence true', `persistence_location ${directory}/`]);
}

function peer(persistenceLines: (directory: string) => readonly string[]): Peer {
  const executable = findExecutable('mosquitto');
  return {
    name: 'mosquitto',
    protocols: EVERY_PROTOCOL,
    transports: EVERY_TRANSPORT,
    qos: EVERY_QOS,
    abilities: ['shared subscriptions', 'a password file'],
    unavailable: executable === undefined ? 'not installed (Debian: apt-get install mosquitto)' : undefined,
    source: {
      kind: 'launched',
      command: (launch) => {
        const configuration = join(launch.directory, 'mosquitto.conf');
        writeFileSync(configuration, configurationFor(launch, persistenceLines(launch.directory)));
        return [executable ?? 'mosquitto', '-c', configuration];
      },
    },
  };
}

function configurationFor(
  { port, transport, directory, certificate, passwordFile }: Launch,
  persistenceLines: readonly string[],
): string {
  const lines = [
    // Started as root it would become another user, who may not write to the directory.
    ...(process.getuid?.() === 0 ? ['user root'] : []),
    // With WebSocket alone, versions such as 2.0.11 say that they could not open any listener.
    ...(isWebSocket(transport) ? [`listener 0 ${join(directory, 'mosquitto.sock')}`] : []),
    `listener ${port} 127.0.0.1`,
    ...(isWebSocket(transport) ? ['protocol websockets'] : []),
    ...(certificate === undefined ? [] : [`certfile ${certificate.certificate}`, `keyfile ${certificate.key}`]),
    ...(passwordFile === undefined
      ? ['allow_anonymous true']
      : ['allow_anonymous false', `password_file ${passwordFile}`]),
    'set_tcp_nodelay true',
    'max_inflight_messages 0',
    'max_queued_messages 0',
    ...persistenceLines,
    'log_type none',
  ];
  return `${lines.join('\n')}\n`;
}

function findExecutable(name: string): string | undefined {
  const { PATH = '' } = process.env;
  const directories = [...PATH.split(delimiter), ...ADMINISTRATOR_DIRECTORIES];
  return directories.map((directory) => join(directory, name)).find((path) => existsSync(path));
}
