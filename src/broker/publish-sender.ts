/**
 * Writes PUBLISH packets of one client into its outbound buffer, in its protocol version and within its limits. Takes
 * the shared encoding where the client gets the same bytes as others, and writes its own where it does not
 * (Subscription Identifiers, Topic Aliases, messages that had to wait).
 */
import type { PublishEncoder } from '../codec/publish-encoder.js';
import { PublishWriter } from '../codec/publish-writer.js';
import { sizeOfLength } from '../codec/variable-byte-integer.js';
import type { Message, Qos } from '../core/message.js';
import type { OutboundBuffer } from '../transport/outbound-buffer.js';
import type { BrokerMetrics } from './broker-metrics.js';
import { OutboundAliases } from './outbound-aliases.js';

/** More than a PUBLISH can have around its topic, properties and payload, Subscription Identifiers excepted. */
const FRAMING_BYTES = 24;

const writer = new PublishWriter();

export class PublishSender {
  readonly #outbound: OutboundBuffer;
  readonly #encoder: PublishEncoder;
  readonly #metrics: BrokerMetrics;
  readonly #isVersion5: boolean;
  readonly #maximumPacketSize: number;
  readonly #aliases: OutboundAliases | null;

  constructor(
    outbound: OutboundBuffer,
    encoder: PublishEncoder,
    metrics: BrokerMetrics,
    isVersion5: boolean,
    maximumPacketSize: number,
    topicAliasMaximum: number,
  ) {
    this.#outbound = outbound;
    this.#encoder = encoder;
    this.#metrics = metrics;
    this.#isVersion5 = isVersion5;
    this.#maximumPacketSize = maximumPacketSize;
    this.#aliases = topicAliasMaximum > 0 ? new OutboundAliases(topicAliasMaximum) : null;
  }

  /** The packet, with its topic spelt out, is within the client's Maximum Packet Size [MQTT-3.1.2-24]. */
  fits(message: Message, qos: Qos, identifiers: readonly number[] | null): boolean {
    if (message.span + FRAMING_BYTES <= this.#maximumPacketSize && identifiers === null) return true;
    let properties = message.propertiesEnd - message.propertiesStart + (this.#aliases === null ? 0 : 3);
    if (identifiers !== null) for (const identifier of identifiers) properties += 1 + sizeOfLength(identifier);
    let remaining = 2 + message.topicEnd - message.topicStart + message.payloadEnd - message.payloadStart;
    if (qos > 0) remaining += 2;
    if (this.#isVersion5) remaining += sizeOfLength(properties) + properties;
    return 1 + sizeOfLength(remaining) + remaining <= this.#maximumPacketSize;
  }

  /** Sends the message that the encoder has been set to. */
  sendShared(message: Message, qos: Qos, packetId: number, retain: boolean): void {
    const encoder = this.#encoder;
    encoder.encode(this.#isVersion5, qos, retain);
    const { bytes, start, end } = encoder;
    this.#metrics.publishBytesSent += message.payloadEnd - message.payloadStart;
    if (qos === 0) {
      this.#outbound.append(bytes, start, end);
      return;
    }
    const firstByte = 0x30 | (qos << 1) | (retain ? 1 : 0);
    if (encoder.isExclusive) {
      bytes[start] = firstByte;
      bytes[encoder.idOffset] = packetId >> 8;
      bytes[encoder.idOffset + 1] = packetId & 0xff;
      this.#outbound.append(bytes, start, end);
      return;
    }
    this.#outbound.appendPatched(bytes, start, end, firstByte, encoder.idOffset, packetId);
  }

  /** The client gets the same bytes as others of its version. */
  canShare(identifiers: readonly number[] | null): boolean {
    return this.#aliases === null && (identifiers === null || !this.#isVersion5);
  }

  /** Sends `message` in an encoding of its own. `nowMs` counts its expiry down [MQTT-3.3.2-6]. */
  sendOwn(
    message: Message,
    qos: Qos,
    packetId: number,
    retain: boolean,
    identifiers: readonly number[] | null,
    isDuplicate: boolean,
    nowMs: number,
  ): void {
    writer.isVersion5 = this.#isVersion5;
    writer.qos = qos;
    writer.retain = retain;
    writer.duplicate = isDuplicate;
    writer.packetId = packetId;
    writer.identifiers = identifiers;
    writer.expirySeconds = message.expiresAtMs === 0 ? -1 : message.remainingExpirySeconds(nowMs);
    writer.topicAlias = this.#aliases === null ? 0 : this.#aliases.assign(message.topic);
    writer.omitTopic = writer.topicAlias > 0 && this.#aliases !== null && this.#aliases.isKnown;
    const length = writer.measure(message);
    const target = this.#outbound.reserve(length);
    writer.write(message, target, this.#outbound.reservedAt);
    this.#metrics.publishBytesSent += message.payloadEnd - message.payloadStart;
  }
}
