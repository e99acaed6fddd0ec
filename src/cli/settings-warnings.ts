/** Settings that work, but perhaps not as meant: who gets in, who can listen, and what can be lost. */
import { isLoopbackHost } from '../transport/loopback.js';
import { hasCredentials, httpAuthWarnings } from './auth-summary.js';
import type { Settings } from './config-schema.js';
import { listenerUrl } from './listener-url.js';
import type { OpenListener } from './running-broker.js';
import { isSigned } from './sqs-settings.js';
import { storageWarnings } from './storage-summary.js';

/** @param listeners those that are open, or would be */
export function settingsWarnings(settings: Settings, listeners: readonly OpenListener[]): string[] {
  const { anonymous } = settings.auth;
  const hasWays = hasCredentials(settings.auth);
  return [
    ...sqsWarnings(settings.sqs),
    ...listeners.flatMap((listener) =>
      anonymousWarning(listener, anonymous, hasWays || hasNamesOfCertificates(settings, listener)),
    ),
    ...httpWarnings(settings.http),
    ...httpAuthWarnings(settings.auth),
    ...storageWarnings(settings.storage),
  ];
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

/** Clients get in by their certificates, and are somebody then. */
function hasNamesOfCertificates({ listeners }: Settings, { name }: OpenListener): boolean {
  const tls = listeners[name]?.tls;
  return tls !== undefined && tls.clientCertificate !== 'none' && tls.username !== 'none';
}

function httpWarnings({ enabled, host, tls }: Settings['http']): string[] {
  if (!enabled || isLoopbackHost(host) || tls.certificate !== undefined) return [];
  return [`HTTP on ${host} has no TLS: who can listen on the way reads the token of the administration`];
}
