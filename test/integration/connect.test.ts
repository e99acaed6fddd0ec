import { describe, expect, it } from 'vitest';
import type { ConnectDecision } from '../../src/auth/authenticator.js';
import { identityOf } from '../../src/auth/identity.js';
import { persistent, TestBroker } from '../support/test-broker.js';

const VERSIONS = [4, 5] as const;

describe.each(VERSIONS)('CONNECT, MQTT %i', (version) => {
  it('answers a clean client without a session', async () => {
    const test = await TestBroker.start();
    const { connack } = await test.connectFully('a', { version });
    expect(connack.sessionPresent).toBe(false);
  });

  it('says that a kept session is present, though it has no subscriptions', async () => {
    const test = await TestBroker.start();
    const first = await test.connectFully('a', persistent(version));
    expect(first.connack.sessionPresent).toBe(false);
    await first.client.disconnect();
    const second = await test.connectFully('a', persistent(version));
    expect(second.connack.sessionPresent).toBe(true);
  });

  it('forgets the session on a clean start [MQTT-3.1.2-4]', async () => {
    const test = await TestBroker.start();
    const first = await test.connect('a', persistent(version));
    await first.subscribe('t', 1);
    await first.disconnect();
    const second = await test.connectFully('a', { ...persistent(version), clean: true });
    expect(second.connack.sessionPresent).toBe(false);
    const publisher = await test.connect('p', { version });
    publisher.send({ cmd: 'publish', topic: 't', payload: 'x', qos: 1, messageId: 1, dup: false, retain: false });
    await publisher.expectPacket('puback');
    await second.client.expectNothing();
    expect(test.broker.subscriptionCount).toBe(0);
  });

  it('does not keep a clean session', async () => {
    const test = await TestBroker.start();
    const first = await test.connect('a', { version });
    await first.subscribe('t');
    await first.disconnect();
    await test.gone('a');
    expect(test.broker.sessionCount).toBe(0);
    const second = await test.connectFully('a', persistent(version));
    expect(second.connack.sessionPresent).toBe(false);
  });

  it('closes the older connection of the same client id [MQTT-3.1.4-3]', async () => {
    const test = await TestBroker.start();
    const older = await test.connect('a', persistent(version));
    const younger = await test.connectFully('a', persistent(version));
    await older.expectDisconnect(0x8e);
    expect(younger.connack.sessionPresent).toBe(true);
    await younger.client.expectNothing();
    expect(test.broker.connectionCount).toBe(1);
    expect(test.broker.metrics.closesOf('session-taken-over')).toBe(1);
  });

  it('lets client ids differ in one character only', async () => {
    const test = await TestBroker.start();
    const one = await test.connect('a', { version });
    await test.connect('A', { version });
    await one.expectNothing();
    expect(test.broker.connectionCount).toBe(2);
  });

  it('closes a connection whose first packet is not CONNECT [MQTT-3.1.0-1]', async () => {
    const test = await TestBroker.start();
    const client = await test.open(version);
    client.send({ cmd: 'pingreq' });
    await client.expectClosed();
  });

  it('closes a connection on a second CONNECT [MQTT-3.1.0-2]', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('a', { version });
    client.sendConnect({ clientId: 'a' });
    await client.expectDisconnect(0x82);
  });

  it('closes a connection that does not say CONNECT in time', async () => {
    const test = await TestBroker.start({ limits: { connectTimeoutMs: 5000 } });
    const silent = await test.open(version);
    // Another connection that is accepted later proves that this one has been accepted.
    await test.connect('b', { version });
    test.clock.advance(4999);
    expect(test.broker.metrics.closesOf('connect-timeout')).toBe(0);
    test.clock.advance(200);
    await silent.expectClosed();
    expect(test.broker.metrics.closesOf('connect-timeout')).toBe(1);
  });

  it('handles packets that come in one piece with CONNECT', async () => {
    const test = await TestBroker.start();
    const client = await test.open(version);
    const protocolId = 'MQTT';
    client.sendTogether([
      { cmd: 'connect', protocolId, protocolVersion: version, clientId: 'a', clean: true, keepalive: 0 },
      { cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 't', qos: 0 }] },
      { cmd: 'publish', topic: 't', payload: 'x', qos: 0, dup: false, retain: false },
    ]);
    await client.expectPacket('connack');
    await client.expectPacket('suback');
    expect((await client.expectPacket('publish')).payload.toString()).toBe('x');
  });

  it('waits with later packets until an authenticator has answered', async () => {
    let allow: () => void = () => {};
    const asked = new Promise<void>((resolveAsked) => {
      allow = resolveAsked;
    });
    let decide: (allowed: boolean) => void = () => {};
    const authenticator = {
      authenticate: () =>
        new Promise<ConnectDecision>((resolve) => {
          decide = (allowed) =>
            resolve(
              allowed ? { allowed, identity: identityOf(null) } : { allowed, why: 'unidentified', message: 'unknown' },
            );
          allow();
        }),
    };
    const test = await TestBroker.start({ authenticator });
    const client = await test.open(version);
    const protocolId = 'MQTT';
    client.sendTogether([
      { cmd: 'connect', protocolId, protocolVersion: version, clientId: 'a', clean: true, keepalive: 0 },
      { cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 't', qos: 0 }] },
    ]);
    await asked;
    expect(test.broker.subscriptionCount).toBe(0);
    decide(true);
    await client.expectPacket('connack');
    await client.expectPacket('suback');

    const stranger = await test.open(version);
    const refused = stranger.connect({ clientId: 'b' });
    for (let i = 0; i < 1000 && test.broker.metrics.socketsAccepted < 2; i++) await new Promise(setImmediate);
    const decideSecond = async () => {
      while (test.broker.metrics.packetsReceived[1] !== 2) await new Promise(setImmediate);
      decide(false);
    };
    await decideSecond();
    const connack = await refused;
    expect(version === 5 ? connack.reasonCode : connack.returnCode).toBe(version === 5 ? 0x86 : 4);
    await stranger.expectClosed();
  });
});

describe('empty client ids', () => {
  it('gets an assigned one in MQTT 5 [MQTT-3.2.2-16]', async () => {
    const test = await TestBroker.start();
    const { connack } = await test.connectFully('', { properties: { sessionExpiryInterval: 60 } });
    const assigned = connack.properties?.assignedClientIdentifier;
    expect(assigned).toMatch(/^auto-/);
    const again = await test.connectFully(assigned as string, { clean: false });
    expect(again.connack.sessionPresent).toBe(true);
    expect(again.connack.properties?.assignedClientIdentifier).toBeUndefined();
  });

  it('is accepted from MQTT 3.1.1 with a clean session [MQTT-3.1.3-6]', async () => {
    const test = await TestBroker.start();
    await test.connect('', { version: 4, clean: true });
    await test.connect('', { version: 4, clean: true });
    expect(test.broker.connectionCount).toBe(2);
  });

  it('is refused with 0x02 from MQTT 3.1.1 without a clean session [MQTT-3.1.3-8]', async () => {
    const test = await TestBroker.start();
    const client = await test.open(4);
    const flags = 0x00;
    client.sendBytes([0x10, 12, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, flags, 0, 0, 0, 0]);
    const connack = await client.expectPacket('connack');
    expect(connack.returnCode).toBe(2);
    await client.expectClosed();
  });
});

describe('what CONNACK tells an MQTT 5 client', () => {
  it('lists the limits that differ from the defaults', async () => {
    const test = await TestBroker.start({
      limits: {
        receiveMaximum: 20,
        maximumPacketSize: 5000,
        topicAliasMaximum: 7,
        keepAliveMaximumSeconds: 30,
        sessionExpiryMaximumSeconds: 100,
      },
    });
    const { connack } = await test.connectFully('a', {
      keepalive: 60,
      properties: { sessionExpiryInterval: 1000, requestResponseInformation: true },
    });
    expect(connack.properties).toMatchObject({
      receiveMaximum: 20,
      maximumPacketSize: 5000,
      topicAliasMaximum: 7,
      serverKeepAlive: 30,
      sessionExpiryInterval: 100,
    });
    expect(connack.properties?.responseInformation).toContain('a');
  });

  it('says nothing about what is as asked for', async () => {
    const test = await TestBroker.start({ limits: { keepAliveMaximumSeconds: 30, topicAliasMaximum: 0 } });
    const { connack } = await test.connectFully('a', { keepalive: 20, properties: { sessionExpiryInterval: 5 } });
    expect(connack.properties?.serverKeepAlive).toBeUndefined();
    expect(connack.properties?.sessionExpiryInterval).toBeUndefined();
    expect(connack.properties?.topicAliasMaximum).toBeUndefined();
    expect(connack.properties?.assignedClientIdentifier).toBeUndefined();
    expect(connack.properties?.responseInformation).toBeUndefined(); // [MQTT-3.1.2-28]
  });
});

describe('authentication methods', () => {
  it('refuses a method that it does not know with 0x8C [MQTT-4.12.0-1]', async () => {
    const test = await TestBroker.start();
    const client = await test.open(5);
    const connack = await client.connect({ properties: { authenticationMethod: 'SCRAM-SHA-1' } });
    expect(connack.reasonCode).toBe(0x8c);
    await client.expectClosed();
  });

  it('answers AUTH on a connection without a method with 0x82 [MQTT-4.12.0-7]', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('a');
    client.send({ cmd: 'auth', reasonCode: 0x19, properties: { authenticationMethod: 'x' } });
    await client.expectDisconnect(0x82);
  });
});

describe('MQTT 3.1', () => {
  it('is served to MQIsdp clients', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('old', { version: 3 });
    await client.subscribe('t', 2);
    client.send({ cmd: 'publish', topic: 't', payload: 'x', qos: 1, messageId: 9, dup: false, retain: false });
    const publish = await client.expectPacket('publish');
    expect(publish.payload.toString()).toBe('x');
    await client.expectPacket('puback');
    await client.disconnect();
  });
});

describe('protocol levels', () => {
  it('are refused in a form that the client can read [MQTT-3.1.2-2]', async () => {
    const test = await TestBroker.start();
    const six = await test.open(5);
    six.sendBytes([0x10, 13, 0, 4, 0x4d, 0x51, 0x54, 0x54, 6, 2, 0, 0, 0, 0, 0]);
    expect((await six.expectPacket('connack')).reasonCode).toBe(0x84);
    await six.expectClosed();
    const two = await test.open(4);
    two.sendBytes([0x10, 12, 0, 4, 0x4d, 0x51, 0x54, 0x54, 2, 2, 0, 0, 0, 0]);
    expect((await two.expectPacket('connack')).returnCode).toBe(1);
    await two.expectClosed();
  });
});

describe('DISCONNECT', () => {
  it('may change how long the session is kept', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('a', persistent(5, 10));
    await client.disconnect(0, { sessionExpiryInterval: 1000 });
    await test.gone('a');
    test.clock.advance(500_000);
    expect(test.broker.sessionCount).toBe(1);
    test.clock.advance(501_000);
    expect(test.broker.sessionCount).toBe(0);
  });

  it('may end the session at once', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('a', persistent(5, 10));
    await client.disconnect(0, { sessionExpiryInterval: 0 });
    await test.gone('a');
    expect(test.broker.sessionCount).toBe(0);
  });

  it('may not give an expiry to a session that had none: 0x82 (3.14.2.2.2)', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('a');
    client.send({ cmd: 'disconnect', reasonCode: 0, properties: { sessionExpiryInterval: 10 } });
    await client.expectDisconnect(0x82);
  });
});

describe('sessions', () => {
  it.each([4, 5] as const)('expire after their interval and not before, MQTT %i', async (version) => {
    const test = await TestBroker.start({ limits: { mqtt3SessionExpirySeconds: 60 } });
    const client = await test.connect('a', persistent(version, 60));
    await client.subscribe('t', 1);
    await test.drop(client, 'a');
    test.clock.advance(59_999);
    expect(test.broker.sessionCount).toBe(1);
    test.clock.advance(101);
    expect(test.broker.sessionCount).toBe(0);
    expect(test.broker.subscriptionCount).toBe(0);
  });

  it('with 0xFFFFFFFF never expire', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('a', persistent(5, 0xffffffff));
    await test.drop(client, 'a');
    test.clock.jump(200 * 365 * 24 * 3600 * 1000);
    expect(test.broker.sessionCount).toBe(1);
  });

  it('are not ended while their client is connected', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('a', persistent(5, 10));
    await test.drop(client, 'a');
    test.clock.advance(9000);
    const back = await test.connectFully('a', persistent(5, 10));
    expect(back.connack.sessionPresent).toBe(true);
    test.clock.advance(60_000);
    await back.client.expectNothing();
    expect(test.broker.sessionCount).toBe(1);
  });
});
