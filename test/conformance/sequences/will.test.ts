import { expect } from 'vitest';
import { sequence } from '../sequence.js';

const WILL = { topic: 'will', payload: 'gone', qos: 1 as const, retain: false };

sequence(
  {
    versions: [4, 5],
    shows: {
      4: ['MQTT-3.1.2-8+', 'MQTT-3.1.2-10-', 'MQTT-3.1.2-16+'],
      5: ['MQTT-3.1.2-8+', 'MQTT-3.1.2-10-', 'MQTT-3.1.2-14+'],
    },
    title: 'a will is published once when the connection is lost',
  },
  async ({ test, version }) => {
    const watcher = await test.connect('watcher', { version });
    await watcher.subscribe('will', 1);
    const client = await test.connect('c', { version, will: WILL });
    await test.drop(client, 'c');
    const publish = await watcher.expectPacket('publish');
    expect(publish).toMatchObject({ topic: 'will', qos: 1, retain: false });
    expect(publish.payload.toString()).toBe('gone');
    await test.drop(await test.connect('c', { version }), 'c');
    await watcher.expectNothing();
  },
);
