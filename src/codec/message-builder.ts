/**
 * Makes Messages that no client sent as a PUBLISH: wills, `$SYS`, and what code within the process publishes. They get
 * the same form as received ones, so that everything behind treats them alike.
 */
import { InvalidArgument } from '../core/errors.js';
import { Message, type Qos } from '../core/message.js';
import type { UserProperties } from './control-packet.js';
import { binaryData, utf8String } from './encodable.js';
import * as Property from './property-walker.js';

export interface MessageFields {
  /** A valid topic name. */
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: Qos;
  readonly retain: boolean;
  /** Raw property bytes, valid for PUBLISH, without Topic Alias and Subscription Identifier. */
  readonly properties: Buffer;
  /** Client id, or empty for the broker itself. */
  readonly publisherId: string;
  readonly nowMs: number;
}

/** The properties of a PUBLISH that a publisher may set (section 3.3.2.3). */
export interface PublishProperties {
  readonly payloadFormatIndicator?: 0 | 1 | undefined;
  /** Seconds. */
  readonly messageExpiryInterval?: number | undefined;
  readonly contentType?: string | undefined;
  readonly responseTopic?: string | undefined;
  readonly correlationData?: Buffer | undefined;
  readonly userProperties?: UserProperties | undefined;
}

const EMPTY = Buffer.alloc(0);

/** Notes where the Message Expiry Interval stands. */
const expiryFinder = {
  offset: -1,
  seconds: 0,
  onProperty(id: number, value: number, _bytes: Buffer, valueStart: number): void {
    if (id !== Property.MessageExpiryInterval) return;
    this.offset = valueStart;
    this.seconds = value;
  },
};

const FORWARDED_PROPERTIES = Property.propertySet(
  Property.PayloadFormatIndicator,
  Property.MessageExpiryInterval,
  Property.ContentType,
  Property.ResponseTopic,
  Property.CorrelationData,
  Property.UserProperty,
);

/** Builds a Message in a buffer of its own: it is safe to keep. */
export function buildMessage(fields: MessageFields): Message {
  const topicLength = Buffer.byteLength(fields.topic);
  const { properties, payload } = fields;
  const bytes = Buffer.allocUnsafeSlow(topicLength + properties.length + payload.length);
  bytes.write(fields.topic, 0);
  properties.copy(bytes, topicLength);
  payload.copy(bytes, topicLength + properties.length);
  const message = new Message();
  message.topic = fields.topic;
  message.bytes = bytes;
  message.topicEnd = topicLength;
  message.propertiesStart = topicLength;
  message.propertiesEnd = topicLength + properties.length;
  message.payloadStart = message.propertiesEnd;
  message.payloadEnd = bytes.length;
  message.qos = fields.qos;
  message.retain = fields.retain;
  message.publisherId = fields.publisherId;
  message.arrivedAtMs = fields.nowMs;
  expiryFinder.offset = -1;
  Property.walkProperties(bytes, topicLength, message.propertiesEnd, FORWARDED_PROPERTIES, expiryFinder);
  if (expiryFinder.offset !== -1) {
    message.expiryOffset = expiryFinder.offset;
    message.expiresAtMs = fields.nowMs + expiryFinder.seconds * 1000;
  }
  return message;
}

/** Starts the Message Expiry Interval anew: that of a will counts from when it is published. */
export function restartExpiry(message: Message, nowMs: number): void {
  message.arrivedAtMs = nowMs;
  if (message.expiryOffset !== -1) {
    message.expiresAtMs = nowMs + message.bytes.readUInt32BE(message.expiryOffset) * 1000;
  }
}

/** @throws InvalidArgument if a value cannot stand in a PUBLISH */
export function encodePublishProperties(properties: PublishProperties): Buffer {
  const parts: Buffer[] = [];
  const { payloadFormatIndicator, messageExpiryInterval, contentType, responseTopic, correlationData } = properties;
  if (payloadFormatIndicator !== undefined) parts.push(payloadFormatProperty(payloadFormatIndicator));
  if (messageExpiryInterval !== undefined) parts.push(expiryProperty(messageExpiryInterval));
  if (contentType !== undefined) parts.push(Buffer.from([Property.ContentType]), text('contentType', contentType));
  if (responseTopic !== undefined) {
    // [MQTT-3.3.2-14]
    if (/[+#]/.test(responseTopic)) throw new InvalidArgument('responseTopic contains a wildcard [MQTT-3.3.2-14]');
    if (responseTopic === '') throw new InvalidArgument('responseTopic is empty [MQTT-4.7.3-1]');
    parts.push(Buffer.from([Property.ResponseTopic]), text('responseTopic', responseTopic));
  }
  if (correlationData !== undefined)
    parts.push(Buffer.from([Property.CorrelationData]), lengthPrefixed('correlationData', correlationData));
  for (const [name, value] of properties.userProperties ?? []) {
    parts.push(Buffer.from([Property.UserProperty]), text('a user property', name), text('a user property', value));
  }
  return parts.length === 0 ? EMPTY : Buffer.concat(parts);
}

function payloadFormatProperty(value: number): Buffer {
  if (value !== 0 && value !== 1) throw new InvalidArgument('payloadFormatIndicator must be 0 or 1');
  return Buffer.from([Property.PayloadFormatIndicator, value]);
}

function expiryProperty(seconds: number): Buffer {
  if (!Number.isInteger(seconds) || seconds < 0 || seconds > 0xffffffff) {
    throw new InvalidArgument('messageExpiryInterval must be a whole number of seconds from 0 to 4294967295');
  }
  const bytes = Buffer.alloc(5);
  bytes[0] = Property.MessageExpiryInterval;
  bytes.writeUInt32BE(seconds, 1);
  return bytes;
}

function text(name: string, value: string): Buffer {
  utf8String(name, value);
  return lengthPrefixed(name, Buffer.from(value));
}

function lengthPrefixed(name: string, content: Buffer): Buffer {
  binaryData(name, content);
  const bytes = Buffer.allocUnsafe(2 + content.length);
  bytes.writeUInt16BE(content.length);
  content.copy(bytes, 2);
  return bytes;
}
