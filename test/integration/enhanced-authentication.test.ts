/** AUTH exchanges over real sockets (section 4.12), with SCRAM-SHA-256. */

import { connect as connectMqttJs } from 'mqtt';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { AuthenticationMethod, ExchangeStep } from '../../src/auth/authentication-method.js';
import { identityOf } from '../../src/auth/identity.js';
import { SCRAM_SHA_256 } from '../../src/auth/scram-mechanism.js';
import { ScramMethod } from '../../src/auth/scram-method.js';
import type { ConnectFields, PacketOf, RawClient } from '../support/raw-client.js';
import { ScramClient, scramUsers } from '../support/scram-client.js';
import { TestBroker, type TestBrokerOptions } from '../support/test-broker.js';

const METHOD = 'SCRAM-SHA-256';
const USERS = { alice: 'pencil', bob: 'crayon' };

/** Asks for more for ever. */
const endless: AuthenticationMethod = {
  name: 'endless',
  begin: () => ({ next: (): ExchangeStep => ({ outcome: 'continue', data: undefined }) }),
};

const oneStep: AuthenticationMethod = {
  name: 'one step',
  begin: () => ({
    next: (data): ExchangeStep => ({ outcome: 'success', data: undefined, identity: identityOf(String(data)) }),
  }),
};

function start(options: TestBrokerOptions = {}): Promise<TestBroker> {
  const authenticationMethods = [new ScramMethod(SCRAM_SHA_256, scramUsers(USERS)), endless, oneStep];
  return TestBroker.start({ authenticationMethods, ...options });
}

function sendConnect(client: RawClient, clientId: string, data: Buffer | undefined, fields: ConnectFields = {}): void {
  const { properties, ...rest } = fields;
  const authentication = { authenticationMethod: METHOD, ...(data === undefined ? {} : { authenticationData: data }) };
  client.sendConnect({ clientId, ...rest, properties: { ...authentication, ...properties } });
}

function sendAuth(client: RawClient, reasonCode: number, data: Buffer | undefined, method = METHOD): void {
  const properties = { authenticationMethod: method, ...(data === undefined ? {} : { authenticationData: data }) };
  client.send({ cmd: 'auth', reasonCode, properties });
}

async function expectChallenge(client: RawClient): Promise<Buffer | undefined> {
  const auth = await client.expectPacket('auth');
  expect(auth.reasonCode).toBe(0x18);
  expect(auth.properties?.authenticationMethod).toBe(METHOD);
  return auth.properties?.authenticationData;
}

/** The whole exchange, up to the answer to CONNECT. */
async function authenticate(
  client: RawClient,
  clientId: string,
  scram: ScramClient,
  fields: ConnectFields = {},
): Promise<PacketOf<'connack'>> {
  sendConnect(client, clientId, scram.first, fields);
  sendAuth(client, 0x18, scram.final(await expectChallenge(client)));
  return await client.expectPacket('connack');
}

async function connectAs(test: TestBroker, user: keyof typeof USERS, clientId: string, fields: ConnectFields = {}) {
  const client = await test.open(5);
  const scram = new ScramClient(user, USERS[user]);
  const connack = await authenticate(client, clientId, scram, fields);
  expect(connack.reasonCode).toBe(0);
  return { client, connack, scram };
}

describe('CONNECT with SCRAM-SHA-256', () => {
  it('ends with a CONNACK that has the method and the proof of the server [MQTT-4.12.0-5]', async () => {
    const test = await start();
    const told: (string | null)[] = [];
    test.broker.events.on('clientConnected', ({ username }) => told.push(username));
    const { client, connack, scram } = await connectAs(test, 'alice', 'a', { username: 'somebody else' });
    expect(connack.properties?.authenticationMethod).toBe(METHOD);
    expect(connack.properties?.authenticationData?.toString()).toBe(scram.expectedEnd);
    expect(told).toEqual(['alice']);
    expect((await client.subscribe('t', 1)).granted).toEqual([1]);
  });

  it('may begin without data: the client is asked for it', async () => {
    const test = await start();
    const client = await test.open(5);
    sendConnect(client, 'a', undefined);
    expect(await expectChallenge(client)).toBeUndefined();
    const scram = new ScramClient('alice', 'pencil');
    sendAuth(client, 0x18, scram.first);
    sendAuth(client, 0x18, scram.final(await expectChallenge(client)));
    expect((await client.expectPacket('connack')).reasonCode).toBe(0);
  });

  it('lets a method succeed at once', async () => {
    const test = await start();
    const client = await test.open(5);
    const properties = { authenticationMethod: 'one step', authenticationData: Buffer.from('carol') };
    client.sendConnect({ clientId: 'a', properties });
    const connack = await client.expectPacket('connack');
    expect(connack.properties).toMatchObject({ authenticationMethod: 'one step' });
    expect(connack.properties?.authenticationData).toBeUndefined();
  });

  it.each([
    ['a wrong password', 'alice', 'pen'],
    ['an unknown user', 'nobody', 'pencil'],
  ])('is refused with 0x86 for %s, and the client cannot tell which it was', async (_, user, password) => {
    const test = await start();
    const client = await test.open(5);
    const connack = await authenticate(client, 'a', new ScramClient(user, password));
    expect(connack.reasonCode).toBe(0x86);
    expect(connack.properties).toEqual({ reasonString: 'authentication failed' });
    await client.expectClosed();
    expect(test.broker.sessionCount).toBe(0);
  });

  it('is refused with 0x86 for a message that is none', async () => {
    const test = await start();
    const client = await test.open(5);
    sendConnect(client, 'a', Buffer.from('hello'));
    expect((await client.expectPacket('connack')).reasonCode).toBe(0x86);
    await client.expectClosed();
  });

  it.each(['SCRAM-SHA-1', 'scram-sha-256', ''])(
    'is refused with 0x8C by the name "%s" [MQTT-4.12.0-1]',
    async (name) => {
      const test = await start();
      const client = await test.open(5);
      const connack = await client.connect({ properties: { authenticationMethod: name } });
      expect(connack.reasonCode).toBe(0x8c);
      await client.expectClosed();
    },
  );

  it('does not need the rule for anonymous clients, which holds for all others', async () => {
    const authenticator = {
      authenticate: () => ({ allowed: false as const, why: 'forbidden' as const, message: 'no' }),
    };
    const test = await start({ authenticator });
    await connectAs(test, 'alice', 'a');
    const other = await test.open(5);
    expect((await other.connect({ clientId: 'b', username: 'alice' })).reasonCode).toBe(0x87);
  });
});

describe('during the exchange', () => {
  const begun = async (test: TestBroker) => {
    const client = await test.open(5);
    const scram = new ScramClient('alice', 'pencil');
    sendConnect(client, 'a', scram.first);
    const challenge = await expectChallenge(client);
    return { client, final: scram.final(challenge) };
  };

  it.each<[string, (client: RawClient, final: Buffer) => void]>([
    [
      'a PUBLISH',
      (client) => client.send({ cmd: 'publish', topic: 't', payload: 'x', qos: 0, dup: false, retain: false }),
    ],
    [
      'a SUBSCRIBE',
      (client) => client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 't', qos: 0 }] }),
    ],
    ['a PINGREQ', (client) => client.send({ cmd: 'pingreq' })],
    ['a second CONNECT', (client, final) => sendConnect(client, 'a', final)],
    ['an AUTH of another method', (client, final) => sendAuth(client, 0x18, final, 'endless')],
    ['an AUTH without a method', (client) => client.sendBytes([0xf0, 2, 0x18, 0])],
    ['an AUTH that begins anew', (client, final) => sendAuth(client, 0x19, final)],
    ['an AUTH that says success', (client, final) => sendAuth(client, 0x00, final)],
  ])('%s is a protocol error, 0x82', async (_, send) => {
    const test = await start();
    const { client, final } = await begun(test);
    send(client, final);
    const connack = await client.expectPacket('connack');
    expect(connack.reasonCode).toBe(0x82);
    await client.expectClosed();
    expect(test.broker.sessionCount).toBe(0);
    expect(test.broker.metrics.closesOf('connect-refused')).toBe(1);
  });

  it('a malformed AUTH is 0x81', async () => {
    const test = await start();
    const { client } = await begun(test);
    client.sendBytes([0xf0, 2, 0x77, 0]);
    expect((await client.expectPacket('connack')).reasonCode).toBe(0x81);
    await client.expectClosed();
  });

  it('DISCONNECT ends it in order, and no will is published', async () => {
    const test = await start();
    const watcher = await test.connect('watcher');
    await watcher.subscribe('will');
    const client = await test.open(5);
    const will = { topic: 'will', payload: Buffer.from('x'), qos: 0 as const, retain: false };
    sendConnect(client, 'a', new ScramClient('alice', 'pencil').first, { will });
    await expectChallenge(client);
    await client.disconnect(4);
    await watcher.expectNothing();
    expect(test.broker.metrics.closesOf('client-disconnect')).toBe(1);
  });

  it('packets that come in one piece with the last AUTH are handled after CONNACK', async () => {
    const test = await start();
    const { client, final } = await begun(test);
    client.sendTogether([
      { cmd: 'auth', reasonCode: 0x18, properties: { authenticationMethod: METHOD, authenticationData: final } },
      { cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 't', qos: 0 }] },
    ]);
    await client.expectPacket('connack');
    await client.expectPacket('suback');
  });

  it('the time runs out, however often the client says something', async () => {
    const test = await start({ limits: { connectTimeoutMs: 5000 } });
    const client = await test.open(5);
    client.sendConnect({ clientId: 'a', properties: { authenticationMethod: 'endless' } });
    await client.expectPacket('auth');
    for (let i = 0; i < 4; i++) {
      test.clock.advance(1200);
      sendAuth(client, 0x18, undefined, 'endless');
      await client.expectPacket('auth');
    }
    expect(test.broker.metrics.closesOf('connect-timeout')).toBe(0);
    test.clock.advance(400);
    await client.expectClosed();
    expect(test.broker.metrics.closesOf('connect-timeout')).toBe(1);
  });

  it('too many rounds fail', async () => {
    const test = await start({ limits: { authenticationMaximumRounds: 3 } });
    const client = await test.open(5);
    client.sendConnect({ clientId: 'a', properties: { authenticationMethod: 'endless' } });
    for (let i = 0; i < 3; i++) {
      await client.expectPacket('auth');
      sendAuth(client, 0x18, undefined, 'endless');
    }
    expect((await client.expectPacket('connack')).reasonCode).toBe(0x86);
    await client.expectClosed();
  });

  it('too many bytes fail, all rounds taken together', async () => {
    const test = await start({ limits: { authenticationMaximumBytes: 1000 } });
    const client = await test.open(5);
    client.sendConnect({ clientId: 'a', properties: { authenticationMethod: 'endless' } });
    for (let i = 0; i < 2; i++) {
      await client.expectPacket('auth');
      sendAuth(client, 0x18, Buffer.alloc(501), 'endless');
    }
    expect((await client.expectPacket('connack')).reasonCode).toBe(0x86);
    await client.expectClosed();
  });

  it('no AUTH is sent that is larger than the client takes [MQTT-3.1.2-24]', async () => {
    const test = await start();
    const client = await test.open(5);
    sendConnect(client, 'a', new ScramClient('alice', 'pencil').first, { properties: { maximumPacketSize: 60 } });
    expect((await client.expectPacket('connack')).reasonCode).toBe(0x95);
    await client.expectClosed();
    expect(test.broker.sessionCount).toBe(0);
  });
});

it('a connection that says CONNECT byte by byte does not get more time for it', async () => {
  const test = await TestBroker.start({ limits: { connectTimeoutMs: 5000 } });
  const client = await test.open(5);
  for (const [index, byte] of [0x10, 20, 0, 4].entries()) {
    client.sendBytes([byte]);
    while (test.broker.metrics.bytesReceived <= index) await new Promise(setImmediate);
    test.clock.advance(1200);
  }
  test.clock.advance(400);
  await client.expectClosed();
  expect(test.broker.metrics.closesOf('connect-timeout')).toBe(1);
});

describe('somebody with the client id of another, and no password', () => {
  it('disturbs neither the session nor the will, as far as he may come', async () => {
    const test = await start();
    const watcher = await test.connect('watcher');
    await watcher.subscribe('will');
    const will = { topic: 'will', payload: Buffer.from('gone'), qos: 0 as const, retain: false };
    const fields = { clean: false, will, properties: { sessionExpiryInterval: 100 } };
    const { client: victim } = await connectAs(test, 'alice', 'a', fields);
    await victim.subscribe('t', 1);
    const attacker = await test.open(5);
    sendConnect(attacker, 'a', new ScramClient('alice', '').first, { clean: true });
    const challenge = await expectChallenge(attacker);
    await victim.expectNothing();
    sendAuth(attacker, 0x18, new ScramClient('alice', 'guess').final(challenge));
    expect((await attacker.expectPacket('connack')).reasonCode).toBe(0x86);
    await attacker.expectClosed();
    test.broker.publish({ topic: 't', payload: 'still there', qos: 1 });
    expect((await victim.expectPacket('publish')).payload.toString()).toBe('still there');
    await watcher.expectNothing();
    const { connack } = await connectAs(test, 'alice', 'a', fields);
    expect(connack.sessionPresent).toBe(true);
    await victim.expectPacket('disconnect');
  });
});

describe('re-authentication', () => {
  it('goes on beside other traffic and ends with AUTH 0x00', async () => {
    const test = await start();
    const { client } = await connectAs(test, 'alice', 'a');
    await client.subscribe('t');
    for (let i = 0; i < 2; i++) {
      const scram = new ScramClient('alice', 'pencil', `fresh${i}`);
      sendAuth(client, 0x19, scram.first);
      const challenge = await expectChallenge(client);
      client.send({ cmd: 'publish', topic: 't', payload: 'meanwhile', qos: 0, dup: false, retain: false });
      expect((await client.expectPacket('publish')).payload.toString()).toBe('meanwhile');
      sendAuth(client, 0x18, scram.final(challenge));
      const end = await client.expectPacket('auth');
      expect(end.reasonCode ?? 0).toBe(0);
      expect(end.properties?.authenticationMethod).toBe(METHOD);
      expect(end.properties?.authenticationData?.toString()).toBe(scram.expectedEnd);
    }
    await client.expectNothing();
  });

  it.each([
    ['a wrong password', 'alice', 'pen'],
    ['another user, though his password is right', 'bob', 'crayon'],
  ])('with %s ends with DISCONNECT 0x87, and the will is due [MQTT-4.12.1-2]', async (_, user, password) => {
    const test = await start();
    const watcher = await test.connect('watcher');
    await watcher.subscribe('will');
    const will = { topic: 'will', payload: Buffer.from('gone'), qos: 0 as const, retain: false };
    const { client } = await connectAs(test, 'alice', 'a', { will });
    const scram = new ScramClient(user, password);
    sendAuth(client, 0x19, scram.first);
    sendAuth(client, 0x18, scram.final(await expectChallenge(client)));
    await client.expectDisconnect(0x87);
    expect((await watcher.expectPacket('publish')).topic).toBe('will');
    expect(test.broker.metrics.closesOf('authentication-failed')).toBe(1);
  });

  it.each<[string, (client: RawClient, first: Buffer) => void]>([
    ['by another method [MQTT-4.12.1-1]', (client, first) => sendAuth(client, 0x19, first, 'one step')],
    ['continued where none has begun', (client, first) => sendAuth(client, 0x18, first)],
    ['that says success', (client, first) => sendAuth(client, 0x00, first)],
    [
      'begun twice',
      (client, first) => {
        sendAuth(client, 0x19, first);
        sendAuth(client, 0x19, first);
      },
    ],
  ])('%s is a protocol error, 0x82', async (_, send) => {
    const test = await start();
    const { client, scram } = await connectAs(test, 'alice', 'a');
    send(client, scram.first);
    let last = await client.expectAny();
    if (last.cmd === 'auth') last = await client.expectAny();
    expect(last).toMatchObject({ cmd: 'disconnect', reasonCode: 0x82 });
    await client.expectClosed();
  });

  it('that takes too long fails', async () => {
    const test = await start({ limits: { connectTimeoutMs: 5000 } });
    const { client } = await connectAs(test, 'alice', 'a');
    const scram = new ScramClient('alice', 'pencil');
    sendAuth(client, 0x19, scram.first);
    const challenge = await expectChallenge(client);
    test.clock.advance(5001);
    await client.expectNothing();
    sendAuth(client, 0x18, scram.final(challenge));
    await client.expectDisconnect(0x87);
  });

  it('without a method in CONNECT is a protocol error, 0x82 [MQTT-4.12.0-7]', async () => {
    const test = await start();
    const client = await test.connect('a');
    sendAuth(client, 0x19, new ScramClient('alice', 'pencil').first);
    await client.expectDisconnect(0x82);
  });
});

it('MQTT.js authenticates and is authenticated to', async () => {
  const test = await start();
  const scram = new ScramClient('alice', 'pencil');
  const client = connectMqttJs(`mqtt://127.0.0.1:${test.tcpPort}`, {
    protocolVersion: 5,
    clientId: 'a',
    reconnectPeriod: 0,
    properties: { authenticationMethod: METHOD, authenticationData: scram.first },
  });
  onTestFinished(async () => {
    await client.endAsync(true);
  });
  client.handleAuth = (packet, answer) => {
    const authenticationData = scram.final(packet.properties?.authenticationData);
    const properties = { authenticationMethod: METHOD, authenticationData };
    answer(undefined, { cmd: 'auth', reasonCode: 0x18, properties });
  };
  const end = await new Promise<string>((resolve, reject) => {
    client.on('connect', ({ properties }) => resolve(String(properties?.authenticationData)));
    client.on('error', reject);
  });
  expect(end).toBe(scram.expectedEnd);
  await client.publishAsync('t', 'x', { qos: 1 });
});
