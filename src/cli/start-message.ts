/** What the operator sees first: what runs, where it listens, what is notable, and how to try it. */

import { isLoopbackHost } from '../transport/loopback.js';
import { authenticationWays, hasCredentials, httpAuthWarnings } from './auth-summary.js';
import type { Colours } from './colours.js';
import type { Settings } from './config-schema.js';
import { damagedQueueText } from './queues-text.js';
import type { OpenListener, RunningBroker } from './running-broker.js';
import { isSigned } from './sqs-settings.js';
import { type StorageSummary, storageSummary, storageText, storageWarnings } from './storage-summary.js';
import { workQueueSettings } from './work-queue-settings.js';

export interface StartReport {
  readonly version: string;
  readonly node: string;
  readonly listeners: readonly { readonly name: string; readonly url: string }[];
  /** null if HTTP is switched off. */
  readonly http: string | null;
  readonly anonymousClients: string;
  /** Ways in which clients show who they are. */
  readonly authentication: readonly string[];
  readonly storage: StorageSummary;
  /** How many are configured. */
  readonly queues: number;
  readonly rules: number;
  /** Names of queues that are stored and not configured: they are served as before. */
  readonly unconfiguredQueues: readonly string[];
  /** Settings that work, but perhaps not as meant: who gets in, and what can be lost; and what is damaged. */
  readonly warnings: readonly string[];
}

export function startReport(
  version: string,
  settings: Settings,
  { listeners, httpUrl, unconfiguredQueues, damagedQueues }: Omit<RunningBroker, 'stop' | 'reload'>,
): StartReport {
  const { queues, rules } = workQueueSettings(settings);
  const { anonymous } = settings.auth;
  const hasWays = hasCredentials(settings.auth);
  return {
    version,
    node: process.versions.node,
    listeners: listeners.map((listener) => ({ name: listener.name, url: listenerUrl(listener) })),
    http: httpUrl,
    anonymousClients: anonymousText(anonymous, hasWays),
    authentication: authenticationWays(settings.auth),
    storage: storageSummary(settings.storage),
    queues: queues.size,
    rules: rules.length,
    unconfiguredQueues,
    warnings: [
      ...sqsWarnings(settings.sqs),
      ...listeners.flatMap((listener) =>
        anonymousWarning(listener, anonymous, hasWays || hasNamesOfCertificates(settings, listener)),
      ),
      ...httpWarnings(settings.http),
      ...httpAuthWarnings(settings.auth),
      ...storageWarnings(settings.storage),
      ...damagedQueues.map(damagedQueueText),
    ],
  };
}

function sqsWarnings(sqs: Settings['sqs']): string[] {
  if (!sqs.enabled || !isSigned(sqs) || sqs.accessKeys.length > 0) return [];
  return ['the SQS endpoint serves nobody: requests must be signed, and sqs.accessKeys is empty'];
}

function anonymousWarning(listener: OpenListener, anonymous: boolean | undefined, hasMethod: boolean): string[] {
  if (listener.kind === 'sqs') return [];
  const isOpen = !isLoopbackHost(listener.host);
  const subject = `listener "${listener.name}" (${listenerUrl(listener)})`;
  if (anonymous === true && isOpen) return [`${subject} lets anybody in who can reach it: auth.anonymous is true`];
  // With a method there is another way in, and to refuse the others is what was meant.
  if (hasMethod) return [];
  if (anonymous === false || (anonymous === undefined && isOpen)) {
    const reason = isOpen && anonymous === undefined ? 'its address is not a loopback one' : 'auth.anonymous is false';
    return [
      `${subject} refuses clients without credentials: ${reason}; set auth.anonymous to true to let everybody in`,
    ];
  }
  return [];
}

function anonymousText(anonymous: boolean | undefined, hasWays: boolean): string {
  if (anonymous !== undefined) return anonymous ? 'allowed' : 'refused';
  return hasWays ? 'refused' : 'loopback only';
}

/** Clients get in by their certificates, and are somebody then. */
function hasNamesOfCertificates({ listeners }: Settings, { name }: OpenListener): boolean {
  const tls = listeners[name]?.tls;
  return tls !== undefined && tls.clientCertificate !== 'none' && tls.username !== 'none';
}

function httpWarnings({ enabled, host, tls }: Settings['http']): string[] {
  if (!enabled || isLoopbackHost(host) || tls.certificate !== undefined) return [];
  return [`HTTP on ${host} has no TLS: who can listen on the way reads the token of the administration`];
}

/** Without TLS, and with it. */
const SCHEMES = { tcp: ['mqtt', 'mqtts'], ws: ['ws', 'wss'], sqs: ['http', 'https'] } as const;

/** `mqtt://127.0.0.1:1883`, `wss://[::1]:8084/mqtt`, `http://127.0.0.1:9324` */
export function listenerUrl({ kind, host, port, path, isEncrypted }: OpenListener): string {
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const scheme = SCHEMES[kind][isEncrypted ? 1 : 0];
  return `${scheme}://${authority}${kind === 'ws' ? (path ?? '') : ''}`;
}

/** The report for a terminal, with a way to try the broker. */
export function formatStartReport(report: StartReport, listeners: readonly OpenListener[], colours: Colours): string {
  const { bold, cyan, dim, yellow } = colours;
  const width = Math.max(...report.listeners.map(({ name }) => name.length), 'anonymous clients:'.length - 2);
  const label = (text: string): string => dim(text.padEnd(width + 2));
  const lines = [
    `${bold(`Millrace ${report.version}`)} ${dim(`(Node ${report.node})`)}`,
    '',
    ...report.listeners.map(({ name, url }) => `  ${label(name)} ${cyan(url)}`),
    ...(report.http === null ? [] : [`  ${label('http')} ${cyan(report.http)}`]),
    `  ${label('anonymous clients:')} ${report.anonymousClients}`,
    ...report.authentication.map((way) => `  ${label('authentication:')} ${way}`),
    `  ${label('storage:')} ${storageText(report.storage)}`,
    `  ${label('queues:')} ${queuesText(report)}`,
    '',
    ...report.warnings.map((warning) => yellow(`  warning: ${warning}`)),
    ...(report.warnings.length > 0 ? [''] : []),
  ];
  const tcp = listeners.find(({ kind, isEncrypted }) => kind === 'tcp' && !isEncrypted);
  if (tcp !== undefined) {
    lines.push(
      '  Try it:',
      `    mosquitto_sub -h ${reachableHost(tcp.host)} -p ${tcp.port} -t '#' -v`,
      '    npm run sim',
      '',
    );
  }
  return `${lines.join('\n')}\n`;
}

function queuesText({ queues, rules, unconfiguredQueues }: StartReport): string {
  const others = unconfiguredQueues.length === 0 ? '' : `; stored and not configured: ${unconfiguredQueues.join(', ')}`;
  return `${queues}, filled by ${rules} ${rules === 1 ? 'rule' : 'rules'}${others}`;
}

function reachableHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}
