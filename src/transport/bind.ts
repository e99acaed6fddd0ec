/** Binding and closing a server, shared by the listeners. */
import { once } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { ListenFailed } from '../core/errors.js';
import type { ListenerOptions } from './listener.js';

/** Connections that the operating system may hold for us: a fleet that comes back at once is not turned away. */
const BACKLOG = 4096;

/** Binds `server`; resolves with the port. @throws ListenFailed */
export async function bind(server: Server | HttpServer, options: ListenerOptions): Promise<number> {
  server.listen({ host: options.host, port: options.port, backlog: BACKLOG });
  try {
    await once(server, 'listening');
  } catch (cause) {
    const { name, host, port } = options;
    const message = `listener "${name}" cannot use ${host}:${port}: ${(cause as Error).message}`;
    throw new ListenFailed(message, name, { cause });
  }
  return (server.address() as AddressInfo).port;
}

/** Stops accepting; does not wait for open connections. */
export function closeServer(server: Server | HttpServer): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    // `close` waits for the last connection; those are the broker's, which closes them in its own way.
    resolve();
  });
}
