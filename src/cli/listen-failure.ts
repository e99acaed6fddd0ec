import type { Settings } from './config-schema.js';
import type { ListenerSettings } from './listener-schema.js';

interface SystemError extends Error {
  readonly code: string;
  readonly address?: string;
  readonly port?: number;
}

/**
 * What to tell a person when a listener could not be opened: which one, where, why, and what to change.
 * @returns undefined if `error` (with its causes) is not about listening
 */
export function explainListenFailure(error: unknown, settings: Settings): string | undefined {
  const failure = findSystemError(error);
  if (failure?.port === undefined && failure?.code !== 'ENOTFOUND') return undefined;
  const [name, listener] = findListener(failure, settings) ?? [];
  const where = listener === undefined ? `${failure.address}:${failure.port}` : `${listener.host}:${listener.port}`;
  const subject = `${name === undefined ? 'a listener' : `listener "${name}"`} cannot listen on ${where}`;
  const portFlag = name === 'tcp' ? ' (or --port)' : name === 'ws' ? ' (or --ws-port)' : '';
  const portSetting = `listeners.${name ?? 'NAME'}.port${portFlag}`;
  const hostSetting = `listeners.${name ?? 'NAME'}.host${portFlag === '' ? '' : ' (or --host)'}`;
  switch (failure.code) {
    case 'EADDRINUSE':
      return `${subject}: another program uses this port. Stop it, or choose another port with ${portSetting}; 0 takes a free one.`;
    case 'EACCES':
      return `${subject}: this user may not use this port. Choose one from 1024 up with ${portSetting}.`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${subject}: this machine has no such address. Choose another with ${hostSetting}.`;
    default:
      return `${subject}: ${failure.code}. The settings are ${portSetting} and ${hostSetting}.`;
  }
}

function findSystemError(error: unknown): SystemError | undefined {
  let current = error;
  for (let depth = 0; depth < 8 && current instanceof Error; depth++) {
    if ('syscall' in current && 'code' in current) return current as SystemError;
    current = current.cause;
  }
  return undefined;
}

function findListener(failure: SystemError, settings: Settings): [string, ListenerSettings] | undefined {
  const open = Object.entries(settings.listeners).filter(([, { enabled }]) => enabled);
  const hostname = (failure as { hostname?: string }).hostname;
  const samePort = open.filter(([, { port }]) => port === failure.port);
  const sameHost = (hostname === undefined ? samePort : open).find(
    ([, { host }]) => host === failure.address || host === hostname,
  );
  // A host name was resolved: then the port must do.
  return sameHost ?? samePort[0];
}
