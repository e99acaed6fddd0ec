/** Connections end with the certificates by which they were let in. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { createTemporaryDirectory } from '../../support/temporary-directory.js';
import { type IssuedCertificate, TestAuthority } from '../../support/test-authority.js';
import { TlsBroker } from '../../support/tls-broker.js';

const NOT_AUTHORIZED = 0x87;
const DAY_MS = 24 * 3600 * 1000;

const servers = TestAuthority.ofFile('servers');
const server = servers.issueServer('server');

function as({ certificate, key }: IssuedCertificate): ConnectionOptions {
  return { ca: servers.pem, cert: readFileSync(certificate), key: readFileSync(key) };
}

async function ownAuthority(name: string): Promise<TestAuthority> {
  return new TestAuthority(join(await createTemporaryDirectory(), 'ca'), name);
}

interface World {
  readonly test: TlsBroker;
  /** Files that the listener reads. */
  readonly ca: string;
  readonly crl: string;
  connect(clientId: string, certificate: IssuedCertificate): ReturnType<TlsBroker['open']>;
}

async function world(
  authorities: readonly TestAuthority[],
  kind: 'tcp' | 'ws' = 'tcp',
  hasLists = true,
): Promise<World> {
  const directory = await createTemporaryDirectory();
  const [ca, crl] = [join(directory, 'ca.pem'), join(directory, 'crl.pem')];
  writeFileSync(ca, authorities.map(({ pem }) => pem).join(''));
  if (hasLists) writeLists(crl, authorities);
  const lists = hasLists ? { crl: [crl] } : {};
  const test = await TlsBroker.start(
    { certificates: [server], clientCertificate: 'require', username: 'common-name', ca, ...lists },
    { kind },
  );
  const connect: World['connect'] = async (clientId, certificate) => {
    const client = await test.open(as(certificate));
    const will = { topic: 'wills', payload: Buffer.from(clientId), qos: 0 as const, retain: false };
    expect((await client.connect({ clientId, will })).reasonCode).toBe(0);
    return client;
  };
  return { test, ca, crl, connect };
}

function writeLists(file: string, authorities: readonly TestAuthority[]): void {
  writeFileSync(file, authorities.map((authority) => readFileSync(authority.revocationList(), 'utf8')).join(''));
}

describe('a connection by a certificate', () => {
  it('ends when that expires, with its will', async () => {
    const authority = await ownAuthority('devices');
    const { test, connect } = await world([authority], 'tcp', false);
    const wills: string[] = [];
    test.broker.subscribe('wills', ({ payload }) => void wills.push(payload.toString()));
    const short = await connect('short', authority.issue('short', { days: 1 }));
    const long = await connect('long', authority.issue('long', { days: 3 }));
    test.clock.advance(DAY_MS + 60_000);
    await short.expectDisconnect(NOT_AUTHORIZED);
    await long.barrier();
    expect(wills).toEqual(['short']);
    expect(test.broker.metrics.closesOf('credentials-expired')).toBe(1);
  });

  it('ends when that is revoked, and no other one does', async () => {
    const authority = await ownAuthority('devices');
    const other = await ownAuthority('others');
    const { test, connect, crl } = await world([authority, other]);
    const stolen = authority.issue('stolen');
    const [lost, kept] = [await connect('lost', stolen), await connect('kept', authority.issue('kept'))];
    // It has the number of the one that is stolen.
    const namesake = await connect('namesake', other.issue('namesake'));
    writeLists(crl, [authority, other]);
    expect(test.door.reload()).toBe(true);
    for (const client of [lost, kept, namesake]) await client.barrier();
    authority.revoke(stolen);
    writeLists(crl, [authority, other]);
    expect(test.door.reload()).toBe(true);
    await lost.expectDisconnect(NOT_AUTHORIZED);
    await kept.barrier();
    await namesake.barrier();
    expect(test.broker.metrics.closesOf('credentials-withdrawn')).toBe(1);
    expect(await test.logged('by certificates that are withdrawn have been ended')).toMatchObject({ connections: 1 });
  });

  it('ends when its authority is gone, and stays when one is added', async () => {
    const [old, next] = [await ownAuthority('old'), await ownAuthority('next')];
    const { test, connect, ca } = await world([old], 'tcp', false);
    const before = await connect('before', old.issue('before'));
    writeFileSync(ca, old.pem + next.pem);
    test.door.reload();
    const after = await connect('after', next.issue('after'));
    await before.barrier();
    copyFileSync(next.certificate, ca);
    test.door.reload();
    await before.expectDisconnect(NOT_AUTHORIZED);
    await after.barrier();
  });

  it('ends when an authority between is revoked, or the one above that is gone', async () => {
    const root = await ownAuthority('root');
    const [first, second] = [await root.authorityBelow('first'), await root.authorityBelow('second')];
    const stranger = await ownAuthority('stranger');
    const { test, connect, ca, crl } = await world([root]);
    writeLists(crl, [root, first, second]);
    test.door.reload();
    const one = await connect('one', first.issue('one', { isChained: true }));
    const two = await connect('two', second.issue('two', { isChained: true }));
    writeFileSync(ca, root.pem + stranger.pem);
    test.door.reload();
    await Promise.all([one.barrier(), two.barrier()]);
    writeFileSync(ca, root.pem);
    test.door.reload();
    await Promise.all([one.barrier(), two.barrier()]);
    root.revoke({ certificate: first.certificate, key: '' });
    writeLists(crl, [root, first, second]);
    test.door.reload();
    await one.expectDisconnect(NOT_AUTHORIZED);
    await two.barrier();
    writeFileSync(ca, stranger.pem);
    test.door.reload();
    await two.expectDisconnect(NOT_AUTHORIZED);
  });

  it('is not begun by one that is revoked between the handshake and CONNECT', async () => {
    const authority = await ownAuthority('devices');
    const { test, crl } = await world([authority]);
    const stolen = authority.issue('stolen');
    const client = await test.open(as(stolen));
    await test.passUntil('the handshake', () => test.door.figures.completed === 1);
    authority.revoke(stolen);
    writeLists(crl, [authority]);
    test.door.reload();
    expect((await client.connect({ clientId: 'c' })).reasonCode).toBe(NOT_AUTHORIZED);
  });
});
