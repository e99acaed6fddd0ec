import { describe, expect, it } from 'vitest';
import type { ConnectFields, RawClient } from '../support/raw-client.js';
import { persistent, TestBroker } from '../support/test-broker.js';

const VERSIONS = [4, 5] as const;
const WILL = { topic: 'will', payload: 'gone', qos: 1 as const, retain: false };

async function withWatcher(version: 4 | 5 = 5): Promise<{ test: TestBroker; watcher: RawClient }> {
  const test = await TestBroker.start();
  const watcher = await test.connect('watcher', { version });
  await watcher.subscribe('will', 2);
  return { test, watcher };
}

function delayed(delaySeconds: number, expirySeconds: number): ConnectFields {
  return {
    ...persistent(5, expirySeconds),
    will: { ...WILL, properties: { willDelayInterval: delaySeconds } },
  };
}

describe.each(VERSIONS)('a will, MQTT %i', (version) => {
  it('is published when the connection is lost [MQTT-3.1.2-8]', async () => {
    const { test, watcher } = await withWatcher(version);
    const client = await test.connect('c', { version, will: { ...WILL, qos: 2 } });
    client.destroy();
    const publish = await watcher.expectPacket('publish');
    expect(publish).toMatchObject({ topic: 'will', qos: 2, retain: false, dup: false });
    expect(publish.payload.toString()).toBe('gone');
    await watcher.expectNothing();
  });

  it('is published when the client ends the connection without DISCONNECT', async () => {
    const { test, watcher } = await withWatcher(version);
    const client = await test.connect('c', { version, will: WILL });
    client.end();
    await watcher.expectPacket('publish');
  });

  it('is published after a protocol error', async () => {
    const { test, watcher } = await withWatcher(version);
    const client = await test.connect('c', { version, will: WILL });
    client.sendBytes([0xf0 & 0x00, 0]);
    await client.expectDisconnect(0x81);
    await watcher.expectPacket('publish');
  });

  it('is published when the keep alive runs out', async () => {
    const { test, watcher } = await withWatcher(version);
    const client = await test.connect('c', { version, keepalive: 10, will: WILL });
    test.clock.advance(15_200);
    await client.expectDisconnect(0x8d);
    await watcher.expectPacket('publish');
  });

  it('is published when another connection takes the client id', async () => {
    const { test, watcher } = await withWatcher(version);
    await test.connect('c', { version, will: WILL });
    await test.connect('c', { version });
    await watcher.expectPacket('publish');
    await watcher.expectNothing();
  });

  it('is discarded by DISCONNECT [MQTT-3.1.2-10]', async () => {
    const { test, watcher } = await withWatcher(version);
    const client = await test.connect('c', { ...persistent(version), will: WILL });
    await client.disconnect();
    await test.gone('c');
    test.clock.advance(4_000_000);
    await watcher.expectNothing();
  });

  it('is retained if it says so', async () => {
    const { test, watcher } = await withWatcher(version);
    const client = await test.connect('c', { version, will: { ...WILL, retain: true } });
    client.destroy();
    expect((await watcher.expectPacket('publish')).retain).toBe(false);
    const late = await test.connect('late', { version });
    await late.subscribe('will');
    expect((await late.expectPacket('publish')).retain).toBe(true);
  });

  it('is that of the last CONNECT', async () => {
    const { test, watcher } = await withWatcher(version);
    const first = await test.connect('c', { ...persistent(version), will: { ...WILL, payload: 'first' } });
    await first.disconnect();
    const second = await test.connect('c', persistent(version));
    await test.drop(second, 'c');
    await watcher.expectNothing();
    const third = await test.connect('c', { ...persistent(version), will: { ...WILL, payload: 'third' } });
    await test.drop(third, 'c');
    expect((await watcher.expectPacket('publish')).payload.toString()).toBe('third');
  });
});

describe('a will of MQTT 5', () => {
  it('is published on DISCONNECT with reason 0x04 [MQTT-3.14.4-3]', async () => {
    const { test, watcher } = await withWatcher();
    const client = await test.connect('c', { will: WILL });
    await client.disconnect(0x04);
    await watcher.expectPacket('publish');
  });

  it('waits for its delay and not less', async () => {
    const { test, watcher } = await withWatcher();
    const client = await test.connect('c', delayed(10, 100));
    await test.drop(client, 'c');
    test.clock.advance(9_999);
    await watcher.expectNothing();
    test.clock.advance(101);
    await watcher.expectPacket('publish');
    test.clock.advance(200_000);
    await watcher.expectNothing();
  });

  it('is taken back by a reconnect in time [MQTT-3.1.3-9]', async () => {
    const { test, watcher } = await withWatcher();
    const client = await test.connect('c', delayed(10, 100));
    await test.drop(client, 'c');
    test.clock.advance(9_900);
    await test.connect('c', persistent(5, 100));
    test.clock.advance(200_000);
    await watcher.expectNothing();
  });

  it('is taken back by a take-over that goes on with the session', async () => {
    const { test, watcher } = await withWatcher();
    await test.connect('c', delayed(10, 100));
    await test.connect('c', persistent(5, 100));
    test.clock.advance(200_000);
    await watcher.expectNothing();
  });

  it('is published by a clean start, which ends the session', async () => {
    const { test, watcher } = await withWatcher();
    const client = await test.connect('c', delayed(10, 100));
    await test.drop(client, 'c');
    await watcher.expectNothing();
    await test.connect('c', { clean: true });
    await watcher.expectPacket('publish');
    test.clock.advance(200_000);
    await watcher.expectNothing();
  });

  it('is published with the end of the session if that comes first', async () => {
    const { test, watcher } = await withWatcher();
    const client = await test.connect('c', delayed(1000, 5));
    await test.drop(client, 'c');
    test.clock.advance(4_999);
    await watcher.expectNothing();
    test.clock.advance(101);
    await watcher.expectPacket('publish');
  });

  it('is published at once with a session expiry of 0, whatever its delay', async () => {
    const { test, watcher } = await withWatcher();
    const client = await test.connect('c', { will: { ...WILL, properties: { willDelayInterval: 1000 } } });
    client.destroy();
    await watcher.expectPacket('publish');
  });

  it('carries its properties, and counts its expiry from when it is published', async () => {
    const { test, watcher } = await withWatcher();
    const client = await test.connect('c', {
      ...persistent(5, 100),
      will: {
        ...WILL,
        properties: {
          willDelayInterval: 10,
          messageExpiryInterval: 60,
          contentType: 'text/plain',
          responseTopic: 'answer/here',
          correlationData: Buffer.from([1, 2, 3]),
          payloadFormatIndicator: true,
          userProperties: { a: ['1', '2'] },
        },
      },
    });
    await test.drop(client, 'c');
    test.clock.advance(10_100);
    const { properties } = await watcher.expectPacket('publish');
    expect(properties).toMatchObject({
      messageExpiryInterval: 60,
      contentType: 'text/plain',
      responseTopic: 'answer/here',
      payloadFormatIndicator: true,
    });
    expect(properties?.correlationData).toEqual(Buffer.from([1, 2, 3]));
    expect({ ...properties?.userProperties }).toEqual({ a: ['1', '2'] });
    expect(properties).not.toHaveProperty('willDelayInterval');
  });

  it('stays with a session whose DISCONNECT shortens its life to 0', async () => {
    const { test, watcher } = await withWatcher();
    const client = await test.connect('c', delayed(10, 100));
    await client.disconnect(0x04, { sessionExpiryInterval: 0 });
    await watcher.expectPacket('publish');
  });

  it('is not sent by a broker that stops', async () => {
    const { test, watcher } = await withWatcher();
    const received: string[] = [];
    test.broker.subscribe('will', (message) => received.push(message.topic));
    await test.connect('c', { will: WILL });
    await test.broker.stop(100);
    await watcher.expectDisconnect(0x8b);
    expect(received).toEqual([]);
  });
});
