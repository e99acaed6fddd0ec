import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Configuration, loadConfiguration } from '../../../src/cli/config-loader.js';
import { ConfigurationError } from '../../../src/cli/configuration-error.js';
import { tlsOptions, tlsSummary } from '../../../src/cli/tls-settings.js';
import { createTemporaryDirectory } from '../../support/temporary-directory.js';
import { TestAuthority } from '../../support/test-authority.js';

const authority = TestAuthority.ofFile();
const server = authority.issueServer('server');
const other = authority.issueServer('other');

async function load(text: string, environment: Record<string, string> = {}): Promise<Configuration> {
  const file = join(await createTemporaryDirectory(), 'millrace.yaml');
  writeFileSync(file, text);
  return loadConfiguration({ file, environment, flags: new Map() });
}

/** The problems, without the directory of the file. */
async function problemsOf(text: string): Promise<string[]> {
  try {
    await load(text);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.message.split('\n').map((line) => line.replace(/\S*millrace\.yaml/, 'millrace.yaml'));
  }
}

const pair = `certificate: ${server.certificate}, key: ${server.key}`;

describe('tls of a listener', () => {
  it('is off unless it has a certificate', async () => {
    const { settings } = await load('');
    expect(Object.keys(settings.listeners)).toEqual(['tcp', 'ws']);
    for (const { tls } of Object.values(settings.listeners)) expect(tlsOptions(tls)).toBeUndefined();
  });

  it('makes mqtts and wss of two files: their kinds and ports are known', async () => {
    const { settings } = await load(`listeners: { mqtts: { tls: { ${pair} } }, wss: { tls: { ${pair} } } }`);
    const { mqtts, wss } = settings.listeners;
    expect(mqtts).toMatchObject({ kind: 'tcp', port: 8883, host: '127.0.0.1', enabled: true });
    expect(wss).toMatchObject({ kind: 'ws', port: 8084, path: '/mqtt' });
    expect(mqtts && tlsOptions(mqtts.tls)).toMatchObject({
      certificates: [server],
      clientCertificate: 'none',
      minimumVersion: 'TLSv1.2',
      handshakeTimeoutMs: 20_000,
    });
  });

  it('can come from the environment', async () => {
    const { settings } = await load('', {
      MILLRACE__LISTENERS__MQTTS__TLS__CERTIFICATE: server.certificate,
      MILLRACE__LISTENERS__MQTTS__TLS__KEY: server.key,
    });
    expect(settings.listeners.mqtts).toMatchObject({ port: 8883, tls: { certificate: server.certificate } });
  });

  it('takes what a listener for devices needs', async () => {
    const text = [
      'listeners:',
      '  mqtts:',
      '    tls:',
      `      certificate: ${server.certificate}`,
      `      key: ${server.key}`,
      `      moreCertificates: [{ certificate: ${other.certificate}, key: ${other.key} }]`,
      '      clientCertificate: require',
      `      ca: ${authority.certificate}`,
      `      crl: [${authority.revocationList()}]`,
      '      username: common-name',
      '      minVersion: TLSv1.3',
    ].join('\n');
    const { settings } = await load(text);
    expect(settings.listeners.mqtts && tlsOptions(settings.listeners.mqtts.tls)).toMatchObject({
      certificates: [server, other],
      clientCertificate: 'require',
      username: 'common-name',
      minimumVersion: 'TLSv1.3',
    });
  });
});

describe('what is wrong with tls', () => {
  it.each([
    ['listeners: { mqtts: {} }', 'listeners.mqtts needs tls.certificate and tls.key'],
    [`listeners: { tcp: { tls: { certificate: ${server.certificate} } } }`, 'listeners.tcp.tls.certificate needs key'],
    [`listeners: { tcp: { tls: { key: ${server.key} } } }`, 'listeners.tcp.tls.key needs certificate'],
    [
      `listeners: { tcp: { tls: { ${pair}, clientCertificate: require } } }`,
      'listeners.tcp.tls.clientCertificate needs ca',
    ],
    [`listeners: { tcp: { tls: { ${pair}, username: dns } } }`, 'listeners.tcp.tls.username has no effect'],
    ['http: { tls: { clientCertificate: require } }', 'http.tls.clientCertificate has no effect'],
  ])('is told: %s', async (text, message) => {
    expect(await problemsOf(text)).toEqual([expect.stringContaining(`: ${message}`)]);
  });

  it('is told of the files, with the place of the setting', async () => {
    const text = [
      'listeners:',
      '  mqtts:',
      '    tls:',
      `      certificate: ${server.certificate}`,
      `      key: ${other.key}`,
      'http:',
      '  tls:',
      '    certificate: /nowhere/tls.crt',
      `    key: ${server.certificate}`,
    ].join('\n');
    expect(await problemsOf(text)).toEqual([
      `millrace.yaml:5:12: listeners.mqtts.tls.key: ${other.key}: this is not the key of the certificate in ${server.certificate} (localhost)`,
      'millrace.yaml:8:18: http.tls.certificate: /nowhere/tls.crt: there is no such file',
      `millrace.yaml:9:10: http.tls.key: ${server.certificate}: there is no private key in it, as PEM (BEGIN PRIVATE KEY)`,
    ]);
  });

  it('is told of further certificates, by their place in the list', async () => {
    const more = `moreCertificates: [{ certificate: ${server.certificate}, key: /nowhere/tls.key }]`;
    const [problem] = await problemsOf(`listeners: { mqtts: { tls: { ${pair}, ${more} } } }`);
    expect(problem).toContain('listeners.mqtts.tls.moreCertificates[0].key: /nowhere/tls.key: there is no such file');
  });

  it('does not matter on a listener that is switched off', async () => {
    expect(
      await problemsOf('listeners: { mqtts: { enabled: false, tls: { certificate: /nowhere, key: /nowhere } } }'),
    ).toEqual([]);
  });
});

describe('the summary of a check', () => {
  it('says for whom certificates are, and how long they last', async () => {
    const expired = authority.issueServer('expired', { days: -1, alternativeNames: 'DNS:old.example.com' });
    const directory = await createTemporaryDirectory();
    const moved = { certificate: join(directory, 'a.crt'), key: join(directory, 'a.key') };
    copyFileSync(expired.certificate, moved.certificate);
    copyFileSync(expired.key, moved.key);
    const more = `moreCertificates: [{ certificate: ${moved.certificate}, key: ${moved.key} }]`;
    const { settings } = await load(`listeners: { mqtts: { tls: { ${pair}, ${more} } } }`);
    const { mqtts } = settings.listeners;
    expect(mqtts && tlsSummary(mqtts.tls, Date.now())).toMatch(
      /^, TLS: localhost \(36\d\d days left\), old\.example\.com \(the certificate has expired: .*\)$/,
    );
  });
});
