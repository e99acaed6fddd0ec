import { expect } from 'vitest';
import { publishPacket } from '../../support/publish-packet.js';
import { sequence } from '../sequence.js';

const SHOWN = { 3: ['MQTT-3.1.2-24+'], 4: ['MQTT-3.1.2-24+'], 5: ['MQTT-3.1.2-22+'] } as const;

sequence(
  { versions: [3, 4, 5], shows: SHOWN, title: 'the largest keep alive runs out after 27 hours, and not before' },
  async ({ test, version }) => {
    const client = await test.connect('c', { version, keepalive: 65_535 });
    test.clock.jump(65_535 * 1500 - 1000);
    await client.barrier();
    test.clock.jump(65_535 * 1500 - 1000);
    expect(test.broker.connectionCount).toBe(1);
    test.clock.jump(1200);
    await client.expectDisconnect(0x8d);
  },
);

sequence(
  {
    versions: [4, 5],
    shows: { 4: SHOWN[4], 5: SHOWN[5] },
    title: 'the keep alive runs out though the client reads nothing',
  },
  async ({ test, version }) => {
    const watcher = await test.connect('watcher', { version });
    await watcher.subscribe('w');
    const will = { topic: 'w', payload: 'gone', qos: 0 as const, retain: false };
    const client = await test.connect('c', { version, keepalive: 10, will });
    await client.subscribe('t');
    client.pauseReading();
    for (let count = 0; count < 100; count++) test.broker.publish({ topic: 't', payload: Buffer.alloc(20_000) });
    test.clock.advance(14_900);
    expect(test.broker.metrics.closesOf('keep-alive-timeout')).toBe(0);
    test.clock.advance(300);
    expect(test.broker.metrics.closesOf('keep-alive-timeout')).toBe(1);
    await watcher.expectPacket('publish');
  },
);

sequence(
  {
    versions: [4, 5],
    shows: { 4: SHOWN[4], 5: SHOWN[5] },
    title: 'a publisher that is held back for a slow consumer does not run out of keep alive meanwhile',
  },
  async ({ test, version }) => {
    const slow = await test.connect('slow', { version });
    await slow.subscribe('t');
    slow.pauseReading();
    const publisher = await test.connect('p', { version, keepalive: 1 });
    const payload = Buffer.alloc(100_000);
    for (let count = 0; count < 100 && test.broker.metrics.publishersHeld === 0; count++) {
      publisher.send(publishPacket('t', payload));
      await new Promise(setImmediate);
    }
    while (test.broker.metrics.publishersHeld === 0) await new Promise(setImmediate);
    test.clock.advance(150);
    expect(test.broker.metrics.closesOf('keep-alive-timeout')).toBe(0);
    slow.resumeReading();
    await publisher.barrier();
    test.clock.advance(1400);
    await publisher.expectNothing();
    test.clock.advance(1700);
    await publisher.expectDisconnect(0x8d);
  },
);
