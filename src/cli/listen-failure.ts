import { SqsListenFailed } from '../bridge/sqs/sqs-listen-failed.js';
import { ListenFailed } from '../core/errors.js';
import { HttpListenFailed } from '../http/http-errors.js';
import type { Settings } from './config-schema.js';

/**
 * What to tell a person when a listener could not be opened: which one, where, why, and what to change.
 * @returns undefined if `error` is not about listening
 */
export function explainListenFailure(error: unknown, settings: Settings): string | undefined {
  if (!(error instanceof ListenFailed)) return undefined;
  const failed = failedSettings(error, settings);
  if (failed === undefined) return error.message;
  const { subject, portSetting, hostSetting } = failed;
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

interface FailedSettings {
  readonly subject: string;
  readonly portSetting: string;
  readonly hostSetting: string;
}

function failedSettings(error: ListenFailed, settings: Settings): FailedSettings | undefined {
  if (error instanceof HttpListenFailed) return httpSettings(settings);
  if (error instanceof SqsListenFailed) return sqsSettings(settings);
  return listenerSettings(error.listener, settings);
}

function httpSettings({ http: { host, port } }: Settings): FailedSettings {
  return {
    subject: `HTTP cannot listen on ${host}:${port}`,
    portSetting: 'http.port (or --http-port)',
    hostSetting: 'http.host',
  };
}

function sqsSettings({ sqs: { host, port } }: Settings): FailedSettings {
  return {
    subject: `the SQS endpoint cannot listen on ${host}:${port}`,
    portSetting: 'sqs.port (or --sqs-port)',
    hostSetting: 'sqs.host',
  };
}

function listenerSettings(name: string, { listeners }: Settings): FailedSettings | undefined {
  const listener = listeners[name];
  if (listener === undefined) return undefined;
  const portFlag = name === 'tcp' ? ' (or --port)' : name === 'ws' ? ' (or --ws-port)' : '';
  return {
    subject: `listener "${name}" cannot listen on ${listener.host}:${listener.port}`,
    portSetting: `listeners.${name}.port${portFlag}`,
    hostSetting: `listeners.${name}.host${portFlag === '' ? '' : ' (or --host)'}`,
  };
}
