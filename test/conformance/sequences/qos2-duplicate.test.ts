import { expect } from 'vitest';
import { publishPacket } from '../../support/publish-packet.js';
import { persistent } from '../../support/test-broker.js';
import { sequence } from '../sequence.js';

sequence(
  {
    versions: [4, 5],
    shows: { 4: ['MQTT-4.3.3-2-'], 5: ['MQTT-4.3.3-10-', 'MQTT-4.3.3-10+'] },
    title: 'a QoS 2 PUBLISH repeated on the next connection is answered again and not delivered again',
  },
  async ({ test, version }) => {
    const subscriber = await test.connect('s', { version });
    await subscriber.subscribe('t', 0);
    const publish = publishPacket('t', 'x', { qos: 2, messageId: 7 });
    const first = await test.connect('c', persistent(version));
    first.send(publish);
    await first.expectPacket('pubrec');
    await test.drop(first, 'c');
    const second = await test.connect('c', persistent(version));
    second.send({ ...publish, dup: true });
    expect((await second.expectPacket('pubrec')).messageId).toBe(7);
    second.send({ cmd: 'pubrel', messageId: 7 });
    expect((await second.expectPacket('pubcomp')).messageId).toBe(7);
    await subscriber.expectPacket('publish');
    await subscriber.expectNothing();
  },
);
