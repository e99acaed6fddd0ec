/** TLS as the configuration says: what listeners get of it, which settings do not go together, and what is wrong with the files. */

import { expiryText } from '../transport/tls/served-certificates.js';
import { nameOf, readTlsFiles, type TlsOptionPath } from '../transport/tls/tls-material.js';
import type { TlsOptions } from '../transport/tls/tls-options.js';
import type { BrokenRule } from './broken-rule.js';
import type { Settings } from './config-schema.js';
import type { ConfigurationProblem } from './configuration-error.js';
import { type SettingPath, settingName } from './setting-path.js';
import type { TlsSettings } from './tls-schema.js';

const DAY_MS = 24 * 3600 * 1000;

/** @returns undefined if there is no TLS */
export function tlsOptions(tls: TlsSettings): TlsOptions | undefined {
  const { certificate, key, moreCertificates, clientCertificate, ca, crl, username, minVersion } = tls;
  if (certificate === undefined || key === undefined) return undefined;
  return {
    certificates: [{ certificate, key }, ...moreCertificates],
    clientCertificate,
    ca,
    crl,
    username: username === 'none' ? undefined : username,
    minimumVersion: minVersion,
    handshakeTimeoutMs: Math.round(tls.handshakeTimeout * 1000),
    maximumHandshakes: tls.maxHandshakes,
  };
}

/** Everything that listens and may speak TLS, with the way to its `tls`. */
function tlsSections({ listeners, http, sqs }: Settings): { readonly path: SettingPath; readonly tls: TlsSettings }[] {
  return [
    ...Object.entries(listeners)
      .filter(([, { enabled }]) => enabled)
      .map(([name, { tls }]) => ({ path: ['listeners', name, 'tls'], tls })),
    ...(http.enabled ? [{ path: ['http', 'tls'], tls: http.tls }] : []),
    ...(sqs.enabled ? [{ path: ['sqs', 'tls'], tls: sqs.tls }] : []),
  ];
}

/** What must hold between the settings of each `tls`. */
export function* soundTls(settings: Settings): Generator<BrokenRule> {
  for (const { path, tls } of tlsSections(settings)) {
    const rule = (message: string, ...keys: string[]): BrokenRule => ({
      paths: keys.map((key) => [...path, key]),
      message: `${settingName(path)}${message}`,
    });
    const { certificate, key, moreCertificates, clientCertificate, ca, crl, username = 'none' } = tls;
    if (certificate !== undefined && key === undefined) yield rule('.certificate needs key', 'certificate');
    if (certificate === undefined && key !== undefined) yield rule('.key needs certificate', 'key');
    if (certificate === undefined && moreCertificates.length > 0) {
      yield rule('.moreCertificates needs certificate: that for clients that ask for no name', 'moreCertificates');
    }
    if (certificate === undefined && clientCertificate !== 'none') {
      yield rule('.clientCertificate has no effect: without certificate there is no TLS', 'clientCertificate');
    } else if (ca === undefined && clientCertificate !== 'none') {
      yield rule('.clientCertificate needs ca: the authorities that vouch for clients', 'clientCertificate');
    }
    if (clientCertificate !== 'none') continue;
    if (ca !== undefined) yield rule('.ca has no effect while clientCertificate is none', 'ca');
    if (crl.length > 0) yield rule('.crl has no effect while clientCertificate is none', 'crl');
    if (username !== 'none') yield rule('.username has no effect while clientCertificate is none', 'username');
  }
}

/** What is wrong with the files. @param whereIs where a setting has its value from */
export function tlsFileProblems(settings: Settings, whereIs: (path: SettingPath) => string): ConfigurationProblem[] {
  return tlsSections(settings).flatMap(({ path, tls }) => {
    const options = tlsOptions(tls);
    if (options === undefined) return [];
    return readTlsFiles(options).problems.map(({ option, where, message }) => {
      const setting = [...path, ...settingOf(option)];
      return {
        where: whereIs(setting),
        path: settingName(setting),
        message: `${where}: ${message}`,
        suggestion: undefined,
      };
    });
  });
}

/** The first certificate has settings of its own, the others are a list. */
function settingOf(option: TlsOptionPath): SettingPath {
  const [list, index, key] = option;
  if (list !== 'certificates' || typeof index !== 'number' || key === undefined) return option;
  return index === 0 ? [key] : ['moreCertificates', index - 1, key];
}

/** For a summary: the names of the certificates, and how long they last. @returns '' if there is no TLS */
export function tlsSummary(tls: TlsSettings, nowMs: number): string {
  const options = tlsOptions(tls);
  if (options === undefined) return '';
  const certificates = (readTlsFiles(options).material?.certificates ?? []).map((certificate) => {
    const days = Math.floor((certificate.validToMs - nowMs) / DAY_MS);
    const notice = expiryText(certificate, nowMs);
    return `${nameOf(certificate.leaf)} (${notice ?? `${days} days left`})`;
  });
  const clients = tls.clientCertificate === 'none' ? '' : `, clients: ${tls.clientCertificate}`;
  return `, TLS: ${certificates.join(', ')}${clients}`;
}
