import { describe, expect, it } from 'vitest';
import { publishPacket } from '../support/publish-packet.js';
import { TestBroker } from '../support/test-broker.js';

describe('$SYS topics', () => {
  it('are there for who subscribes, by the names of mosquitto', async () => {
    const test = await TestBroker.start({ limits: { sysIntervalSeconds: 10 } });
    const client = await test.connect('c');
    await client.subscribe('$SYS/broker/version');
    const version = await client.expectPacket('publish');
    expect(version.retain).toBe(true);
    expect(version.payload.toString()).toMatch(/^millrace version /);
    await client.subscribe('$SYS/#');
    await client.barrier();
    const topics = client.takeAll().map((packet) => (packet.cmd === 'publish' ? packet.topic : ''));
    for (const name of [
      'uptime',
      'clients/connected',
      'clients/total',
      'messages/received',
      'publish/messages/dropped',
      'retained messages/count',
      'subscriptions/count',
      'load/messages/received/1min',
    ]) {
      expect(topics).toContain(`$SYS/broker/${name}`);
    }
  });

  it('are published again when their value has changed, at the interval', async () => {
    const test = await TestBroker.start({ limits: { sysIntervalSeconds: 10 } });
    const client = await test.connect('c');
    await client.subscribe('$SYS/broker/clients/connected');
    expect((await client.expectPacket('publish')).payload.toString()).toBe('0');
    test.clock.advance(10_100);
    const changed = await client.expectPacket('publish');
    expect(changed.payload.toString()).toBe('1');
    expect(changed.retain).toBe(false);
    test.clock.advance(20_000);
    await client.expectNothing();
  });

  it('say what waits for all sessions together, and how much may', async () => {
    const test = await TestBroker.start({ limits: { sysIntervalSeconds: 10, queueTotalMaximumBytes: 5500 } });
    const away = await test.connect('away', { version: 5, properties: { sessionExpiryInterval: 3600 } });
    await away.subscribe('t', 1);
    await away.disconnect();
    const client = await test.connect('c');
    await client.subscribe('$SYS/broker/sessions/queued/+');
    const told = (): Map<string, number> =>
      new Map(
        client
          .takeAll()
          .map((packet) => (packet.cmd === 'publish' ? [packet.topic, Number(packet.payload)] : ['', Number.NaN])),
      );
    await client.barrier();
    expect(told()).toEqual(
      new Map([
        ['$SYS/broker/sessions/queued/bytes', 0],
        ['$SYS/broker/sessions/queued/limit', 5500],
      ]),
    );
    client.send(publishPacket('t', 'x'.repeat(1000), { qos: 1, messageId: 1 }));
    await client.expectPacket('puback');
    test.clock.advance(10_100);
    await client.barrier();
    const waiting = told().get('$SYS/broker/sessions/queued/bytes');
    expect(waiting).toBeGreaterThan(1000);
    expect(waiting).toBeLessThan(1200);
    const again = await test.connect('away', { version: 5, clean: false });
    const { messageId = 0 } = await again.expectPacket('publish');
    again.send({ cmd: 'puback', messageId });
    await again.barrier();
    test.clock.advance(10_100);
    await client.barrier();
    expect(told().get('$SYS/broker/sessions/queued/bytes')).toBe(0);
  });

  it('do not come with a plain #', async () => {
    const test = await TestBroker.start({ limits: { sysIntervalSeconds: 10 } });
    const client = await test.connect('c');
    await client.subscribe('#');
    test.clock.advance(30_000);
    await client.expectNothing();
  });

  it.each([4, 5] as const)('cannot be published by a client, MQTT %i', async (version) => {
    const test = await TestBroker.start({ limits: { sysIntervalSeconds: 10 } });
    const client = await test.connect('c', { version });
    await client.subscribe('$SYS/broker/mine', 2);
    client.send(publishPacket('$SYS/broker/mine', 'x', { retain: true }));
    client.send(publishPacket('$SYS/broker/mine', 'x', { qos: 1, messageId: 1, retain: true }));
    client.send(publishPacket('$SYS', 'x', { qos: 2, messageId: 2 }));
    const puback = await client.expectPacket('puback');
    const pubrec = await client.expectPacket('pubrec');
    if (version === 5) expect([puback.reasonCode, pubrec.reasonCode]).toEqual([0x87, 0x87]);
    else {
      // MQTT 3 cannot be told: the exchange goes on and ends as usual.
      client.send({ cmd: 'pubrel', messageId: 2 });
      await client.expectPacket('pubcomp');
    }
    await client.expectNothing();
    expect(test.broker.drops.of('not-authorized')).toBe(3);
  });

  it('allow other topics that begin with $', async () => {
    const test = await TestBroker.start();
    const client = await test.connect('c');
    await client.subscribe('$SYSTEM/x');
    client.send(publishPacket('$SYSTEM/x', 'x'));
    await client.expectPacket('publish');
  });
});
