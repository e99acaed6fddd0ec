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
    throw new ListenFailed(describe(options, cause as NodeJS.ErrnoException), options.name, { cause });
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

function describe(options: ListenerOptions, cause: NodeJS.ErrnoException): string {
  const where = `listener "${options.name}" cannot use ${options.host}:${options.port}`;
  switch (cause.code) {
    case 'EADDRINUSE':
      return `${where}: the port is in use by another program`;
    case 'EACCES':
      return `${where}: the operating system does not permit it (ports below 1024 need a privilege)`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${where}: the address is not one of this machine`;
    default:
      return `${where}: ${cause.message}`;
  }
}
