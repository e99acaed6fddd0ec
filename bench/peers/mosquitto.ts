/** Mosquitto as the distribution packages it, with queues unbounded and nothing written to disk or log. */
import { existsSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { EVERY_PROTOCOL, EVERY_QOS, type Peer } from './peer.js';

const ADMINISTRATOR_DIRECTORIES = ['/usr/sbin', '/usr/local/sbin'];

export function mosquitto(): Peer {
  const executable = findExecutable('mosquitto');
  return {
    name: 'mosquitto',
    protocols: EVERY_PROTOCOL,
    qos: EVERY_QOS,
    unavailable: executable === undefined ? 'not installed (Debian: apt-get install mosquitto)' : undefined,
    source: {
      kind: 'launched',
      command: (port, directory) => {
        const configuration = join(directory, 'mosquitto.conf');
        writeFileSync(configuration, configurationFor(port));
        return [executable ?? 'mosquitto', '-c', configuration];
      },
    },
  };
}

function configurationFor(port: number): string {
  const lines = [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    'set_tcp_nodelay true',
    'max_inflight_messages 0',
    'max_queued_messages 0',
    'persistence false',
    'log_type none',
  ];
  return `${lines.join('\n')}\n`;
}

function findExecutable(name: string): string | undefined {
  const { PATH = '' } = process.env;
  const directories = [...PATH.split(delimiter), ...ADMINISTRATOR_DIRECTORIES];
  return directories.map((directory) => join(directory, name)).find((path) => existsSync(path));
}
