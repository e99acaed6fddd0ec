import { frame, section, text, u16 } from '../../robustness/support/packets.js';
import { sequence } from '../sequence.js';

/** First bytes of the packets that a client may send, PUBLISH excepted: there every bit means something. */
const FIRST_BYTES = [0x40, 0x50, 0x62, 0x70, 0x82, 0xa2, 0xc0, 0xe0];

sequence(
  {
    versions: [4, 5],
    shows: { 4: ['MQTT-2.2.2-1-', 'MQTT-2.2.2-2-', 'MQTT-2.2.2-2+'], 5: ['MQTT-2.1.3-1-', 'MQTT-4.13.1-1+'] },
    title: 'every wrong value of the flags in the first byte closes the connection',
  },
  async ({ test, version }) => {
    for (const right of FIRST_BYTES) {
      const body = bodyOf(right >> 4, version);
      for (let flags = 0; flags < 16; flags++) {
        const first = (right & 0xf0) | flags;
        if (first === right) continue;
        const client = await test.connect('c', { version });
        client.sendBytes(frame(first, body));
        await client.expectDisconnect(0x81);
      }
    }
  },
);

sequence(
  {
    versions: [4, 5],
    shows: { 4: ['MQTT-3.1.4-1-', 'MQTT-2.2.2-2-'], 5: ['MQTT-3.1.4-1-', 'MQTT-2.1.3-1-'] },
    title: 'every wrong value of the flags in the first byte of CONNECT refuses it',
  },
  async ({ test, version }) => {
    const properties = version === 5 ? section() : Buffer.alloc(0);
    for (let flags = 1; flags < 16; flags++) {
      const client = await test.open(version);
      client.sendBytes(frame(0x10 | flags, text('MQTT'), Buffer.from([version, 0x02]), u16(0), properties, text('c')));
      if (version === 5) {
        const { reasonCode } = await client.expectPacket('connack');
        if (reasonCode !== 0x81) throw new Error(`flags ${flags}: ${reasonCode}`);
      }
      await client.expectClosed();
    }
  },
);

function bodyOf(type: number, version: 4 | 5): Buffer {
  const properties = version === 5 ? section() : Buffer.alloc(0);
  switch (type) {
    case 8:
      return Buffer.concat([u16(1), properties, text('t'), Buffer.from([0])]);
    case 10:
      return Buffer.concat([u16(1), properties, text('t')]);
    case 12:
    case 14:
      return Buffer.alloc(0);
    default:
      return u16(1);
  }
}
