/**
 * Reads a PUBLISH from the bytes as received (section 3.3). One decoder serves all connections: each call overwrites
 * the result, nothing is allocated, and what shall outlive the call is cloned by whoever keeps it.
 * The topic is not decoded here: most publishers repeat themselves, so the connection compares bytes first.
 */
import { MalformedPacket, ProtocolViolation } from '../core/errors.js';
import { Message, type Qos } from '../core/message.js';
import { ReasonCode } from '../core/reason-code.js';
import { expectTopicName } from './control-properties.js';
import * as Property from './property-walker.js';
import { sizeOfLength, writeLength } from './variable-byte-integer.js';

const PUBLISH_PROPERTIES = Property.propertySet(
  Property.PayloadFormatIndicator,
  Property.MessageExpiryInterval,
  Property.TopicAlias,
  Property.ResponseTopic,
  Property.CorrelationData,
  Property.UserProperty,
  Property.SubscriptionIdentifier,
  Property.ContentType,
);

/** Bytes that the Topic Alias property takes: identifier and two-byte integer. */
const ALIAS_LENGTH = 3;

export class PublishDecoder implements Property.PropertyVisitor {
  /** The decoded content; `topic` and the publisher's fields are left to the caller. Valid until the next call. */
  readonly message = new Message();
  /** 0 for QoS 0. */
  packetId = 0;
  duplicate = false;
  /** 0 for none. */
  topicAlias = 0;
  /** Seconds, or -1 for none. */
  expirySeconds = -1;
  /** The whole packet, in `message.bytes`. */
  frameStart = 0;
  frameEnd = 0;
  /** The packet was sent by an MQTT 5 client and has a property section. */
  hasPropertySection = false;
  #aliasOffset = -1;

  /**
   * Decodes `bytes[start, end)`, a whole packet whose variable header begins at `bodyStart`.
   * @throws MalformedPacket or ProtocolViolation by the clause that is broken
   */
  decode(bytes: Buffer, start: number, bodyStart: number, end: number, isVersion5: boolean): void {
    const message = this.message;
    const header = bytes[start] as number;
    const qos = (header >> 1) & 3;
    if (qos === 3) throw new MalformedPacket('PUBLISH has QoS 3 [MQTT-3.3.1-4]');
    this.duplicate = (header & 0x08) !== 0;
    if (this.duplicate && qos === 0) throw new MalformedPacket('PUBLISH has DUP with QoS 0 [MQTT-3.3.1-2]');
    message.bytes = bytes;
    message.qos = qos as Qos;
    message.retain = (header & 0x01) !== 0;
    this.frameStart = start;
    this.frameEnd = end;

    let offset = bodyStart + 2;
    if (offset > end) throw new MalformedPacket('PUBLISH ends within its topic name');
    message.topicStart = offset;
    offset += ((bytes[bodyStart] as number) << 8) | (bytes[bodyStart + 1] as number);
    if (offset > end) throw new MalformedPacket('PUBLISH ends within its topic name');
    message.topicEnd = offset;

    this.packetId = 0;
    if (qos > 0) {
      if (offset + 2 > end) throw new MalformedPacket('PUBLISH ends within its packet identifier');
      this.packetId = ((bytes[offset] as number) << 8) | (bytes[offset + 1] as number);
      if (this.packetId === 0) throw new MalformedPacket('PUBLISH has packet identifier 0 [MQTT-2.2.1-3]');
      offset += 2;
    }

    this.topicAlias = 0;
    this.expirySeconds = -1;
    message.expiryOffset = -1;
    this.hasPropertySection = isVersion5;
    if (isVersion5) offset = this.#decodeProperties(bytes, offset, end);
    else {
      message.propertiesStart = offset;
      message.propertiesEnd = offset;
    }
    message.payloadStart = offset;
    message.payloadEnd = end;
  }

  #decodeProperties(bytes: Buffer, offset: number, end: number): number {
    const message = this.message;
    const length = Property.readVariableByteInteger(bytes, offset, end);
    const propertiesStart = Property.variableByteIntegerEnd;
    const propertiesEnd = propertiesStart + length;
    if (propertiesEnd > end) throw new MalformedPacket('PUBLISH ends within its properties');
    message.propertiesStart = propertiesStart;
    message.propertiesEnd = propertiesEnd;
    if (length > 0) Property.walkProperties(bytes, propertiesStart, propertiesEnd, PUBLISH_PROPERTIES, this);
    return propertiesEnd;
  }

  onProperty(id: number, value: number, bytes: Buffer, valueStart: number, valueEnd: number): void {
    switch (id) {
      case Property.PayloadFormatIndicator:
        if (value > 1) throw new ProtocolViolation(ReasonCode.ProtocolError, 'Payload Format Indicator is not 0 or 1');
        break;
      case Property.MessageExpiryInterval:
        this.expirySeconds = value;
        this.message.expiryOffset = valueStart;
        break;
      case Property.TopicAlias:
        // [MQTT-3.3.2-8]
        if (value === 0) throw new ProtocolViolation(ReasonCode.TopicAliasInvalid, 'Topic Alias is 0 [MQTT-3.3.2-8]');
        this.topicAlias = value;
        this.#aliasOffset = valueStart - 1;
        break;
      case Property.ResponseTopic:
        expectTopicName(bytes, valueStart + 2, valueEnd, 'the Response Topic [MQTT-3.3.2-14]');
        break;
      case Property.SubscriptionIdentifier:
        throw new ProtocolViolation(
          ReasonCode.ProtocolError,
          'PUBLISH from a client carries a Subscription Identifier [MQTT-3.3.4-6]',
        );
    }
  }

  /**
   * Turns a packet that uses a Topic Alias into one that spells its topic out and has no alias, in a buffer of its own:
   * an alias means nothing to anybody but the connection on which it was set [MQTT-3.3.2-7].
   */
  resolveAlias(topic: Buffer): void {
    const { message } = this;
    const { bytes, propertiesStart, propertiesEnd, payloadStart, payloadEnd } = message;
    const propertiesLength = propertiesEnd - propertiesStart - ALIAS_LENGTH;
    const idLength = message.qos > 0 ? 2 : 0;
    const remaining =
      2 + topic.length + idLength + sizeOfLength(propertiesLength) + propertiesLength + (payloadEnd - payloadStart);
    const resolved = Buffer.allocUnsafeSlow(1 + sizeOfLength(remaining) + remaining);
    resolved[0] = bytes[this.frameStart] as number;
    let offset = writeLength(resolved, 1, remaining);
    offset = resolved.writeUInt16BE(topic.length, offset);
    message.topicStart = offset;
    offset += topic.copy(resolved, offset);
    message.topicEnd = offset;
    if (idLength > 0) offset = resolved.writeUInt16BE(this.packetId, offset);
    offset = writeLength(resolved, offset, propertiesLength);
    message.propertiesStart = offset;
    offset += bytes.copy(resolved, offset, propertiesStart, this.#aliasOffset);
    const shift = offset - (this.#aliasOffset + ALIAS_LENGTH);
    if (message.expiryOffset > this.#aliasOffset) message.expiryOffset += shift;
    else if (message.expiryOffset !== -1) message.expiryOffset += message.propertiesStart - propertiesStart;
    offset += bytes.copy(resolved, offset, this.#aliasOffset + ALIAS_LENGTH, propertiesEnd);
    message.propertiesEnd = offset;
    message.payloadStart = offset;
    offset += bytes.copy(resolved, offset, payloadStart, payloadEnd);
    message.payloadEnd = offset;
    message.bytes = resolved;
    this.frameStart = 0;
    this.frameEnd = offset;
  }
}
