import { ListenFailed } from '../core/errors.js';
import type { Settings } from './config-schema.js';

/**
 * What to tell a person when a listener could not be opened: which one, where, why, and what to change.
 * @returns undefined if `error` is not about listening
 */
export function explainListenFailure(error: unknown, settings: Settings): string | undefined {
  if (!(error instanceof ListenFailed)) return undefined;
  const name = error.listener;
  const listener = settings.listeners[name];
  if (listener === undefined) return error.message;
  const subject = `listener "${name}" cannot listen on ${listener.host}:${listener.port}`;
  const portFlag = name === 'tcp' ? ' (or --port)' : name === 'ws' ? ' (or --ws-port)' : '';
  const portSetting = `listeners.${name}.port${portFlag}`;
  const hostSetting = `listeners.${name}.host${portFlag === '' ? '' : ' (or --host)'}`;
  const code = (error.cause as NodeJS.ErrnoException | undefined)?.code;
  switch (code) {
    case 'EADDRINUSE':
      return `${subject}: another program uses this port. Stop it, or choose another port with ${portSetting}; 0 takes a free one.`;
    case 'EACCES':
      return `${subject}: this user may not use this port. Choose one from 1024 up with ${portSetting}.`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${subject}: this machine has no such address. Choose another with ${hostSetting}.`;
    default:
      return `${subject}: ${code}. The settings are ${portSetting} and ${hostSetting}.`;
  }
}
