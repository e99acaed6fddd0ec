import { expect } from 'vitest';
import { publishPacket } from '../../support/publish-packet.js';
import { persistent } from '../../support/test-broker.js';
import { sequence } from '../sequence.js';

sequence(
  {
    versions: [5],
    shows: ['MQTT-3.3.2-5-', 'MQTT-3.3.2-6+'],
    title: 'a message waits no longer than its expiry, and tells what is left of it',
  },
  async ({ test, version }) => {
    const absent = await test.connect('c', persistent(version));
    await absent.subscribe('t', 1);
    await test.drop(absent, 'c');
    const publisher = await test.connect('p', { version });
    for (const [payload, seconds] of [['short', 10] as const, ['long', 60] as const]) {
      const properties = { messageExpiryInterval: seconds };
      publisher.send(publishPacket('t', payload, { qos: 1, messageId: publisher.nextPacketId(), properties }));
      await publisher.expectPacket('puback');
    }
    test.clock.advance(20_000);
    const present = await test.connect('c', persistent(version));
    const publish = await present.expectPacket('publish');
    expect(publish.payload.toString()).toBe('long');
    expect(publish.properties?.messageExpiryInterval).toBe(40);
    await present.expectNothing();
  },
);
