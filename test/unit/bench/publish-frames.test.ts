import { type IPublishPacket, parser } from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import { FrameReader } from '../../../bench/generator/frame-reader.js';
import { type Protocol, type PublishExtras, publishFrame, type Qos } from '../../../bench/generator/frames.js';
import { PublishBatch } from '../../../bench/generator/publish-batch.js';

/** As another implementation reads it. */
function parsed(bytes: Buffer, protocolVersion: Protocol): IPublishPacket[] {
  const packets: IPublishPacket[] = [];
  const reader = parser({ protocolVersion });
  reader.on('packet', (packet) => packets.push(packet as IPublishPacket));
  reader.on('error', (error) => {
    throw error;
  });
  reader.parse(bytes);
  return packets;
}

const cases: [Protocol, Qos, number, number][] = [
  [4, 0, 0, 12],
  [4, 1, 0, 100],
  [5, 0, 0, 16],
  [5, 1, 4, 100],
  [5, 2, 4, 65_536],
  // So many that their length takes two bytes.
  [5, 1, 20, 20],
];

describe('a batch of PUBLISH frames', () => {
  it.each(cases)('MQTT %d, QoS %d, %d properties, %d bytes', (protocol, qos, userProperties, payloadBytes) => {
    const template = { protocol, qos, userProperties, payloadBytes, topic: 'bench/7/data', publisher: 7 };
    const batch = new PublishBatch(template, 3);
    batch.stamp(1000);
    const packets = parsed(batch.stamp(65_534), protocol);
    expect(packets).toHaveLength(3);
    for (const [at, packet] of packets.entries()) {
      const payload = packet.payload as Buffer;
      expect(packet.topic).toBe('bench/7/data');
      expect(payload).toHaveLength(payloadBytes);
      expect([payload.readUInt32BE(0), payload.readUInt32BE(4)]).toEqual([7, 65_534 + at]);
      expect(packet.messageId).toBe(qos === 0 ? undefined : [65_535, 1, 2][at]);
      const properties = Object.values(packet.properties?.userProperties ?? {}).flat();
      expect(properties).toHaveLength(userProperties);
    }
  });

  it('changes the topic with the group', () => {
    const template = { protocol: 5, qos: 1, userProperties: 4, payloadBytes: 16, publisher: 1 } as const;
    const batch = new PublishBatch({ ...template, topic: 'bench/00300/data', groups: { first: 300, count: 2 } }, 3);
    expect(parsed(batch.stamp(0), 5).map(({ topic }) => topic)).toEqual([
      'bench/00300/data',
      'bench/00301/data',
      'bench/00300/data',
    ]);
  });

  it('can be retained', () => {
    const extras: PublishExtras = { retain: true };
    expect(parsed(publishFrame(4, 'a', 1, Buffer.from('b'), extras), 4)[0]?.retain).toBe(true);
  });
});

describe('the frame reader, in parts of a chunk', () => {
  const frames = Buffer.concat(
    ['x', 'y'.repeat(300), ''].map((text) => publishFrame(4, 'topic', 0, Buffer.from(text))),
  );

  it.each([1, 2, 3, 10, 299, 1000])('finds every frame in parts of %d bytes', (size) => {
    const lengths: number[] = [];
    let ends = 0;
    const reader = new FrameReader({
      onFrame: (_bytes, start, _bodyStart, end) => lengths.push(end - start),
      onChunkEnd: () => ends++,
    });
    // Each part lies somewhere in a chunk, between bytes that are none of its own.
    for (let at = 0; at < frames.length; at += size) {
      const part = frames.subarray(at, at + size);
      const chunk = Buffer.concat([Buffer.alloc(9, 0xee), part, Buffer.alloc(9, 0xee)]);
      reader.readPart(chunk, 9, 9 + part.length);
    }
    reader.endChunk();
    expect(lengths).toEqual([10, 310, 9]);
    expect(ends).toBe(1);
  });
});
