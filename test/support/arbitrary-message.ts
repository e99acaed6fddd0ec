/** Random messages as they lie in received chunks: parts with gaps between them, somewhere in a larger buffer. */
import fc from 'fast-check';
import { Message, type Qos } from '../../src/core/message.js';

const LARGEST_TIME = 2 ** 47;

const publisherArbitrary = fc.oneof(
  fc.string({ maxLength: 23 }),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc.constantFrom('', 'x'.repeat(127), 'x'.repeat(128), 'ü'.repeat(127), '😀'.repeat(70), 'é'.repeat(64)),
);

const payloadBytesArbitrary = fc.oneof(
  { weight: 6, arbitrary: fc.nat(100) },
  { weight: 2, arbitrary: fc.nat(20_000) },
  { weight: 1, arbitrary: fc.nat(200_000) },
);

export const messageArbitrary: fc.Arbitrary<Message> = fc
  .record({
    before: fc.nat(9),
    topic: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }),
    propertiesGap: fc.nat(6),
    properties: fc.uint8Array({ maxLength: 200 }),
    payloadGap: fc.nat(2),
    payloadBytes: payloadBytesArbitrary,
    after: fc.nat(9),
    qos: fc.constantFrom<Qos>(0, 1, 2),
    retain: fc.boolean(),
    publisherId: publisherArbitrary,
    arrivedAtMs: fc.nat(LARGEST_TIME),
    expiresAtMs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: LARGEST_TIME })),
    expiryOffset: fc.nat(300),
  })
  .map((fields) => {
    const topic = Buffer.from(fields.topic);
    const message = new Message();
    message.topic = fields.topic;
    message.topicStart = fields.before;
    message.topicEnd = message.topicStart + topic.length;
    message.propertiesStart = message.topicEnd + fields.propertiesGap;
    message.propertiesEnd = message.propertiesStart + fields.properties.length;
    message.payloadStart = message.propertiesEnd + fields.payloadGap;
    message.payloadEnd = message.payloadStart + fields.payloadBytes;
    message.bytes = Buffer.alloc(message.payloadEnd + fields.after, 0xee);
    topic.copy(message.bytes, message.topicStart);
    message.bytes.set(fields.properties, message.propertiesStart);
    for (let at = message.payloadStart; at < message.payloadEnd; at++) message.bytes[at] = at * 31;
    message.qos = fields.qos;
    message.retain = fields.retain;
    message.publisherId = fields.publisherId;
    message.arrivedAtMs = fields.arrivedAtMs;
    message.expiresAtMs = fields.expiresAtMs;
    // Where four bytes of the properties could be the interval, some of the time.
    const room = fields.properties.length - 4;
    if (fields.expiresAtMs !== 0 && fields.expiryOffset <= room) {
      message.expiryOffset = message.propertiesStart + fields.expiryOffset;
    }
    return message;
  });

/** What makes two messages the same, wherever their bytes lie. */
export function contentOf(message: Message) {
  return {
    topic: message.topic,
    topicBytes: message.bytes.toString('utf8', message.topicStart, message.topicEnd),
    properties: message.properties.toString('hex'),
    payload: message.payload.toString('base64'),
    expiryAt: message.expiryOffset === -1 ? -1 : message.expiryOffset - message.propertiesStart,
    byteLength: message.byteLength,
    qos: message.qos,
    retain: message.retain,
    publisherId: message.publisherId,
    arrivedAtMs: message.arrivedAtMs,
    expiresAtMs: message.expiresAtMs,
  };
}
