/** Millrace as it is shipped: the command line, with its defaults, and every other listener on a free port. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { EVERY_PROTOCOL, EVERY_QOS, type Peer } from './peer.js';

export const MILLRACE = 'millrace';

/** @param customCommand a command line, split at spaces, in which `PORT` stands for the port; instead of the CLI */
export function millrace(customCommand: string | undefined): Peer {
  const main = join('dist', 'cli', 'main.js');
  const missing = customCommand === undefined && !existsSync(main);
  return {
    name: MILLRACE,
    protocols: EVERY_PROTOCOL,
    qos: EVERY_QOS,
    unavailable: missing ? `${main} does not exist: run npm run build in the repository's root` : undefined,
    source: {
      kind: 'launched',
      command: (port, directory) =>
        customCommand === undefined
          ? [process.execPath, main, ...startFlags(port, directory)]
          : customCommand.split(' ').map((word) => (word === 'PORT' ? String(port) : word)),
    },
  };
}

function startFlags(port: number, directory: string): string[] {
  const ports = ['--port', String(port), '--ws-port', '0', '--http-port', '0', '--sqs-port', '0'];
  return ['start', ...ports, '--data', join(directory, 'data'), '--log-format', 'json'];
}
