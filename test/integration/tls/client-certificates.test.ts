import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { createTemporaryDirectory } from '../../support/temporary-directory.js';
import { type IssuedCertificate, type IssueOptions, TestAuthority } from '../../support/test-authority.js';
import { TlsBroker } from '../../support/tls-broker.js';

const authority = TestAuthority.ofFile();
const stranger = TestAuthority.ofFile('stranger');
const server = authority.issueServer('server');

function as({ certificate, key }: IssuedCertificate): ConnectionOptions {
  return { ca: authority.pem, cert: readFileSync(certificate), key: readFileSync(key) };
}

async function closed(socket: TLSSocket): Promise<void> {
  socket.on('error', () => {});
  socket.resume();
  // Not by once(): it would reject with the error that comes first.
  if (!socket.closed) await new Promise((resolve) => socket.on('close', resolve));
}

const required = { certificates: [server], ca: authority.certificate, clientCertificate: 'require' } as const;

describe('a listener that wants certificates of clients', () => {
  it('lets in who has one of its authority', async () => {
    const test = await TlsBroker.start(required);
    const client = await test.open(as(authority.issue('device')));
    expect((await client.connect({ clientId: 'c' })).reasonCode).toBe(0);
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('refuses who has none, by %s', async (version) => {
    const test = await TlsBroker.start(required);
    await closed(test.connect({ ca: authority.pem, maxVersion: version }));
    expect(await test.logged('the client has no certificate')).toMatchObject({ reason: 'certificate-missing' });
    expect(test.door.figures.failuresOf('certificate-missing')).toBe(1);
    expect(test.door.figures.completed).toBe(0);
  });

  it.each([
    ['of another authority', 'certificate-untrusted', () => stranger.issue('device')],
    ['that has expired', 'certificate-expired', () => authority.issue('device', { days: -1 })],
  ] as const)('refuses one %s', async (_what, reason, make) => {
    const test = await TlsBroker.start(required);
    await closed(test.connect(as(make())));
    expect(test.door.figures.failuresOf(reason)).toBe(1);
  });

  it('refuses one that has been revoked, and lets the others in', async () => {
    const own = new TestAuthority(join(await createTemporaryDirectory(), 'ca'));
    const good = own.issue('good');
    const bad = own.issue('bad');
    own.revoke(bad);
    const crl = [own.revocationList()];
    const test = await TlsBroker.start({ ...required, ca: own.certificate, crl });
    await test.secure(as(good));
    await closed(test.connect(as(bad)));
    expect(await test.logged('certificate-revoked')).toMatchObject({ reason: 'certificate-revoked' });
  });

  it('says so when the authority of a certificate has no revocation list', async () => {
    const lists = new TestAuthority(join(await createTemporaryDirectory(), 'ca'), 'other');
    const test = await TlsBroker.start({ ...required, crl: [lists.revocationList()] });
    await closed(test.connect(as(authority.issue('device'))));
    expect(test.door.figures.failuresOf('revocation-list-missing')).toBe(1);
  });

  it('refuses one that expires before its session is resumed', async () => {
    const test = await TlsBroker.start(required);
    const device = authority.issue('device', { days: 1 });
    const options = { ...as(device), maxVersion: 'TLSv1.2' } as const;
    const first = await test.secure(options);
    const session = first.getSession();
    test.clock.advance(25 * 3600 * 1000);
    await closed(test.connect({ ...options, session }));
    expect(test.door.figures.failuresOf('certificate-expired')).toBe(1);
  });
});

describe('a listener that asks for certificates of clients', () => {
  it('serves who has none, and refuses one that is not valid', async () => {
    const test = await TlsBroker.start({ ...required, clientCertificate: 'request' });
    const client = await test.open({ ca: authority.pem });
    expect((await client.connect({ clientId: 'c' })).reasonCode).toBe(0);
    await closed(test.connect(as(stranger.issue('device'))));
    expect(test.door.figures.failuresOf('certificate-untrusted')).toBe(1);
  });
});

describe('the user name from the certificate', () => {
  const usernames: [kind: 'common-name' | 'dns' | 'email' | 'uri', options: IssueOptions, username: string][] = [
    ['common-name', { subject: '/O=Example/CN=Gerät 7' }, 'Gerät 7'],
    ['dns', { alternativeNames: 'DNS:device-7.example.com,email:a@example.com' }, 'device-7.example.com'],
    ['email', { alternativeNames: 'DNS:device-7.example.com,email:a@example.com' }, 'a@example.com'],
    ['uri', { alternativeNames: 'URI:urn:device:7' }, 'urn:device:7'],
  ];

  it.each(usernames)('is its %s, whatever CONNECT says', async (username, options, expected) => {
    const test = await TlsBroker.start({ ...required, username });
    const connected = once(test.broker.events, 'clientConnected');
    const client = await test.open(as(authority.issue('device', options)));
    await client.connect({ clientId: 'c', username: 'somebody else' });
    expect(await connected).toEqual([expect.objectContaining({ username: expected })]);
  });

  it.each([
    ['is not there', 'uri', {}],
    ['is there twice', 'dns', { alternativeNames: 'DNS:one,DNS:two' }],
  ] as const)('is needed: one in which it %s is refused', async (_what, username, options) => {
    const test = await TlsBroker.start({ ...required, username });
    await closed(test.connect(as(authority.issue('device', options))));
    expect(test.door.figures.failuresOf('certificate-without-name')).toBe(1);
  });

  it('is for authentication what nobody else can have', async () => {
    const test = await TlsBroker.start({ ...required, username: 'common-name', clientCertificate: 'request' });
    const connected = once(test.broker.events, 'clientConnected');
    const client = await test.open({ ca: authority.pem });
    await client.connect({ clientId: 'c', username: 'said' });
    expect(await connected).toEqual([expect.objectContaining({ username: null })]);
  });
});

describe('the configuration of certificates of clients', () => {
  it('needs their authorities', async () => {
    const wrong = TlsBroker.start({ certificates: [server], clientCertificate: 'require' });
    await expect(wrong).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
  });

  it('names the file and the line of what cannot be read', async () => {
    const directory = await createTemporaryDirectory();
    const file = join(directory, 'ca.pem');
    writeFileSync(
      file,
      `${authority.pem}\n# the next one is cut\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`,
    );
    const line = authority.pem.split('\n').length + 2;
    await expect(TlsBroker.start({ ...required, ca: file })).rejects.toMatchObject({
      message: expect.stringContaining(`${file}:${line}: this certificate cannot be read`),
    });
  });
});
