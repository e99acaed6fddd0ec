/** What a broker does about guessed passwords, banned clients, clients that come and go, and two with one client id. */
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { Authenticator } from '../../src/auth/authenticator.js';
import { identityOf } from '../../src/auth/identity.js';
import type { DefenceOptions } from '../../src/broker/defence/defence-options.js';
import { ListenerBroker } from '../support/listener-broker.js';
import type { RawClient } from '../support/raw-client.js';

const SECRET = Buffer.from('secret');
const BANNED = 0x8a;
const ADMINISTRATIVE_ACTION = 0x98;
const QUOTA_EXCEEDED = 0x97;
const RATE_EXCEEDED = 0x9f;
const BAD_PASSWORD = 0x86;

/** Everybody's password is the same. */
class Passwords implements Authenticator {
  asked = 0;

  authenticate({ username, password }: Parameters<Authenticator['authenticate']>[0]) {
    this.asked++;
    if (password?.equals(SECRET) === true) return { allowed: true as const, identity: identityOf(username ?? null) };
    return { allowed: false as const, why: 'unidentified' as const, message: 'wrong password' };
  }
}

interface World {
  readonly test: ListenerBroker;
  readonly passwords: Passwords;
  /** @returns the code of CONNACK */
  login(
    username: string,
    password: string,
    fields?: { address?: string; version?: 4 | 5; id?: string },
  ): Promise<number>;
  connect(clientId: string, address?: string, username?: string): Promise<{ client: RawClient; code: number }>;
}

async function world(defence: Partial<DefenceOptions> = {}): Promise<World> {
  const passwords = new Passwords();
  const test = await ListenerBroker.start({}, { authenticator: passwords, defence, audit: 'all' });
  const connect: World['connect'] = async (clientId, address, username = 'u') => {
    const client = await test.client(5, address);
    const connack = await client.connect({ clientId, username, password: SECRET });
    return { client, code: connack.reasonCode ?? -1 };
  };
  const login: World['login'] = async (username, password, { address, version = 5, id = 'c' } = {}) => {
    const client = await test.client(version, address);
    const connack = await client.connect({ clientId: id, username, password: Buffer.from(password) });
    client.destroy();
    return (version === 5 ? connack.reasonCode : connack.returnCode) ?? -1;
  };
  return { test, passwords, login, connect };
}

describe('who guesses a password', () => {
  it('has to wait after some failures, and is not even looked at meanwhile', async () => {
    const { test, passwords, login } = await world({ loginAttempts: 3, loginFirstWaitMs: 1000 });
    for (let i = 0; i < 3; i++) expect(await login('ann', 'wrong')).toBe(BAD_PASSWORD);
    expect(await login('ann', 'secret')).toBe(RATE_EXCEEDED);
    expect(await login('ann', 'secret', { version: 4 })).toBe(3);
    expect(passwords.asked).toBe(3);
    test.clock.advance(1000);
    expect(await login('ann', 'secret')).toBe(0);
    expect(test.lines.filter(({ msg }) => msg.startsWith('too many failed logins'))).toEqual([
      expect.objectContaining({ username: 'ann', remoteAddress: '127.0.0.1' }),
    ]);
  });

  it('does not lock out who has the password, at another address', async () => {
    const { login } = await world({ loginAttempts: 3, loginAttemptsPerUser: 5, loginUserDelayMs: 0 });
    for (let i = 0; i < 20; i++) await login('ann', 'wrong', { address: `127.0.1.${i + 1}` });
    for (let i = 0; i < 5; i++) await login('ann', 'wrong', { address: '127.0.2.1' });
    expect(await login('ann', 'secret', { address: '127.0.3.1' })).toBe(0);
  });

  it('is slowed for a user that many have failed for', async () => {
    const { test, passwords, login } = await world({ loginAttemptsPerUser: 2, loginUserDelayMs: 5000 });
    for (let i = 0; i < 2; i++) await login('ann', 'wrong');
    const answer = login('ann', 'secret');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(passwords.asked).toBe(2);
    test.clock.advance(5000);
    expect(await answer).toBe(0);
  });

  it('keeps the whole address waiting after trying many users', async () => {
    const { login } = await world({ loginAttemptsPerAddress: 4 });
    for (let i = 0; i < 4; i++) await login(`user ${i}`, 'wrong');
    expect(await login('ann', 'secret')).toBe(RATE_EXCEEDED);
    expect(await login('ann', 'secret', { address: '127.0.0.2' })).toBe(0);
  });

  it('leaves no password in any log', async () => {
    const { test, login } = await world();
    await login('ann', 'my-password-1');
    await login('ann', 'secret');
    const text = JSON.stringify(test.lines);
    expect(text).not.toContain('my-password-1');
    expect(text).not.toContain('secret');
    expect(test.lines).toContainEqual(
      expect.objectContaining({ audit: true, event: 'connection refused', username: 'ann', reasonCode: BAD_PASSWORD }),
    );
    expect(test.lines).toContainEqual(expect.objectContaining({ audit: true, event: 'connected', username: 'ann' }));
  });
});

describe('who is banned', () => {
  it.each([
    ['by client id', { kind: 'client', value: 'c' }],
    ['by user', { kind: 'user', value: 'u' }],
  ] as const)('%s is thrown out, and told so when it comes back', async (_what, entry) => {
    const { test, connect, login } = await world();
    const { client } = await connect('c');
    test.broker.bans.ban({ ...entry, reason: 'test' });
    await client.expectDisconnect(ADMINISTRATIVE_ACTION);
    expect((await connect('c')).code).toBe(BANNED);
    expect(await login('u', 'secret', { version: 4 })).toBe(5);
    test.broker.bans.unban(entry.kind, entry.value);
    expect((await connect('c')).code).toBe(0);
    expect(test.lines).toContainEqual(expect.objectContaining({ audit: true, event: 'banned', ...entry }));
  });

  it('by address is thrown out, and does not get as far as CONNECT', async () => {
    const { test, connect } = await world();
    const { client } = await connect('c', '127.0.0.7');
    const other = await connect('d', '127.0.1.7');
    test.broker.bans.ban({ kind: 'address', value: '127.0.0.0/24' });
    await client.expectDisconnect(ADMINISTRATIVE_ACTION);
    await once(await test.socket('127.0.0.8'), 'close');
    await other.client.barrier();
    expect(test.listener.refusals.get('address-banned')).toBe(1);
  });

  it('by configuration stays so', async () => {
    const { test, connect } = await world({ banned: [{ kind: 'client', value: 'c' }] });
    expect((await connect('c')).code).toBe(BANNED);
    expect(test.broker.bans.unban('client', 'c')).toBeNull();
    expect((await connect('d')).code).toBe(0);
  });
});

describe('who comes and goes', () => {
  it('is banned for a while, if that is wanted', async () => {
    const { test, connect } = await world({ flappingConnects: 3, flappingWindowMs: 60_000, flappingBanMs: 5000 });
    for (let i = 0; i < 3; i++) {
      const { client, code } = await connect('c');
      expect(code).toBe(0);
      await client.disconnect();
    }
    const { client } = await connect('c');
    await client.expectDisconnect(ADMINISTRATIVE_ACTION);
    expect((await connect('c')).code).toBe(BANNED);
    expect((await connect('d')).code).toBe(0);
    test.clock.advance(5000);
    expect((await connect('c')).code).toBe(0);
  });

  it('is left alone otherwise', async () => {
    const { connect } = await world();
    for (let i = 0; i < 50; i++) await (await connect('c')).client.disconnect();
    expect((await connect('c')).code).toBe(0);
  });
});

describe('two with one client id', () => {
  it('fight for a while, and then one is left alone', async () => {
    const { test, connect } = await world({ takeovers: 4, takeoverWindowMs: 60_000, takeoverPauseMs: 3000 });
    let last = await connect('c', '127.0.0.1');
    for (let i = 0; i < 4; i++) {
      last = await connect('c', `127.0.0.${2 - (i % 2)}`);
      expect(last.code).toBe(0);
    }
    for (let i = 0; i < 3; i++) expect((await connect('c', '127.0.0.2')).code).toBe(QUOTA_EXCEEDED);
    await last.client.barrier();
    expect(test.lines.filter(({ msg }) => msg.startsWith('two clients with one client id'))).toEqual([
      expect.objectContaining({ clientId: 'c', remoteAddress: '127.0.0.2', otherAddress: '127.0.0.1' }),
    ]);
    test.clock.advance(60_000);
    expect((await connect('c', '127.0.0.2')).code).toBe(0);
  });
});

describe('a user', () => {
  it('has as many connections as it may have', async () => {
    const { test, connect } = await world({ connectionsPerUser: 2 });
    const { client } = await connect('a');
    await connect('b');
    expect((await connect('c')).code).toBe(QUOTA_EXCEEDED);
    expect((await connect('c', undefined, 'other')).code).toBe(0);
    // Taking one's own place is no connection more.
    expect((await connect('b')).code).toBe(0);
    const gone = once(test.broker.events, 'clientDisconnected');
    client.destroy();
    await gone;
    expect((await connect('d')).code).toBe(0);
    expect((await connect('e')).code).toBe(QUOTA_EXCEEDED);
  });
});

describe('an overloaded broker', () => {
  it('refuses new clients, closes connections at once when it is worse, and serves those that it has', async () => {
    const load = { heap: 0.5, heapShare: () => load.heap, residentBytes: () => 0 };
    const test = await ListenerBroker.start({}, { load });
    const client = await test.client();
    await client.connect({ clientId: 'early' });
    load.heap = 0.94;
    test.clock.advance(1100);
    expect((await (await test.client(5)).connect({ clientId: 'late' })).reasonCode).toBe(0x89);
    expect((await (await test.client(4)).connect({ clientId: 'late' })).returnCode).toBe(3);
    load.heap = 0.99;
    test.clock.advance(1100);
    await once(await test.socket(), 'close');
    expect(test.listener.refusals.get('overloaded')).toBe(1);
    await client.barrier();
    load.heap = 0.5;
    test.clock.advance(7000);
    expect((await (await test.client(5)).connect({ clientId: 'late' })).reasonCode).toBe(0);
  });
});

describe('who does not get as far as to say who it is', () => {
  const auditOf = (test: ListenerBroker, event: string) => test.lines.filter((line) => line['event'] === event);
  const known = { audit: true, remoteAddress: '127.0.0.1', listener: 'test' };

  it.each([
    ['what is no CONNECT', Buffer.from('GET / HTTP/1.1\r\n\r\n'), /first packet is not CONNECT/],
    ['a malformed CONNECT of MQTT 3.1.1', Buffer.from('100c00044d5154540401003c0000', 'hex'), /./],
    ['a malformed CONNECT of MQTT 5', Buffer.from('100d00044d5154540501003c000000', 'hex'), /./],
    ['a protocol of another name', Buffer.from('100c00044d5154580402003c0000', 'hex'), /./],
    ['what would be too large', Buffer.from('10ffff7f00044d515454050200', 'hex'), /./],
    ['TLS where there is none', Buffer.from('1603010200', 'hex'), /unexpected-tls/],
  ])('is told of in the audit log: %s', async (_what, bytes, reason) => {
    const { test } = await world();
    const socket = await test.socket();
    socket.end(bytes);
    await once(socket.resume(), 'close');
    expect(auditOf(test, 'malformed connect')).toEqual([
      expect.objectContaining({ ...known, reason: expect.stringMatching(reason) }),
    ]);
    expect(auditOf(test, 'connection refused')).toEqual([]);
  });

  it('is told of when its time has run out', async () => {
    const { test } = await world();
    const silent = await test.socket();
    test.clock.advance(60_000);
    await once(silent.resume(), 'close');
    expect(auditOf(test, 'connect timeout')).toEqual([
      expect.objectContaining({ ...known, reason: 'no CONNECT has come in time' }),
    ]);
  });

  it('is no news if it only opens and closes, as health checks do', async () => {
    const { test } = await world();
    const probe = await test.socket();
    probe.end();
    await once(probe.resume(), 'close');
    expect(test.lines.filter(({ audit }) => audit === true)).toEqual([]);
  });

  it('does not fill the log', async () => {
    const { test } = await world();
    for (let i = 0; i < 150; i++) {
      const socket = await test.socket();
      socket.end('not MQTT');
      await once(socket.resume(), 'close');
    }
    expect(auditOf(test, 'malformed connect')).toHaveLength(100);
    test.clock.advance(1000);
    const socket = await test.socket();
    socket.end('not MQTT');
    await once(socket.resume(), 'close');
    expect(auditOf(test, 'malformed connect').at(-1)).toMatchObject({ keptBack: 50 });
  });
});
