/** What `millrace check` says of a configuration that can be used: what it would open, and what perhaps is not meant so. */
import { authSummary } from './auth-summary.js';
import type { Configuration } from './config-loader.js';
import type { Settings } from './config-schema.js';
import type { OpenListener } from './running-broker.js';
import { settingsWarnings } from './settings-warnings.js';
import { storageSummary, storageText } from './storage-summary.js';
import { tlsSummary } from './tls-settings.js';

/** @param file of the configuration, if there is one */
export function checkSummary(configuration: Omit<Configuration, 'origins'>, file: string | undefined): string {
  const { settings, authFiles } = configuration;
  const nowMs = Date.now();
  const { http, sqs } = settings;
  const listeners = enabledListeners(settings).map(([name, { kind, host, port, path, tls }]) => {
    return `listener ${name}: ${kind} ${host}:${port}${path ?? ''}${tlsSummary(tls, nowMs)}`;
  });
  const lines = [
    `file: ${file ?? 'none, defaults only'}`,
    ...listeners,
    ...(http.enabled ? [`http: ${http.host}:${http.port}${tlsSummary(http.tls, nowMs)}`] : []),
    ...(sqs.enabled ? [`sqs: ${sqs.host}:${sqs.port}${tlsSummary(sqs.tls, nowMs)}`] : []),
    ...authSummary(settings.auth, authFiles),
    ...accessLines(configuration),
    `storage: ${storageText(storageSummary(settings.storage))}`,
    ...pushLines(configuration),
    ...settingsWarnings(settings, wouldBeOpen(settings)).map((warning) => `warning: ${warning}`),
  ];
  return `configuration ok\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

function accessLines({ settings, accessRules }: Omit<Configuration, 'origins'>): string[] {
  if (accessRules.rules === undefined) return [];
  const { aclFile, rolesFile, subscribeCheck } = settings.access;
  return [`access: ${[aclFile, rolesFile].flatMap((path) => path ?? []).join(', ')}, SUBSCRIBE: ${subscribeCheck}`];
}

function pushLines({ pushTargets }: Omit<Configuration, 'origins'>): string[] {
  return [...pushTargets].map(([queue, { url, secrets }]) => {
    const signatures = secrets.length === 1 ? '1 signature' : `${secrets.length} signatures`;
    return `webhook of ${queue}: ${new URL(url).origin}, ${secrets.length === 0 ? 'unsigned' : signatures}`;
  });
}

function enabledListeners({ listeners }: Settings) {
  return Object.entries(listeners).filter(([, { enabled }]) => enabled);
}

function wouldBeOpen(settings: Settings): OpenListener[] {
  return enabledListeners(settings).map(([name, { kind, host, port, path, tls }]) => {
    const isEncrypted = tls.certificate !== undefined;
    return { name, kind, host, port, isEncrypted, ...(path === undefined ? {} : { path }) };
  });
}
