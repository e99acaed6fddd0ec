/** What the operator sees first: what runs, where it listens, what is notable, and how to try it. */
import { authenticationWays, hasCredentials } from './auth-summary.js';
import type { Colours } from './colours.js';
import type { Settings } from './config-schema.js';
import { listenerUrl } from './listener-url.js';
import { damagedQueueText } from './queues-text.js';
import type { OpenListener, RunningBroker } from './running-broker.js';
import { settingsWarnings } from './settings-warnings.js';
import { type StorageSummary, storageSummary, storageText } from './storage-summary.js';
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
    warnings: [...settingsWarnings(settings, listeners), ...damagedQueues.map(damagedQueueText)],
  };
}

function anonymousText(anonymous: boolean | undefined, hasWays: boolean): string {
  if (anonymous !== undefined) return anonymous ? 'allowed' : 'refused';
  return hasWays ? 'refused' : 'loopback only';
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
