import { describe, expect, it } from 'vitest';
import { publishPacket } from '../support/publish-packet.js';
import { TestBroker } from '../support/test-broker.js';

const VERSIONS = [4, 5] as const;

describe.each(VERSIONS)('keep alive, MQTT %i', (version) => {
  it('runs out one and a half intervals after the last packet [MQTT-3.1.2-22]', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('c', { version, keepalive: 10 });
    test.clock.advance(14_999);
    expect(test.broker.connectionCount).toBe(1);
    test.clock.advance(101);
    await client.expectDisconnect(0x8d);
    expect(test.broker.metrics.closesOf('keep-alive-timeout')).toBe(1);
  });

  it('is put off by every packet', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('c', { version, keepalive: 10 });
    for (let i = 0; i < 5; i++) {
      test.clock.advance(14_000);
      if (i % 2 === 0) await client.expectNothing();
      else {
        client.send(publishPacket('t', 'x', { qos: 1, messageId: 1 }));
        await client.expectPacket('puback');
      }
    }
    test.clock.advance(14_999);
    expect(test.broker.connectionCount).toBe(1);
    test.clock.advance(200);
    await client.expectDisconnect(0x8d);
  });

  it('is not put off by what the broker sends', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('c', { version, keepalive: 10 });
    await client.subscribe('t');
    for (let i = 0; i < 3; i++) {
      test.clock.advance(4900);
      test.broker.publish({ topic: 't', payload: 'x' });
      await client.expectPacket('publish');
    }
    test.clock.advance(400);
    await client.expectDisconnect(0x8d);
  });

  it('of 0 is never over', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('c', { version, keepalive: 0 });
    test.clock.jump(365 * 24 * 3600 * 1000);
    test.clock.advance(1000);
    await client.expectNothing();
  });

  it('runs out though the client does not read', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('c', { version, keepalive: 10 });
    await client.subscribe('t');
    client.pauseReading();
    for (let i = 0; i < 100; i++) test.broker.publish({ topic: 't', payload: Buffer.alloc(20_000) });
    test.clock.advance(15_200);
    expect(test.broker.connectionCount).toBe(0);
    expect(test.broker.metrics.closesOf('keep-alive-timeout')).toBe(1);
  });
});

describe('Server Keep Alive', () => {
  it('is what counts once the client has been told [MQTT-3.2.2-21]', async () => {
    const test = await TestBroker.start({ limits: { keepAliveMaximumSeconds: 20 } });
    const { client, connack } = await test.connectFully('c', { keepalive: 0 });
    expect(connack.properties?.serverKeepAlive).toBe(20);
    test.clock.advance(30_200);
    await client.expectDisconnect(0x8d);
  });

  it('is not imposed on MQTT 3, which cannot be told', async () => {
    const test = await TestBroker.start({ limits: { keepAliveMaximumSeconds: 20 } });
    const client = await test.connect('c', { version: 4, keepalive: 100 });
    test.clock.advance(149_000);
    await client.expectNothing();
  });
});
