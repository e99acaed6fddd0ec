/**
 * A Message in the form in which aedes and its persistence keep a PUBLISH, with our fields beside theirs. Theirs cannot
 * hold the properties as received: names in order, several of one name.
 */
import { DamagedRecord } from '../core/errors.js';
import { Message, type Qos } from '../core/message.js';
import type { RecordFields } from './record-fields.js';

export interface MessagePacket {
  readonly cmd: 'publish';
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: Qos;
  readonly retain: boolean;
  /** As in Message. */
  readonly rawProperties: Buffer;
  readonly publisherId: string;
  readonly arrivedAtMs: number;
  readonly expiresAtMs: number;
  /** Counted from the first byte of the properties; -1 for none. */
  readonly expiryOffset: number;
}

const EXPIRY_LENGTH = 4;

export function toPacket(message: Message): MessagePacket {
  return {
    cmd: 'publish',
    topic: message.topic,
    payload: message.payload,
    qos: message.qos,
    retain: message.retain,
    rawProperties: message.properties,
    publisherId: message.publisherId,
    arrivedAtMs: message.arrivedAtMs,
    expiresAtMs: message.expiresAtMs,
    expiryOffset: message.expiryOffset === -1 ? -1 : message.expiryOffset - message.propertiesStart,
  };
}

/** In a buffer of its own: safe to keep. @throws DamagedRecord */
export function toMessage(fields: RecordFields): Message {
  const topic = fields.string('topic');
  const properties = fields.bytes('rawProperties');
  const payload = fields.bytes('payload');
  const expiryOffset = fields.integer('expiryOffset', -1);
  if (expiryOffset !== -1 && expiryOffset + EXPIRY_LENGTH > properties.length) {
    throw new DamagedRecord('The expiry lies outside the properties');
  }
  const topicLength = Buffer.byteLength(topic);
  const bytes = Buffer.allocUnsafeSlow(topicLength + properties.length + payload.length);
  bytes.write(topic, 0);
  properties.copy(bytes, topicLength);
  payload.copy(bytes, topicLength + properties.length);
  const message = new Message();
  message.topic = topic;
  message.bytes = bytes;
  message.topicEnd = topicLength;
  message.propertiesStart = topicLength;
  message.propertiesEnd = topicLength + properties.length;
  message.payloadStart = message.propertiesEnd;
  message.payloadEnd = bytes.length;
  message.expiryOffset = expiryOffset === -1 ? -1 : topicLength + expiryOffset;
  message.qos = fields.upToTwo('qos');
  message.retain = fields.boolean('retain');
  message.publisherId = fields.string('publisherId');
  message.arrivedAtMs = fields.integer('arrivedAtMs', 0);
  message.expiresAtMs = fields.integer('expiresAtMs', 0);
  return message;
}
