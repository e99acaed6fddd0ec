/**
 * Writes a Message as a PUBLISH of any protocol version (section 3.3): first `measure`, then `write` into a buffer with
 * that much room. One writer serves everybody; what varies per receiver is set in its fields beforehand and stays set.
 * Property bytes of the publisher are copied as they are, ours (alias, identifiers) go in front of them.
 */
import type { Message, Qos } from '../core/message.js';
import * as Property from './property-walker.js';
import { sizeOfLength, writeLength } from './variable-byte-integer.js';

export class PublishWriter {
  isVersion5 = false;
  qos: Qos = 0;
  retain = false;
  duplicate = false;
  /** Ignored for QoS 0. */
  packetId = 0;
  /** Subscription Identifiers to list [MQTT-3.3.4-4]; MQTT 5 only. */
  identifiers: readonly number[] | null = null;
  /** Topic Alias to carry, or 0; MQTT 5 only. */
  topicAlias = 0;
  /** The receiver knows the alias: leave the topic out. */
  omitTopic = false;
  /** Stands in front of the topic name; the topic must not be omitted then. */
  topicPrefix: Buffer | null = null;
  /** Encoded properties in front of the publisher's; MQTT 5 only. */
  ownProperties: Buffer | null = null;
  /** Seconds left of the Message Expiry Interval, or -1 to leave the received value. */
  expirySeconds = -1;

  #propertiesLength = 0;
  #remaining = 0;

  /** Bytes that the packet will take, fixed header included. Also prepares {@link write}. */
  measure(message: Message): number {
    let remaining = 2 + (message.payloadEnd - message.payloadStart);
    if (!this.omitTopic) remaining += message.topicEnd - message.topicStart;
    if (this.topicPrefix !== null) remaining += this.topicPrefix.length;
    if (this.qos > 0) remaining += 2;
    if (this.isVersion5) {
      let properties = message.propertiesEnd - message.propertiesStart;
      if (this.topicAlias > 0) properties += 3;
      if (this.ownProperties !== null) properties += this.ownProperties.length;
      if (this.identifiers !== null) {
        for (const identifier of this.identifiers) properties += 1 + sizeOfLength(identifier);
      }
      this.#propertiesLength = properties;
      remaining += sizeOfLength(properties) + properties;
    }
    this.#remaining = remaining;
    return 1 + sizeOfLength(remaining) + remaining;
  }

  /** Writes the packet that was just measured at `offset`; returns the offset behind it. */
  write(message: Message, target: Buffer, offset: number): number {
    const end = this.writeHead(message, target, offset);
    return end + message.bytes.copy(target, end, message.payloadStart, message.payloadEnd);
  }

  /** Writes what stands before the payload, and returns the offset behind that. */
  writeHead(message: Message, target: Buffer, offset: number): number {
    target[offset] = 0x30 | (this.duplicate ? 0x08 : 0) | (this.qos << 1) | (this.retain ? 1 : 0);
    let end = writeLength(target, offset + 1, this.#remaining);
    const prefixLength = this.topicPrefix === null ? 0 : this.topicPrefix.length;
    const topicLength = this.omitTopic ? 0 : message.topicEnd - message.topicStart;
    target[end++] = (prefixLength + topicLength) >> 8;
    target[end++] = (prefixLength + topicLength) & 0xff;
    if (this.topicPrefix !== null) end += this.topicPrefix.copy(target, end);
    if (topicLength > 0) end += message.bytes.copy(target, end, message.topicStart, message.topicEnd);
    if (this.qos > 0) {
      target[end++] = this.packetId >> 8;
      target[end++] = this.packetId & 0xff;
    }
    return this.isVersion5 ? this.#writeProperties(message, target, end) : end;
  }

  #writeProperties(message: Message, target: Buffer, offset: number): number {
    let end = writeLength(target, offset, this.#propertiesLength);
    if (this.topicAlias > 0) {
      target[end++] = Property.TopicAlias;
      target[end++] = this.topicAlias >> 8;
      target[end++] = this.topicAlias & 0xff;
    }
    if (this.identifiers !== null) {
      for (const identifier of this.identifiers) {
        target[end++] = Property.SubscriptionIdentifier;
        end = writeLength(target, end, identifier);
      }
    }
    if (this.ownProperties !== null) end += this.ownProperties.copy(target, end);
    if (message.propertiesEnd > message.propertiesStart) {
      message.bytes.copy(target, end, message.propertiesStart, message.propertiesEnd);
      if (message.expiryOffset !== -1 && this.expirySeconds !== -1) {
        // [MQTT-3.3.2-6]
        target.writeUInt32BE(this.expirySeconds, end + message.expiryOffset - message.propertiesStart);
      }
      end += message.propertiesEnd - message.propertiesStart;
    }
    return end;
  }
}
