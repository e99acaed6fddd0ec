import fc from 'fast-check';
import { generate, type IPublishPacket, type Packet, parser } from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import { PublishDecoder } from '../../../src/codec/publish-decoder.js';
import { PublishEncoder } from '../../../src/codec/publish-encoder.js';
import { decodePublishProperties } from '../../../src/codec/publish-properties.js';
import { PublishWriter } from '../../../src/codec/publish-writer.js';
import { ProtocolViolation } from '../../../src/core/errors.js';
import type { Qos } from '../../../src/core/message.js';

const decoder = new PublishDecoder();

/** Decodes a packet that lies somewhere in a larger chunk. */
function decode(frame: Buffer, isVersion5: boolean, before = 13): PublishDecoder {
  const chunk = Buffer.concat([Buffer.alloc(before, 0xee), frame, Buffer.alloc(7, 0xee)]);
  let bodyStart = before + 2;
  while ((chunk[bodyStart - 1] as number) > 0x7f) bodyStart++;
  decoder.decode(chunk, before, bodyStart, before + frame.length, isVersion5);
  decoder.message.topic = chunk.toString('utf8', decoder.message.topicStart, decoder.message.topicEnd);
  return decoder;
}

function parse(frame: Buffer, protocolVersion: 4 | 5): IPublishPacket {
  let found: Packet | undefined;
  const reader = parser({ protocolVersion });
  reader.on('packet', (packet) => {
    found = packet;
  });
  reader.on('error', (error) => {
    throw error;
  });
  expect(reader.parse(frame)).toBe(0);
  return found as IPublishPacket;
}

function reasonCodeOf(act: () => void): number {
  try {
    act();
  } catch (error) {
    if (error instanceof ProtocolViolation) return error.reasonCode;
    throw error;
  }
  return 0;
}

const text = fc.string({ unit: 'grapheme', maxLength: 20 }).filter((value) => !value.includes('\0'));
const topicName = text.filter((value) => value.length > 0 && !/[+#]/.test(value));
const properties = fc.record(
  {
    payloadFormatIndicator: fc.boolean(),
    messageExpiryInterval: fc.integer({ min: 0, max: 0xffffffff }),
    contentType: text,
    responseTopic: topicName,
    correlationData: fc.uint8Array({ minLength: 1, maxLength: 30 }).map((bytes) => Buffer.from(bytes)),
    userProperties: fc.dictionary(
      text.filter((name) => name.length > 0 && name !== '__proto__'),
      fc.array(text, { minLength: 1, maxLength: 3 }),
      { minKeys: 1, maxKeys: 3, noNullPrototype: true },
    ),
  },
  { requiredKeys: [] },
);
const publishes = fc.record({
  topic: topicName,
  payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  qos: fc.constantFrom<Qos[]>(0, 1, 2),
  retain: fc.boolean(),
  messageId: fc.integer({ min: 1, max: 65_535 }),
  properties,
});

function packetOf(fields: { qos: Qos } & Partial<IPublishPacket>): IPublishPacket {
  return { cmd: 'publish', topic: '', payload: '', dup: false, retain: false, ...fields };
}

/** What a PUBLISH says, in a form that can be compared. */
function sayings(packet: IPublishPacket) {
  const { userProperties, ...others } = packet.properties ?? {};
  const listed = Object.entries(userProperties ?? {}).map(([name, value]) => [name, [value].flat()]);
  return { ...others, topic: packet.topic, payload: Buffer.from(packet.payload).toString('hex'), user: listed };
}

describe('PublishDecoder', () => {
  it('reads what mqtt-packet writes', () => {
    fc.assert(
      fc.property(publishes, fc.constantFrom(4 as const, 5 as const), (fields, version) => {
        const { message, packetId, duplicate, topicAlias, expirySeconds } = decode(
          generate(packetOf(fields), { protocolVersion: version }),
          version === 5,
        );
        expect(message.topic).toBe(fields.topic);
        expect(message.payload.equals(fields.payload)).toBe(true);
        expect([message.qos, message.retain, duplicate]).toEqual([fields.qos, fields.retain, false]);
        expect(packetId).toBe(fields.qos > 0 ? fields.messageId : 0);
        expect(topicAlias).toBe(0);
        const expiry = version === 5 ? fields.properties.messageExpiryInterval : undefined;
        expect(expirySeconds).toBe(expiry ?? -1);
        if (message.expiryOffset !== -1) expect(message.bytes.readUInt32BE(message.expiryOffset)).toBe(expiry);
        if (version === 4) expect(message.properties.length).toBe(0);
        else {
          const values = decodePublishProperties(message);
          expect(values.contentType).toBe(fields.properties.contentType);
          expect(values.responseTopic).toBe(fields.properties.responseTopic);
          expect(values.correlationData).toEqual(fields.properties.correlationData);
          expect(values.messageExpiryInterval).toBe(fields.properties.messageExpiryInterval);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is a value or a ProtocolViolation, and reads nothing beyond the packet, whatever bytes are changed', () => {
    fc.assert(
      fc.property(
        publishes,
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 }),
        (fields, changes) => {
          const frame = generate(packetOf(fields), { protocolVersion: 5 });
          const bodyStart = frame.length > 129 ? 3 : 2;
          for (const [at, byte] of changes) frame[bodyStart + (at % (frame.length - bodyStart))] = byte;
          reasonCodeOf(() => {
            decoder.decode(frame, 0, bodyStart, frame.length, true);
            const { message } = decoder;
            expect(message.topicEnd).toBeLessThanOrEqual(message.propertiesStart);
            expect(message.propertiesEnd).toBe(message.payloadStart);
            expect(message.payloadEnd).toBe(frame.length);
          });
        },
      ),
      { numRuns: 500 },
    );
  });

  it.each([
    ['QoS 3 [MQTT-3.3.1-4]', [0x36, 5, 0, 1, 0x74, 0, 1], false, 0x81],
    ['DUP at QoS 0 [MQTT-3.3.1-2]', [0x38, 3, 0, 1, 0x74], false, 0x81],
    ['packet identifier 0', [0x32, 5, 0, 1, 0x74, 0, 0], false, 0x81],
    ['no packet identifier', [0x32, 4, 0, 1, 0x74, 0], false, 0x81],
    ['an end within the topic length', [0x30, 1, 0], false, 0x81],
    ['an end within the topic', [0x30, 3, 0, 2, 0x74], false, 0x81],
    ['no property length', [0x30, 3, 0, 1, 0x74], true, 0x81],
    ['properties beyond the end', [0x30, 5, 0, 1, 0x74, 5, 1], true, 0x81],
    ['a property length that is not minimal', [0x30, 5, 0, 1, 0x74, 0x80, 0], true, 0x81],
    ['a topic alias of 0', [0x30, 7, 0, 1, 0x74, 3, 0x23, 0, 0], true, 0x94],
    ['two topic aliases', [0x30, 10, 0, 1, 0x74, 6, 0x23, 0, 1, 0x23, 0, 1], true, 0x82],
    ['a Subscription Identifier', [0x30, 6, 0, 1, 0x74, 2, 0x0b, 1], true, 0x82],
    ['a payload format of 2', [0x30, 6, 0, 1, 0x74, 2, 0x01, 2], true, 0x82],
    ['an empty Response Topic [MQTT-4.7.3-1]', [0x30, 7, 0, 1, 0x74, 3, 0x08, 0, 0], true, 0x82],
    ['two expiry intervals', [0x30, 14, 0, 1, 0x74, 10, 2, 0, 0, 0, 1, 2, 0, 0, 0, 1], true, 0x82],
    ['a Session Expiry Interval', [0x30, 9, 0, 1, 0x74, 5, 0x11, 0, 0, 0, 1], true, 0x81],
    ['an encoded surrogate in a string', [0x30, 10, 0, 1, 0x74, 6, 3, 0, 3, 0xed, 0xa0, 0x80], true, 0x81],
  ])('refuses %s', (_name, bytes, isVersion5, reasonCode) => {
    expect(reasonCodeOf(() => decode(Buffer.from(bytes), isVersion5))).toBe(reasonCode);
  });

  it('resolves an alias at any place among the properties', () => {
    const aliasAt = fc.constantFrom(0, 1, 2);
    fc.assert(
      fc.property(publishes, aliasAt, fc.boolean(), topicName, (fields, at, isTopicLeftOut, topic) => {
        // Two properties around the alias, so that the expiry stands before or after it.
        const expiry = Buffer.from([0x02, 0, 0, 1, 44]);
        const type = Buffer.from([0x03, 0, 1, 0x63]);
        const alias = Buffer.from([0x23, 0, 9]);
        const parts = [expiry, type];
        parts.splice(at, 0, alias);
        const section = Buffer.concat(parts);
        const name = isTopicLeftOut ? Buffer.alloc(0) : Buffer.from(topic);
        const id = fields.qos > 0 ? Buffer.from([fields.messageId >> 8, fields.messageId & 0xff]) : Buffer.alloc(0);
        const body = Buffer.concat([
          Buffer.from([name.length >> 8, name.length & 0xff]),
          name,
          id,
          Buffer.from([section.length]),
          section,
          fields.payload,
        ]);
        const length = body.length > 127 ? [(body.length & 0x7f) | 0x80, body.length >> 7] : [body.length];
        const first = 0x30 | (fields.qos << 1) | Number(fields.retain);
        decode(Buffer.concat([Buffer.from([first, ...length]), body]), true);
        expect(decoder.topicAlias).toBe(9);
        decoder.resolveAlias(Buffer.from(topic));
        const { message, frameStart, frameEnd } = decoder;
        const packet = parse(Buffer.from(message.bytes.subarray(frameStart, frameEnd)), 5);
        expect(packet.topic).toBe(topic);
        expect(packet.qos).toBe(fields.qos);
        expect(packet.retain).toBe(fields.retain);
        if (fields.qos > 0) expect(packet.messageId).toBe(fields.messageId);
        expect(packet.properties).toEqual({ messageExpiryInterval: 300, contentType: 'c' });
        expect(Buffer.from(packet.payload).equals(fields.payload)).toBe(true);
        expect(message.bytes.readUInt32BE(message.expiryOffset)).toBe(300);
        expect(message.bytes.toString('utf8', message.topicStart, message.topicEnd)).toBe(topic);
        expect(message.payload.equals(fields.payload)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});

describe('PublishEncoder', () => {
  it('writes what a receiver of any version, QoS and RETAIN must get', () => {
    const version = fc.constantFrom(4 as const, 5 as const);
    fc.assert(
      fc.property(
        publishes,
        version,
        version,
        fc.constantFrom<Qos[]>(0, 1, 2),
        fc.boolean(),
        (fields, from, to, granted, retain) => {
          const { message } = decode(generate(packetOf(fields), { protocolVersion: from }), from === 5);
          const qos = Math.min(granted, fields.qos) as Qos;
          const encoder = new PublishEncoder();
          encoder.beginReceived(message, decoder.frameStart, decoder.frameEnd, decoder.hasPropertySection, false);
          encoder.encode(to === 5, qos, retain && fields.retain);
          const bytes = Buffer.from(encoder.bytes.subarray(encoder.start, encoder.end));
          if (qos > 0) {
            bytes[0] = 0x30 | (qos << 1) | Number(retain && fields.retain);
            bytes.writeUInt16BE(4711, encoder.idOffset - encoder.start);
          } else expect(encoder.idOffset).toBe(-1);
          const packet = parse(bytes, to);
          expect([packet.qos, packet.retain, packet.dup]).toEqual([qos, retain && fields.retain, false]);
          if (qos > 0) expect(packet.messageId).toBe(4711);
          const sent = parse(generate(packetOf(fields), { protocolVersion: from }), from);
          const expected = sayings(from === 5 && to === 5 ? sent : { ...sent, properties: {} });
          expect(sayings(packet)).toEqual(expected);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('uses the received bytes where they are what the receiver must get', () => {
    const frame = generate(packetOf({ qos: 0, topic: 't', payload: 'x' }), { protocolVersion: 5 });
    const { message } = decode(frame, true);
    const encoder = new PublishEncoder();
    encoder.beginReceived(message, decoder.frameStart, decoder.frameEnd, true, true);
    encoder.encode(true, 0, false);
    expect([encoder.bytes, encoder.start, encoder.isExclusive]).toEqual([message.bytes, 13, true]);
    encoder.encode(false, 0, false);
    expect(encoder.bytes).not.toBe(message.bytes);
    expect(encoder.isExclusive).toBe(false);
  });

  it('does not send a DUP that it received [MQTT-3.3.1-3]', () => {
    const frame = generate(packetOf({ qos: 1, topic: 't', payload: 'x', messageId: 3, dup: true }));
    const { message } = decode(frame, false);
    expect(decoder.duplicate).toBe(true);
    const encoder = new PublishEncoder();
    encoder.beginReceived(message, decoder.frameStart, decoder.frameEnd, false, false);
    encoder.encode(false, 0, false);
    expect(parse(Buffer.from(encoder.bytes.subarray(encoder.start, encoder.end)), 4).dup).toBe(false);
  });

  it('leaves earlier encodings alone: they may still wait to be sent', () => {
    const encoder = new PublishEncoder();
    const kept: { view: Buffer; expected: string }[] = [];
    for (let i = 0; i < 500; i++) {
      const payload = `${i}`.padEnd((i * 37) % 900, '.');
      const { message } = decode(generate(packetOf({ qos: 0, topic: 't', payload }), { protocolVersion: 4 }), false);
      encoder.begin(message.clone());
      encoder.encode(true, 0, false);
      kept.push({ view: encoder.bytes.subarray(encoder.start, encoder.end), expected: payload });
    }
    for (const { view, expected } of kept) expect(parse(Buffer.from(view), 5).payload.toString()).toBe(expected);
  });

  it('puts what is left of the expiry of a message that waited', () => {
    const frame = generate(packetOf({ qos: 0, topic: 't', properties: { messageExpiryInterval: 100 } }), {
      protocolVersion: 5,
    });
    const { message } = decode(frame, true);
    const encoder = new PublishEncoder();
    const secondsOf = () =>
      parse(Buffer.from(encoder.bytes.subarray(encoder.start, encoder.end)), 5).properties?.messageExpiryInterval;
    encoder.begin(message, 42);
    encoder.encode(true, 0, false);
    expect(secondsOf()).toBe(42);
    encoder.begin(message);
    encoder.encode(true, 0, false);
    expect(secondsOf()).toBe(100);
    expect(message.bytes.readUInt32BE(message.expiryOffset)).toBe(100);
  });
});

describe('PublishWriter', () => {
  it('writes identifiers, alias, flags and expiry, and as many bytes as it measured', () => {
    const identifiers = fc.option(fc.array(fc.integer({ min: 1, max: 268_435_455 }), { minLength: 1, maxLength: 4 }), {
      nil: null,
    });
    fc.assert(
      fc.property(
        publishes,
        identifiers,
        fc.nat(65_535),
        fc.boolean(),
        fc.boolean(),
        (fields, ids, alias, omit, dup) => {
          const { message } = decode(generate(packetOf(fields), { protocolVersion: 5 }), true);
          const writer = new PublishWriter();
          writer.isVersion5 = true;
          writer.qos = fields.qos;
          writer.retain = fields.retain;
          writer.duplicate = dup && fields.qos > 0;
          writer.packetId = fields.messageId;
          writer.identifiers = ids;
          writer.topicAlias = alias;
          writer.omitTopic = omit && alias > 0;
          writer.expirySeconds = 5;
          const length = writer.measure(message);
          const target = Buffer.alloc(length + 20, 0xaa);
          expect(writer.write(message, target, 10)).toBe(10 + length);
          expect(target.subarray(0, 10).equals(Buffer.alloc(10, 0xaa))).toBe(true);
          expect(target.subarray(10 + length).equals(Buffer.alloc(10, 0xaa))).toBe(true);
          const packet = parse(Buffer.from(target.subarray(10, 10 + length)), 5);
          expect(packet.topic).toBe(writer.omitTopic ? '' : fields.topic);
          expect(packet.dup).toBe(writer.duplicate);
          expect(packet.properties?.topicAlias).toBe(alias > 0 ? alias : undefined);
          const listed = packet.properties?.subscriptionIdentifier as number | number[] | undefined;
          expect(listed === undefined ? null : [listed].flat()).toEqual(ids);
          const expiry = fields.properties.messageExpiryInterval;
          expect(packet.properties?.messageExpiryInterval).toBe(expiry === undefined ? undefined : 5);
          expect(Buffer.from(packet.payload).equals(fields.payload)).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });
});
