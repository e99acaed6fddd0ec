import { frame, section, text, u16, u32 } from '../../robustness/support/packets.js';
import { sequence } from '../sequence.js';

/** A CONNECT with everything, without its fixed header. */
function bodyOf(version: 4 | 5): Buffer {
  const properties =
    version === 5 ? section(Buffer.from([0x11]), u32(60), Buffer.from([0x21]), u16(10)) : Buffer.alloc(0);
  const willProperties = version === 5 ? section(Buffer.from([0x03]), text('text/plain')) : Buffer.alloc(0);
  const payload = [text('client'), willProperties, text('w'), text('gone'), text('user'), text('password')];
  return Buffer.concat([text('MQTT'), Buffer.from([version, 0xc6]), u16(0), properties, ...payload]);
}

/** Name and level: what is cut before their end is of no version. */
const LEVEL_END = 7;

sequence(
  {
    versions: [4, 5],
    shows: ['MQTT-3.1.4-1-', 'MQTT-3.1.2-9-', 'MQTT-3.1.3-3-', 'MQTT-3.1.3-1-'],
    title: 'a CONNECT that ends too early is malformed, wherever it ends',
  },
  async ({ test, version }) => {
    const body = bodyOf(version);
    for (let length = 0; length < body.length; length++) {
      const client = await test.open(version);
      client.sendBytes(frame(0x10, body.subarray(0, length)));
      if (version === 5 && length >= LEVEL_END) {
        const { reasonCode } = await client.expectPacket('connack');
        if (reasonCode !== 0x81) throw new Error(`cut at ${length}: ${reasonCode}`);
      }
      await client.expectClosed();
    }
  },
);

sequence(
  {
    versions: [4, 5],
    shows: { 4: ['MQTT-7.1.1-1+', 'MQTT-7.0.0-2+'], 5: ['MQTT-4.2-1+'] },
    title: 'a CONNECT that comes in two pieces is taken, wherever it is cut',
  },
  async ({ test, version }) => {
    const packet = frame(0x10, bodyOf(version));
    for (let length = 1; length < packet.length; length++) {
      const client = await test.open(version);
      const { bytesReceived } = test.broker.metrics;
      client.sendBytes(packet.subarray(0, length));
      while (test.broker.metrics.bytesReceived < bytesReceived + length) await new Promise(setImmediate);
      client.sendBytes(packet.subarray(length));
      const connack = await client.expectPacket('connack');
      if ((connack.reasonCode ?? connack.returnCode) !== 0) throw new Error(`cut at ${length}`);
      await client.disconnect();
    }
  },
);
