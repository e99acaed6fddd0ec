import { once } from 'node:events';
import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { HANDSHAKE_FAILURES } from '../../../src/transport/tls/handshake-failure.js';
import type { TlsOptions } from '../../../src/transport/tls/tls-options.js';
import { createTemporaryDirectory } from '../../support/temporary-directory.js';
import { type IssuedCertificate, TestAuthority } from '../../support/test-authority.js';
import { TlsBroker } from '../../support/tls-broker.js';

const authority = TestAuthority.ofFile();
const first = authority.issueServer('first');
const second = authority.issueServer('second');

/** A directory as certbot keeps it: files that are replaced by renaming. */
async function directoryWith(pair: IssuedCertificate): Promise<string> {
  const directory = await createTemporaryDirectory();
  copyPair(pair, directory);
  return directory;
}

function copyPair({ certificate, key }: IssuedCertificate, directory: string): void {
  copyFileSync(certificate, join(directory, 'tls.crt'));
  copyFileSync(key, join(directory, 'tls.key'));
}

function replace(file: string, by: string): void {
  copyFileSync(by, `${file}.new`);
  renameSync(`${file}.new`, file);
}

function filesIn(directory: string): TlsOptions {
  return { certificates: [{ certificate: join(directory, 'tls.crt'), key: join(directory, 'tls.key') }] };
}

function servedName(test: TlsBroker): Promise<string> {
  return test.secure({ ca: authority.pem }).then((socket) => {
    const { CN } = socket.getPeerCertificate().subject;
    socket.destroy();
    return String(CN);
  });
}

/** Files are watched by the operating system: it says when it wants to. */
async function reloaded(test: TlsBroker, times = 1): Promise<void> {
  await test.passUntil(`reload ${times}`, () => test.door.figures.reloads === times);
}

describe('new files', () => {
  it('put in place by renaming serve new connections; those that are open stay', async () => {
    const directory = await directoryWith(first);
    const test = await TlsBroker.start(filesIn(directory));
    const client = await test.open({ ca: authority.pem });
    await client.connect({ clientId: 'stays' });
    replace(join(directory, 'tls.key'), second.key);
    replace(join(directory, 'tls.crt'), second.certificate);
    await reloaded(test);
    expect(await servedName(test)).toBe('second');
    await client.subscribe('t', 0);
  });

  it('are found when a link is turned, as Kubernetes does it', async () => {
    const directory = await createTemporaryDirectory();
    const turn = (name: string, pair: IssuedCertificate): void => {
      mkdirSync(join(directory, name));
      copyPair(pair, join(directory, name));
      symlinkSync(name, join(directory, '..data_tmp'));
      renameSync(join(directory, '..data_tmp'), join(directory, '..data'));
    };
    turn('..2026_01', first);
    for (const file of ['tls.crt', 'tls.key']) symlinkSync(join('..data', file), join(directory, file));
    const test = await TlsBroker.start(filesIn(directory));
    turn('..2026_02', second);
    rmSync(join(directory, '..2026_01'), { recursive: true });
    await reloaded(test);
    expect(await servedName(test)).toBe('second');
    turn('..2026_03', first);
    await reloaded(test, 2);
    expect(await servedName(test)).toBe('first');
  });

  it('are found when a link above their directory is turned', async () => {
    const root = await createTemporaryDirectory();
    for (const [name, pair] of [
      ['v1', first],
      ['v2', second],
    ] as const) {
      mkdirSync(join(root, name));
      copyPair(pair, join(root, name));
    }
    symlinkSync('v1', join(root, 'current'));
    const test = await TlsBroker.start(filesIn(join(root, 'current')));
    symlinkSync('v2', join(root, 'next'));
    renameSync(join(root, 'next'), join(root, 'current'));
    await reloaded(test);
    expect(await servedName(test)).toBe('second');
  });

  it('are read when asked to, too, and nothing happens if they are the same', async () => {
    const directory = await directoryWith(first);
    const test = await TlsBroker.start(filesIn(directory));
    expect(test.door.reload()).toBe(true);
    expect(test.door.figures.reloads).toBe(0);
    copyPair(second, directory);
    expect(test.door.reload()).toBe(true);
    expect(await servedName(test)).toBe('second');
  });

  it('that do not fit together are not used, which is said once; when they do, they are', async () => {
    const directory = await directoryWith(first);
    const test = await TlsBroker.start(filesIn(directory));
    replace(join(directory, 'tls.crt'), second.certificate);
    await test.passUntil('the refusal', () => test.door.figures.failedReloads === 1);
    for (let times = 0; times < 3; times++) test.clock.advance(60_000);
    const complaints = test.lines.filter(({ level }) => level === 50);
    expect(complaints).toHaveLength(1);
    expect(complaints[0]).toMatchObject({
      listener: 'tls',
      problems: [
        `${join(directory, 'tls.key')}: this is not the key of the certificate in ${join(directory, 'tls.crt')} (localhost)`,
      ],
    });
    expect(await servedName(test)).toBe('first');
    replace(join(directory, 'tls.key'), second.key);
    await reloaded(test);
    expect(await servedName(test)).toBe('second');
  });

  it('that are gone or empty leave those before in use', async () => {
    const directory = await directoryWith(first);
    const test = await TlsBroker.start(filesIn(directory));
    rmSync(join(directory, 'tls.crt'));
    await test.passUntil('the refusal', () => test.door.figures.failedReloads === 1);
    writeFileSync(join(directory, 'tls.crt'), '');
    await test.passUntil('the next', () => test.door.figures.failedReloads === 2);
    expect(await servedName(test)).toBe('first');
    expect(test.door.reload()).toBe(false);
  });

  it('are found without a word from the file system, within a minute', async () => {
    const directory = await directoryWith(first);
    const test = await TlsBroker.start(filesIn(join(directory, '.', 'tls', '..')));
    copyPair(second, directory);
    test.clock.advance(60_000);
    expect(test.door.figures.reloads).toBe(1);
  });
});

describe('sessions', () => {
  /** Connects, takes the ticket that it is given, and goes. */
  async function ticket(test: TlsBroker, options: ConnectionOptions): Promise<Buffer> {
    const socket = test.connect(options);
    const [session] = await once(socket, 'session');
    socket.destroy();
    return session as Buffer;
  }

  const resume = (test: TlsBroker, options: ConnectionOptions, session: Buffer): Promise<TLSSocket> =>
    test.secure({ ...options, session });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'are resumed by %s, also after the certificate has been renewed',
    async (maxVersion) => {
      const directory = await directoryWith(first);
      const test = await TlsBroker.start(filesIn(directory));
      const options = { ca: authority.pem, maxVersion };
      const session = await ticket(test, options);
      expect((await resume(test, options, session)).isSessionReused()).toBe(true);
      copyPair(second, directory);
      expect(test.door.reload()).toBe(true);
      const again = await ticket(test, options).then((fresh) => fresh.length);
      expect(again).toBeGreaterThan(0);
      expect((await resume(test, options, session)).isSessionReused()).toBe(true);
      await test.passUntil('the count', () => test.door.figures.resumed === 2, 0);
    },
  );

  it('are resumed under each name of several certificates, also after a renewal', async () => {
    const directory = await directoryWith(first);
    const named = authority.issue('named', { alternativeNames: 'DNS:named.example.com' });
    const { certificates } = filesIn(directory);
    const test = await TlsBroker.start({ certificates: [...certificates, named] });
    const options = { ca: authority.pem, servername: 'named.example.com' };
    const session = await ticket(test, options);
    copyPair(second, directory);
    expect(test.door.reload()).toBe(true);
    expect((await resume(test, options, session)).isSessionReused()).toBe(true);
  });

  it('are not resumed by a client that has been revoked meanwhile', async () => {
    const own = new TestAuthority(join(await createTemporaryDirectory(), 'ca'));
    const device = own.issue('device');
    const crl = [own.revocationList()];
    const test = await TlsBroker.start({
      certificates: [first],
      ca: own.certificate,
      clientCertificate: 'require',
      crl,
    });
    const options = {
      ca: authority.pem,
      cert: readFileSync(device.certificate),
      key: readFileSync(device.key),
      maxVersion: 'TLSv1.2',
    } as const;
    const session = await ticket(test, options);
    expect((await resume(test, options, session)).isSessionReused()).toBe(true);
    own.revoke(device);
    own.revocationList();
    expect(test.door.reload()).toBe(true);
    const refused = test.connect({ ...options, session });
    refused.on('error', () => {});
    await new Promise((resolve) => refused.on('close', resolve));
    expect(test.door.figures.failuresOf('certificate-revoked')).toBe(1);
  });
});

describe('a certificate that expires', () => {
  it('is told of at the start and once a day, and counted down', async () => {
    const soon = authority.issueServer('soon', { days: 10 });
    const test = await TlsBroker.start({ certificates: [soon] });
    expect(test.door.daysUntilExpiry).toBe(9);
    expect(test.lines.filter(({ msg }) => msg === 'the certificate expires soon')).toHaveLength(1);
    test.clock.advance(24 * 3600 * 1000);
    expect(test.lines.filter(({ msg }) => msg === 'the certificate expires soon')).toHaveLength(2);
    test.clock.advance(10 * 24 * 3600 * 1000);
    expect(test.door.daysUntilExpiry).toBeLessThan(0);
    expect(test.lines.at(-1)?.msg).toContain('the certificate has expired');
  });

  it('has expired, and is served all the same', async () => {
    const expired = authority.issueServer('expired', { days: -1 });
    const test = await TlsBroker.start({ certificates: [expired] });
    expect(test.lines).toEqual([expect.objectContaining({ level: 40, file: expired.certificate })]);
    await test.secure({ rejectUnauthorized: false });
  });
});

describe('$SYS', () => {
  it('tells of TLS by listener', async () => {
    const test = await TlsBroker.start({ certificates: [first] }, { limits: { sysIntervalSeconds: 10 } });
    const client = await test.open({ ca: authority.pem });
    await client.connect({ clientId: 'c' });
    test.clock.advance(10_200);
    await client.subscribe('$SYS/broker/tls/tls/#', 0);
    const seen = new Map<string, string>();
    for (const { topic, payload } of await client.expectPackets('publish', HANDSHAKE_FAILURES.length + 6)) {
      seen.set(topic.replace('$SYS/broker/tls/tls/', ''), payload.toString());
    }
    expect(seen.get('handshakes/completed')).toBe('1');
    expect(Number(seen.get('days until expiry'))).toBeGreaterThan(3000);
    expect(seen.get('handshakes/failed/not-tls')).toBe('0');
  });
});
