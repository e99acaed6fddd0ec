import { expect } from 'vitest';
import { persistent } from '../../support/test-broker.js';
import { sequence } from '../sequence.js';

const DAY_MS = 24 * 3600 * 1000;
const CENTURY_MS = 36_525 * DAY_MS;

sequence(
  {
    versions: [5],
    shows: ['MQTT-3.1.2-23+', 'MQTT-4.1.0-2-'],
    title: 'a Session Expiry Interval of 0xFFFFFFFF has no end',
  },
  async ({ test }) => {
    const first = await test.connect('c', persistent(5, 0xffffffff));
    await first.subscribe('t');
    await test.drop(first, 'c');
    test.clock.jump(2 * CENTURY_MS);
    const { client, connack } = await test.connectFully('c', persistent(5, 0xffffffff));
    expect(connack.sessionPresent).toBe(true);
    expect(connack.properties?.sessionExpiryInterval).toBeUndefined();
    test.broker.publish({ topic: 't', payload: 'x' });
    await client.expectPacket('publish');
  },
);

sequence(
  {
    versions: [5],
    shows: ['MQTT-4.1.0-2+', 'MQTT-4.1.0-2-'],
    title: 'a Session Expiry Interval of 0xFFFFFFFE ends after 136 years, no earlier',
  },
  async ({ test }) => {
    const terms = persistent(5, 0xfffffffe);
    await test.drop(await test.connect('c', terms), 'c');
    test.clock.jump((0xfffffffe - 60) * 1000);
    const second = await test.connectFully('c', terms);
    expect(second.connack.sessionPresent).toBe(true);
    await test.drop(second.client, 'c');
    test.clock.jump(0xffffffff * 1000);
    expect((await test.connectFully('c', terms)).connack.sessionPresent).toBe(false);
  },
);

sequence(
  {
    versions: [4],
    shows: ['MQTT-3.1.2-4+', 'MQTT-4.1.0-1+', 'MQTT-3.2.2-2+', 'MQTT-3.2.2-3+'],
    title: 'MQTT 3.1.1 names no expiry: a session is given up after the configured week, no earlier',
  },
  async ({ test }) => {
    await test.drop(await test.connect('c', persistent(4)), 'c');
    test.clock.jump(7 * DAY_MS - 60_000);
    const second = await test.connectFully('c', persistent(4));
    expect(second.connack.sessionPresent).toBe(true);
    await test.drop(second.client, 'c');
    test.clock.jump(7 * DAY_MS + 60_000);
    expect((await test.connectFully('c', persistent(4))).connack.sessionPresent).toBe(false);
  },
);

sequence(
  {
    versions: [4, 5],
    shows: { 4: ['MQTT-4.1.0-2+', 'MQTT-3.1.2-6+'], 5: ['MQTT-4.1.0-1+'] },
    title: 'a session that outlives nothing lasts as long as its connection, however long',
  },
  async ({ test, version }) => {
    const client = await test.connect('c', { version });
    await client.subscribe('t');
    test.clock.jump(CENTURY_MS);
    test.broker.publish({ topic: 't', payload: 'x' });
    await client.expectPacket('publish');
    await test.drop(client, 'c');
    const kept = { version, clean: false };
    expect((await test.connectFully('c', kept)).connack.sessionPresent).toBe(false);
  },
);
