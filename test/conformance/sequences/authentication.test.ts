/** Enhanced authentication with SCRAM-SHA-256: sections 3.15 and 4.12. */

import { expect } from 'vitest';
import type { AuthenticationMethod, ExchangeStep } from '../../../src/auth/authentication-method.js';
import { identityOf } from '../../../src/auth/identity.js';
import { SCRAM_SHA_256 } from '../../../src/auth/scram-mechanism.js';
import { ScramMethod } from '../../../src/auth/scram-method.js';
import { publishPacket } from '../../support/publish-packet.js';
import type { ConnectFields, PacketOf, RawClient } from '../../support/raw-client.js';
import { ScramClient, scramUsers } from '../../support/scram-client.js';
import type { TestBroker } from '../../support/test-broker.js';
import { sequence } from '../sequence.js';

const METHOD = 'SCRAM-SHA-256';
const CHALLENGE = Buffer.alloc(300, 'x');

/** Challenges with 300 bytes, and takes whatever is answered. */
const lengthy: AuthenticationMethod = {
  name: 'lengthy',
  begin: () => {
    let isChallenged = false;
    return {
      next: (): ExchangeStep => {
        if (isChallenged) return { outcome: 'success', data: undefined, identity: identityOf('alice') };
        isChallenged = true;
        return { outcome: 'continue', data: CHALLENGE };
      },
    };
  },
};

const broker = {
  authenticationMethods: [new ScramMethod(SCRAM_SHA_256, scramUsers({ alice: 'pencil', bob: 'crayon' })), lengthy],
};
const versions = [5] as const;

function sendConnect(client: RawClient, scram: ScramClient, fields: ConnectFields = {}): void {
  const properties = { authenticationMethod: METHOD, authenticationData: scram.first, ...fields.properties };
  client.sendConnect({ clientId: 'c', ...fields, properties });
}

function sendAuth(
  client: RawClient,
  reasonCode: number,
  authenticationData: Buffer,
  authenticationMethod = METHOD,
): void {
  client.send({ cmd: 'auth', reasonCode, properties: { authenticationMethod, authenticationData } });
}

/** Answers the challenge that comes next. */
async function answerChallenge(client: RawClient, scram: ScramClient): Promise<PacketOf<'auth'>> {
  const challenge = await client.expectPacket('auth');
  sendAuth(client, 0x18, scram.final(challenge.properties?.authenticationData));
  return challenge;
}

async function connectAlice(test: TestBroker, fields: ConnectFields = {}): Promise<RawClient> {
  const client = await test.open(5);
  const scram = new ScramClient('alice', 'pencil');
  sendConnect(client, scram, fields);
  await answerChallenge(client, scram);
  expect((await client.expectPacket('connack')).reasonCode).toBe(0);
  return client;
}

/** Somebody who sees whether the will of such a client is published. */
async function watchWills(test: TestBroker): Promise<RawClient> {
  const client = await test.open(5);
  const scram = new ScramClient('bob', 'crayon');
  sendConnect(client, scram, { clientId: 'watcher' });
  await answerChallenge(client, scram);
  await client.expectPacket('connack');
  await client.subscribe('w', 0);
  return client;
}

const WILL = { topic: 'w', payload: 'gone', qos: 0 as const, retain: false };

sequence(
  {
    versions,
    broker,
    shows: ['MQTT-4.12.0-2+', 'MQTT-4.12.0-5+', 'MQTT-3.15.1-1+', 'MQTT-3.15.2-1+'],
    title: 'the challenge is AUTH 0x18, and it and the CONNACK at the end name the method',
  },
  async ({ test }) => {
    const client = await test.open(5);
    const scram = new ScramClient('alice', 'pencil');
    sendConnect(client, scram);
    const challenge = await answerChallenge(client, scram);
    expect(challenge).toMatchObject({ reasonCode: 0x18, properties: { authenticationMethod: METHOD } });
    const { reasonCode, properties } = await client.expectPacket('connack');
    expect(reasonCode).toBe(0);
    expect(properties?.authenticationMethod).toBe(METHOD);
    expect(properties?.authenticationData?.toString()).toBe(scram.expectedEnd);
    await client.expectNothing();
  },
);

for (const [title, user, password] of [
  ['a wrong password', 'alice', 'crayon'],
  ['a user who does not exist', 'carol', 'pencil'],
] as const) {
  sequence(
    {
      versions,
      broker,
      shows: ['MQTT-4.12.0-4-', 'MQTT-4.12.0-4+', 'MQTT-3.1.4-2-', 'MQTT-3.1.4-6-'],
      title: `${title}: CONNACK 0x86 and the close, and what stands behind it is not handled`,
    },
    async ({ test }) => {
      const watcher = await watchWills(test);
      const client = await test.open(5);
      const scram = new ScramClient(user, password);
      sendConnect(client, scram, { will: WILL });
      await answerChallenge(client, scram);
      client.send(publishPacket('w', 'x', { qos: 0 }));
      expect((await client.expectPacket('connack')).reasonCode).toBe(0x86);
      await client.expectClosed();
      await watcher.expectNothing();
      expect(test.broker.sessionCount).toBe(1);
    },
  );
}

sequence(
  {
    versions,
    broker,
    shows: ['MQTT-3.14.0-1-', 'MQTT-4.13.1-1-'],
    title: 'a PUBLISH in the middle of the exchange: CONNACK 0x82, no DISCONNECT, and the close',
  },
  async ({ test }) => {
    const client = await test.open(5);
    sendConnect(client, new ScramClient('alice', 'pencil'));
    await client.expectPacket('auth');
    client.send(publishPacket('t', 'x', { qos: 0 }));
    expect((await client.expectPacket('connack')).reasonCode).toBe(0x82);
    await client.expectClosed();
  },
);

sequence(
  {
    versions,
    broker,
    shows: ['MQTT-3.15.1-1-', 'MQTT-3.14.0-1-'],
    title: 'an AUTH with wrong flags in the middle of the exchange: CONNACK 0x81 and the close',
  },
  async ({ test }) => {
    const client = await test.open(5);
    sendConnect(client, new ScramClient('alice', 'pencil'));
    await client.expectPacket('auth');
    client.sendBytes([0xf1, 0x00]);
    expect((await client.expectPacket('connack')).reasonCode).toBe(0x81);
    await client.expectClosed();
  },
);

sequence(
  {
    versions,
    broker,
    shows: ['MQTT-4.12.0-5+', 'MQTT-4.12.0-2+', 'MQTT-3.15.2-1+'],
    title: 're-authentication: challenge and success name the method, and other packets pass meanwhile',
  },
  async ({ test }) => {
    const client = await connectAlice(test);
    await client.subscribe('t', 0);
    const scram = new ScramClient('alice', 'pencil');
    sendAuth(client, 0x19, scram.first);
    const challenge = await client.expectPacket('auth');
    expect(challenge).toMatchObject({ reasonCode: 0x18, properties: { authenticationMethod: METHOD } });
    test.broker.publish({ topic: 't', payload: 'x' });
    await client.expectPacket('publish');
    sendAuth(client, 0x18, scram.final(challenge.properties?.authenticationData));
    const end = await client.expectPacket('auth');
    expect(end.reasonCode ?? 0).toBe(0);
    expect(end.properties?.authenticationMethod).toBe(METHOD);
    expect(end.properties?.authenticationData?.toString()).toBe(scram.expectedEnd);
    await client.expectNothing();
  },
);

for (const [title, user, password] of [
  ['a wrong password', 'alice', 'crayon'],
  ['another user, with the right password', 'bob', 'crayon'],
] as const) {
  sequence(
    {
      versions,
      broker,
      shows: ['MQTT-4.12.1-2+', 'MQTT-4.12.1-2-', 'MQTT-4.13.2-1+', 'MQTT-3.1.2-8+'],
      title: `re-authentication with ${title}: DISCONNECT 0x87, the close, and the will`,
    },
    async ({ test }) => {
      const watcher = await watchWills(test);
      const client = await connectAlice(test, { will: WILL });
      const scram = new ScramClient(user, password);
      sendAuth(client, 0x19, scram.first);
      await answerChallenge(client, scram);
      client.send(publishPacket('w', 'too late', { qos: 0 }));
      await client.expectDisconnect(0x87);
      expect((await watcher.expectPacket('publish')).payload.toString()).toBe('gone');
      await watcher.expectNothing();
    },
  );
}

const WRONG_AUTHS: readonly (readonly [string, number, (client: RawClient, first: Buffer) => void])[] = [
  ['AUTH 0x19 by another method', 0x82, (client, first) => sendAuth(client, 0x19, first, 'lengthy')],
  ['AUTH 0x18 where nothing is to be continued', 0x82, (client, first) => sendAuth(client, 0x18, first)],
  ['AUTH 0x00, which only a server says', 0x82, (client, first) => sendAuth(client, 0x00, first)],
  ['AUTH 0x80', 0x81, (client, first) => sendAuth(client, 0x80, first)],
  ['AUTH with wrong flags', 0x81, (client) => client.sendBytes([0xf4, 0x00])],
];

for (const [title, reasonCode, act] of WRONG_AUTHS) {
  sequence(
    {
      versions,
      broker,
      shows: ['MQTT-4.13.1-1-', 'MQTT-3.15.2-1-'],
      title: `${title} on an authenticated connection: DISCONNECT 0x${reasonCode.toString(16)} and the close`,
    },
    async ({ test }) => {
      const client = await connectAlice(test);
      act(client, new ScramClient('alice', 'pencil').first);
      await client.expectDisconnect(reasonCode);
    },
  );
}

/** The challenge of the lengthy method, as bytes. */
function lengthyChallenge(): PacketOf<'auth'> {
  const properties = { authenticationMethod: 'lengthy', authenticationData: CHALLENGE };
  return { cmd: 'auth', reasonCode: 0x18, properties };
}

sequence(
  {
    versions,
    broker,
    shows: ['MQTT-3.15.2-2+', 'MQTT-3.15.2-2-', 'MQTT-3.15.2-3+', 'MQTT-3.15.2-3-', 'MQTT-3.1.2-24-'],
    title:
      'an AUTH that just fits the client has nothing but method and data; one byte more, and there is no way to go on, which CONNACK 0x95 says',
  },
  async ({ test }) => {
    for (const missing of [0, 1]) {
      const client = await test.open(5);
      const { length } = client.encode(lengthyChallenge());
      const properties = { authenticationMethod: 'lengthy', maximumPacketSize: length - missing };
      client.sendConnect({ clientId: 'c', properties });
      if (missing === 0) {
        expect(await client.expectPacket('auth')).toMatchObject({ ...lengthyChallenge(), length: length - 3 });
        expect(client.bytesReceived).toBe(length);
      } else {
        // Section 4.13.2: no DISCONNECT before CONNACK.
        expect((await client.expectPacket('connack')).reasonCode).toBe(0x95);
        await client.expectClosed();
      }
    }
  },
);

sequence(
  {
    versions,
    broker,
    shows: ['MQTT-4.12.0-6-', 'MQTT-4.12.0-1-'],
    title: 'a broker that has methods sends neither AUTH nor a method to who names none, and knows no others',
  },
  async ({ test }) => {
    const { client, connack } = await test.connectFully('c');
    expect(connack.properties).not.toHaveProperty('authenticationMethod');
    await client.expectNothing();
    const other = await test.open(5);
    const refusal = await other.connect({ properties: { authenticationMethod: 'scram-sha-256' } });
    expect(refusal.reasonCode).toBe(0x8c);
    await other.expectClosed();
  },
);
