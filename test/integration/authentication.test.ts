/** Clients that show who they are, over real sockets: what they are told, and when they have to go. */
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { AuthenticationChain } from '../../src/auth/authentication-chain.js';
import { CheckLane } from '../../src/auth/check-lane.js';
import type { CredentialJudge, Verdict } from '../../src/auth/credential-judge.js';
import { identityOf } from '../../src/auth/identity.js';
import { hashByPbkdf2, InvalidHash, parsePasswordHash } from '../../src/auth/password-hash.js';
import { PasswordJudge } from '../../src/auth/password-judge.js';
import { SCRAM_SHA_256, SCRAM_SHA_512 } from '../../src/auth/scram-mechanism.js';
import { ScramMethod } from '../../src/auth/scram-method.js';
import { TokenJudge } from '../../src/auth/token-judge.js';
import { TokenMethod } from '../../src/auth/token-method.js';
import { ManualClock } from '../support/manual-clock.js';
import type { ConnectFields, RawClient } from '../support/raw-client.js';
import { ScramClient, scramUsers } from '../support/scram-client.js';
import { TestBroker, type TestBrokerOptions } from '../support/test-broker.js';
import { issue, verifying } from '../support/token-world.js';

async function passwordJudge(clock: ManualClock, passwords: Record<string, string>, iterations = 1) {
  const users = new Map(
    await Promise.all(
      Object.entries(passwords).map(async ([user, password]) => {
        const hash = parsePasswordHash(await hashByPbkdf2(password, iterations));
        if (hash instanceof InvalidHash) throw new TypeError(hash.message);
        return [user, hash] as const;
      }),
    ),
  );
  const lane = new CheckLane({ concurrency: 2, maximumWaiting: 100, maximumWaitMs: 8000 }, clock);
  return new PasswordJudge(users, lane, clock, { rememberMs: 1000, maximumRemembered: 10, isLast: true });
}

async function startWith(
  judges: readonly CredentialJudge[],
  options: TestBrokerOptions & { readonly anonymous?: boolean } = {},
) {
  const { anonymous, ...rest } = options;
  return await TestBroker.start({ authenticator: new AuthenticationChain(anonymous, { judges }), ...rest });
}

async function codeOf(test: TestBroker, version: 4 | 5, fields: ConnectFields): Promise<number | undefined> {
  const client = await test.open(version);
  const { reasonCode, returnCode } = await client.connect(fields);
  return version === 5 ? reasonCode : returnCode;
}

describe('a password file', () => {
  it.each<[string, ConnectFields, 4 | 5, number]>([
    ['the right password', { username: 'alice', password: Buffer.from('a') }, 5, 0],
    ['the right password', { username: 'alice', password: Buffer.from('a') }, 4, 0],
    ['another password', { username: 'alice', password: Buffer.from('b') }, 5, 0x86],
    ['another password', { username: 'alice', password: Buffer.from('b') }, 4, 4],
    ['an unknown user', { username: '__proto__', password: Buffer.from('a') }, 5, 0x86],
    ['no password', { username: 'alice' }, 5, 0x86],
    ['an empty password', { username: 'alice', password: Buffer.alloc(0) }, 5, 0x86],
    ['nothing', {}, 5, 0x87],
    ['nothing', {}, 4, 5],
  ])('answers %s as it deserves: %j in version %i', async (_, fields, version, code) => {
    const clock = new ManualClock();
    const test = await startWith([await passwordJudge(clock, { alice: 'a' })], { clock });
    expect(await codeOf(test, version, fields)).toBe(code);
    expect(test.broker.sessionCount).toBe(code === 0 ? 1 : 0);
  });

  it('lets clients without a name in where the operator has said so, and no others', async () => {
    const clock = new ManualClock();
    const test = await startWith([await passwordJudge(clock, { alice: 'a' })], { clock, anonymous: true });
    expect(await codeOf(test, 5, {})).toBe(0);
    expect(await codeOf(test, 5, { username: 'bob', password: Buffer.from('b') })).toBe(0x86);
  });

  it('tells a client that too many are being checked', async () => {
    const busy: Verdict = { allowed: false, why: 'busy', message: 'too many' };
    const test = await startWith([{ name: 'x', judge: () => Promise.resolve(busy) }]);
    expect(await codeOf(test, 5, { username: 'a' })).toBe(0x89);
    expect(await codeOf(test, 4, { username: 'a' })).toBe(3);
  });

  it('has what comes behind CONNECT wait for the check', async () => {
    const clock = new ManualClock();
    const test = await startWith([await passwordJudge(clock, { alice: 'a' }, 20_000)], { clock });
    const client = await test.open(5);
    client.sendTogether([
      {
        cmd: 'connect',
        protocolId: 'MQTT',
        protocolVersion: 5,
        clientId: 'c',
        clean: true,
        keepalive: 0,
        username: 'alice',
        password: Buffer.from('a'),
      },
      { cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 't', qos: 1 }] },
      { cmd: 'publish', topic: 't', payload: 'x', qos: 1, messageId: 2, dup: false, retain: false },
    ]);
    expect((await client.expectPacket('connack')).reasonCode).toBe(0);
    expect((await client.expectPacket('suback')).granted).toEqual([1]);
    expect((await client.expectAny()).cmd).toMatch(/^pub/);
  });

  it('is not troubled by a client that goes while its password is checked', async () => {
    let answer: (verdict: Verdict) => void = () => {};
    const asked: (() => boolean)[] = [];
    const slow: CredentialJudge = {
      name: 'slow',
      judge: ({ isGone = () => false }) => {
        asked.push(isGone);
        return new Promise((resolve) => {
          answer = resolve;
        });
      },
    };
    const clock = new ManualClock();
    const test = await startWith([slow], { clock });
    const client = await test.open(5);
    client.sendConnect({ clientId: 'c', username: 'a' });
    await expect.poll(() => asked.length).toBe(1);
    expect(asked[0]?.()).toBe(false);
    client.destroy();
    // While it waits it is not read: it is the connect timeout that ends it.
    clock.advance(10_100);
    expect(asked[0]?.()).toBe(true);
    answer({ allowed: true, identity: identityOf('a') });
    await new Promise((resolve) => setImmediate(resolve));
    expect(test.broker.sessionCount).toBe(0);
    expect(test.broker.connectionCount).toBe(0);
  });

  it('has connections end whose user is gone, with their wills, and leaves the others', async () => {
    const clock = new ManualClock();
    const judge = await passwordJudge(clock, { alice: 'a', bob: 'b' });
    const test = await startWith([judge], { clock });
    const watcher = await test.connect('watcher', { username: 'bob', password: Buffer.from('b') });
    await watcher.subscribe('wills');
    const will = { topic: 'wills', payload: Buffer.from('gone'), qos: 0 as const, retain: false };
    const five = await test.connect('five', { username: 'alice', password: Buffer.from('a'), will });
    const four = await test.connect('four', { version: 4, username: 'alice', password: Buffer.from('a'), will });
    judge.replaceUsers(new Map([...(await usersOf({ bob: 'other' }))]));
    expect(await test.broker.endWithdrawn()).toBe(3);
    await five.expectDisconnect(0x87);
    await four.expectDisconnect(0x87);
    expect(test.broker.metrics.closesOf('credentials-withdrawn')).toBe(3);
  });
});

async function usersOf(passwords: Record<string, string>) {
  const hash = parsePasswordHash(await hashByPbkdf2(Object.values(passwords)[0] ?? '', 1));
  if (hash instanceof InvalidHash) throw new TypeError(hash.message);
  return new Map(Object.keys(passwords).map((user) => [user, hash]));
}

async function startTokens(options: TestBrokerOptions = {}) {
  const clock = new ManualClock();
  const { verifier, lines } = verifying(clock);
  const test = await startWith([new TokenJudge(verifier)], {
    clock,
    authenticationMethods: [
      new TokenMethod(verifier),
      new ScramMethod(SCRAM_SHA_512, scramUsers({ alice: 'pencil' }, SCRAM_SHA_512)),
    ],
    ...options,
  });
  return { clock, test, verifier, lines };
}

const password = (token: string, username = 'alice'): ConnectFields => ({ username, password: Buffer.from(token) });

/** CONNECT of MQTT 5 with a password and no user name, which client libraries do not send. */
function passwordAlone(token: string): Buffer {
  const text = (value: string) =>
    Buffer.concat([Buffer.from([value.length >> 8, value.length & 0xff]), Buffer.from(value)]);
  const body = Buffer.concat([text('MQTT'), Buffer.from([5, 0x42, 0, 0, 0]), text('alone'), text(token)]);
  return Buffer.concat([Buffer.from([0x10, (body.length & 0x7f) | 0x80, body.length >> 7]), body]);
}

async function connectByMethod(
  test: TestBroker,
  clientId: string,
  token: string,
  fields: ConnectFields = {},
): Promise<RawClient> {
  return await test.connect(clientId, {
    ...fields,
    properties: { authenticationMethod: 'JWT', authenticationData: Buffer.from(token) },
  });
}

function sendAuth(client: RawClient, reasonCode: number, data: string): void {
  client.send({
    cmd: 'auth',
    reasonCode,
    properties: { authenticationMethod: 'JWT', authenticationData: Buffer.from(data) },
  });
}

describe('a token', () => {
  it('as password says who the client is, with user name and without', async () => {
    const { test, clock } = await startTokens();
    const told: (string | null)[] = [];
    test.broker.events.on('clientConnected', ({ username }) => told.push(username));
    const token = await issue(clock, { sub: 'alice' });
    const alone = await test.open(5);
    alone.sendBytes(passwordAlone(token));
    expect((await alone.expectPacket('connack')).reasonCode).toBe(0);
    await test.connect('b', { ...password(token), version: 4 });
    expect(told).toEqual(['alice', 'alice']);
    expect(await codeOf(test, 5, { ...password(token), username: 'bob' })).toBe(0x86);
    expect(await codeOf(test, 5, password(`${token}x`))).toBe(0x86);
    expect(await codeOf(test, 5, { username: 'alice', password: Buffer.from('no token') })).toBe(0x86);
  });

  it('that expires ends the connection with 0x87, and the will is sent', async () => {
    const { test, clock } = await startTokens();
    const watcher = await test.connect(
      'watcher',
      password(await issue(clock, { sub: 'w' }, { expiresInSeconds: 3600 }), 'w'),
    );
    await watcher.subscribe('wills');
    const will = { topic: 'wills', payload: Buffer.from('gone'), qos: 0 as const, retain: false };
    const token = await issue(clock, { sub: 'alice' });
    const [five, four] = [
      await test.connect('five', { ...password(token), will }),
      await test.connect('four', { ...password(token), version: 4, will }),
    ];
    clock.advance(59_000);
    await five.barrier();
    await four.barrier();
    clock.advance(1200);
    await five.expectDisconnect(0x87);
    await four.expectClosed();
    expect((await watcher.expectPackets('publish', 2)).map(({ topic }) => topic)).toEqual(['wills', 'wills']);
    expect(test.broker.metrics.closesOf('credentials-expired')).toBe(2);
    expect(await codeOf(test, 5, password(token))).toBe(0x86);
  });

  it('by the method JWT can be followed by a fresh one, and the connection lasts as long as that', async () => {
    const { test, clock } = await startTokens();
    const client = await connectByMethod(test, 'c', await issue(clock, { sub: 'alice' }));
    clock.advance(50_000);
    sendAuth(client, 0x19, await issue(clock, { sub: 'alice' }));
    client.send({ cmd: 'pingreq' });
    const answer = await client.expectPacket('auth');
    expect(answer.reasonCode).toBe(0);
    expect(answer.properties?.authenticationMethod).toBe('JWT');
    await client.expectPacket('pingresp');
    clock.advance(50_000);
    await client.barrier();
    clock.advance(10_200);
    await client.expectDisconnect(0x87);
  });

  it('by the method JWT is asked for if it does not come with CONNECT', async () => {
    const { test, clock } = await startTokens();
    const client = await test.open(5);
    client.sendConnect({ clientId: 'c', properties: { authenticationMethod: 'JWT' } });
    expect((await client.expectPacket('auth')).reasonCode).toBe(0x18);
    sendAuth(client, 0x18, await issue(clock, { sub: 'alice' }));
    expect((await client.expectPacket('connack')).reasonCode).toBe(0);
  });

  it.each<[string, (clock: ManualClock) => Promise<string>]>([
    ['of somebody else', (clock) => issue(clock, { sub: 'bob' })],
    ['that has expired', (clock) => issue(clock, { sub: 'alice' }, { expiresInSeconds: -1 })],
    ['that is none', async () => 'hello'],
  ])('%s ends a connection that shows it again', async (_, make) => {
    const { test, clock } = await startTokens();
    const client = await connectByMethod(test, 'c', await issue(clock, { sub: 'alice' }));
    sendAuth(client, 0x19, await make(clock));
    await client.expectDisconnect(0x87);
  });

  it('of 60 KB by the method JWT is too much for an exchange', async () => {
    const { test, clock } = await startTokens();
    const client = await test.open(5);
    const token = await issue(clock, { sub: 'alice', padding: 'x'.repeat(45_000) });
    client.sendConnect({
      clientId: 'c',
      properties: { authenticationMethod: 'JWT', authenticationData: Buffer.from(token) },
    });
    expect((await client.expectPacket('connack')).reasonCode).toBe(0x86);
    expect(await codeOf(test, 5, password(token))).toBe(0);
  });

  it('appears in no log, nor does a password', async () => {
    const lines: string[] = [];
    const logger = pino({ level: 'trace' }, { write: (line) => lines.push(line) });
    const clock = new ManualClock();
    const { verifier, lines: ofVerifier } = verifying(clock);
    const judges = [new TokenJudge(verifier), await passwordJudge(clock, { alice: 'correct-horse' })];
    const test = await startWith(judges, { clock, logger, authenticationMethods: [new TokenMethod(verifier)] });
    const good = await issue(clock, { sub: 'alice' });
    const bad = [
      await issue(clock, { sub: 'alice', roles: 7 }),
      `${good.slice(0, -4)}AAAA`,
      await issue(clock, {}, { expiresInSeconds: -9 }),
    ];
    for (const token of [good, ...bad]) await codeOf(test, 5, password(token));
    for (const text of ['correct-horse', 'wrong-battery'])
      await codeOf(test, 5, { username: 'alice', password: Buffer.from(text) });
    const client = await connectByMethod(test, 'm', good);
    sendAuth(client, 0x19, bad[0] ?? '');
    await client.expectDisconnect(0x87);
    const text = [...lines, ...ofVerifier].join('');
    expect(text).toContain('connection refused');
    expect(text).not.toMatch(/correct-horse|wrong-battery/);
    for (const token of [good, ...bad]) {
      for (const part of token.split('.')) expect(text).not.toContain(part);
    }
  });
});

describe('SCRAM-SHA-512', () => {
  it('lets in who knows the password', async () => {
    const { test } = await startTokens();
    const scram = new ScramClient('alice', 'pencil', 'rOprNGfwEbeRWgbNEkqO', 'n,,', SCRAM_SHA_512);
    const client = await test.open(5);
    client.sendConnect({
      clientId: 'c',
      properties: { authenticationMethod: 'SCRAM-SHA-512', authenticationData: scram.first },
    });
    const challenge = await client.expectPacket('auth');
    const data = scram.final(challenge.properties?.authenticationData);
    client.send({
      cmd: 'auth',
      reasonCode: 0x18,
      properties: { authenticationMethod: 'SCRAM-SHA-512', authenticationData: data },
    });
    const connack = await client.expectPacket('connack');
    expect(connack.properties?.authenticationData?.toString()).toBe(scram.expectedEnd);
  });

  it('fails for a user who is changed between challenge and answer', async () => {
    const method = new ScramMethod(SCRAM_SHA_256, scramUsers({ alice: 'pencil' }));
    const scram = new ScramClient('alice', 'pencil');
    const exchange = method.begin();
    const step = exchange.next(scram.first);
    const answer = scram.final(step.outcome === 'continue' ? step.data : undefined);
    expect(method.replaceUsers(scramUsers({ alice: 'crayon' }))).toBe(1);
    expect(exchange.next(answer)).toMatchObject({ outcome: 'failure', reason: expect.stringContaining('meanwhile') });
  });
});

describe('a method that answers later', () => {
  it('and fails to, refuses the client as unavailable, and ends a connection as busy', async () => {
    let calls = 0;
    const method = {
      name: 'late',
      begin: () => ({
        next: async () => {
          if (++calls > 1) throw new TypeError('broken');
          return { outcome: 'success' as const, data: undefined, identity: identityOf('a') };
        },
      }),
    };
    const test = await TestBroker.start({ authenticationMethods: [method] });
    const properties = { authenticationMethod: 'late', authenticationData: Buffer.from('x') };
    const client = await test.connect('a', { properties });
    const other = await test.open(5);
    expect((await other.connect({ clientId: 'b', properties })).reasonCode).toBe(0x88);
    client.send({ cmd: 'auth', reasonCode: 0x19, properties });
    await client.expectDisconnect(0x89);
  });
});
