import { expect } from 'vitest';
import { publishPacket } from '../../support/publish-packet.js';
import { sequence } from '../sequence.js';

/** Remaining Length at the end of three bytes and at the beginning of four. */
const LENGTHS = [2_097_151, 2_097_152];

sequence(
  {
    versions: [4, 5],
    shows: { 4: ['MQTT-7.1.1-1+'], 5: ['MQTT-1.5.5-1+', 'MQTT-4.2-1+'] },
    title: 'a length of 2,097,151 takes three bytes, 2,097,152 takes four, in both directions',
    broker: { limits: { maximumPacketSize: 3_000_000 } },
  },
  async ({ test, version }) => {
    const client = await test.connect('c', { version });
    await client.subscribe('t');
    for (const length of LENGTHS) {
      // Topic with its length, and the Property Length.
      const payload = Buffer.alloc(length - 3 - (version === 5 ? 1 : 0), 7);
      const packet = client.encode(publishPacket('t', payload));
      expect(packet.length).toBe(length + (length === 2_097_151 ? 4 : 5));
      const { bytesReceived } = client;
      client.sendBytes(packet);
      const { payload: received } = await client.expectPacket('publish');
      expect(payload.equals(received as Buffer)).toBe(true);
      expect(client.bytesReceived - bytesReceived).toBe(packet.length);
    }
  },
);
