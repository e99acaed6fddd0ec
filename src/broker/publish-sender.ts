/**
 * The front of a session: writes its PUBLISH packets into the client's outbound buffer, in the client's protocol version
 * and within its limits. Takes the shared encoding where the client gets the same bytes as others, and writes its own
 * where it does not (Subscription Identifiers, Topic Aliases, messages that had to wait).
 */
import * as PacketType from '../codec/packet-type.js';
import { PublishWriter } from '../codec/publish-writer.js';
import { sizeOfLength } from '../codec/variable-byte-integer.js';
import type { Message, Qos } from '../core/message.js';
import type { Publication } from '../core/publication.js';
import type { SessionFront } from '../sessions/session-front.js';
import { LARGE_RUN_BYTES, type OutboundBuffer } from '../transport/outbound-buffer.js';
import type { BrokerContext } from './broker-context.js';
import { OutboundAliases } from './outbound-aliases.js';
import { RateMeter } from './rate-meter.js';

/** More than a PUBLISH can have around its topic, properties and payload, Subscription Identifiers excepted. */
const FRAMING_BYTES = 24;

/** Of a topic name, as of any string (section 1.5.4). */
const LONGEST_STRING_BYTES = 65_535;

/** Of a client that has set no Maximum Packet Size: no packet can be larger (section 2.1.4). A small integer, which needs no memory of its own. */
export const UNLIMITED_PACKET_SIZE = 0x3fffffff;

/** Told that messages gather because the client does not read them. */
export interface BacklogHandler {
  /** The outbound buffer is above its soft limit, or the session's queue is. */
  onCongested(publication: Publication): void;
  /** The outbound buffer is above its hard limit. */
  onOverrun(): void;
  /** The session waits for the journal. */
  onAwaitingCommit(): void;
  /** The session has sent what it had to read first. */
  onLoaded(): void;
  /** The client has been sent as much as its rate allows; more may be sent after so many ms. */
  onPaced(waitMs: number): void;
}

export interface ReceiverTerms {
  readonly isVersion5: boolean;
  /** It is a bridge: it gets RETAIN as published in MQTT 3 too. */
  readonly isBridge: boolean;
  /** Bytes; {@link UNLIMITED_PACKET_SIZE} for none. */
  readonly maximumPacketSize: number;
  /** Aliases that we may use towards the client. */
  readonly topicAliasMaximum: number;
}

const writer = new PublishWriter();

export class PublishSender implements SessionFront {
  readonly #context: BrokerContext;
  readonly #outbound: OutboundBuffer;
  readonly #backlog: BacklogHandler;
  readonly #isVersion5: boolean;
  readonly knowsRetainAsPublished: boolean;
  readonly #maximumPacketSize: number;
  readonly #aliases: OutboundAliases | null;
  readonly #rate: RateMeter | null;

  constructor(context: BrokerContext, outbound: OutboundBuffer, backlog: BacklogHandler, terms: ReceiverTerms) {
    this.#context = context;
    this.#outbound = outbound;
    this.#backlog = backlog;
    this.#isVersion5 = terms.isVersion5;
    this.knowsRetainAsPublished = terms.isVersion5 || terms.isBridge;
    this.#maximumPacketSize = terms.maximumPacketSize;
    this.#aliases = terms.topicAliasMaximum > 0 ? new OutboundAliases(terms.topicAliasMaximum) : null;
    this.#rate = RateMeter.outbound(context.limits, context.clock.now());
  }

  get hasRoom(): boolean {
    const hasSpace = this.#outbound.gatheredBytes < this.#context.limits.outboundSoftLimitBytes;
    return this.#rate === null ? hasSpace : hasSpace && this.#rate.hasRoom(this.#context.clock.now());
  }

  fits(message: Message, qos: Qos, identifiers: readonly number[] | null): boolean {
    if (identifiers === null && message.span + FRAMING_BYTES <= this.#maximumPacketSize) return true;
    return this.#maximumPacketSize === UNLIMITED_PACKET_SIZE || this.#fitsExactly(message, qos, identifiers);
  }

  onCongested(publication: Publication): void {
    this.#backlog.onCongested(publication);
  }

  onAwaitingCommit(): void {
    this.#backlog.onAwaitingCommit();
  }

  onLoaded(): void {
    this.#backlog.onLoaded();
  }

  sendPublication(
    publication: Publication,
    qos: Qos,
    packetId: number,
    retain: boolean,
    identifiers: readonly number[] | null,
  ): void {
    // QoS 0 waits nowhere.
    if (this.#rate !== null && qos === 0 && !this.#rate.hasRoom(this.#context.clock.now())) {
      this.#context.drops.count('message-rate');
      return;
    }
    if (this.#aliases === null && (identifiers === null || !this.#isVersion5)) {
      this.#sendShared(publication.message, qos, packetId, retain);
    } else this.#sendOwn(publication.message, qos, packetId, retain, identifiers, false);
    const { gatheredBytes } = this.#outbound;
    const { limits } = this.#context;
    if (gatheredBytes <= limits.outboundSoftLimitBytes) return;
    // Without the last one: a message above the limit alone does not make its receiver slow.
    if (gatheredBytes - publication.message.span > limits.outboundHardLimitBytes) this.#backlog.onOverrun();
    else this.#backlog.onCongested(publication);
  }

  sendMessage(
    message: Message,
    qos: Qos,
    packetId: number,
    retain: boolean,
    identifiers: readonly number[] | null,
  ): void {
    this.#sendOwn(message, qos, packetId, retain, identifiers, false);
  }

  /**
   * Sends a message of a work queue.
   * @param packetId 0 for QoS 0
   * @param topicPrefix stands in front of its topic name, if not null
   * @param properties in front of its own, if not null
   * @returns false if it is too large for the client [MQTT-3.1.2-24]; nothing is sent then
   */
  sendWork(
    message: Message,
    packetId: number,
    identifiers: readonly number[] | null,
    topicPrefix: Buffer | null,
    properties: Buffer | null,
  ): boolean {
    const topicLength = (topicPrefix?.length ?? 0) + message.topicEnd - message.topicStart;
    if (topicLength > LONGEST_STRING_BYTES) return false;
    this.#prepare(message, packetId === 0 ? 0 : 1, packetId, false, identifiers, false);
    // The aliases stand for topics without a prefix.
    writer.topicAlias = 0;
    writer.omitTopic = false;
    writer.topicPrefix = topicPrefix;
    writer.ownProperties = properties;
    const length = writer.measure(message);
    const isSent = length <= this.#maximumPacketSize;
    if (isSent) this.#write(message, length);
    writer.topicPrefix = null;
    writer.ownProperties = null;
    return isSent;
  }

  resendPublish(
    message: Message,
    qos: Qos,
    packetId: number,
    retain: boolean,
    identifiers: readonly number[] | null,
  ): void {
    this.#sendOwn(message, qos, packetId, retain, identifiers, true); // [MQTT-3.3.1-1]
  }

  resendPubrel(packetId: number): void {
    this.#context.metrics.packetsSent[PacketType.PUBREL]++;
    this.#outbound.appendFour((PacketType.PUBREL << 4) | 2, 2, packetId);
  }

  /** Sends the message that the router's encoder has been set to. */
  #sendShared(message: Message, qos: Qos, packetId: number, retain: boolean): void {
    this.#countSent(message);
    const { encoder } = this.#context.router;
    encoder.encode(this.#isVersion5, qos, retain);
    const { bytes, start, end } = encoder;
    if (qos === 0) {
      this.#outbound.append(bytes, start, end);
      return;
    }
    const firstByte = 0x30 | (qos << 1) | (retain ? 1 : 0);
    if (!encoder.isExclusive) {
      this.#outbound.appendPatched(encoder.packet, firstByte, encoder.idOffset - start, packetId);
      return;
    }
    bytes[start] = firstByte;
    bytes[encoder.idOffset] = packetId >> 8;
    bytes[encoder.idOffset + 1] = packetId & 0xff;
    this.#outbound.append(bytes, start, end);
  }

  #sendOwn(
    message: Message,
    qos: Qos,
    packetId: number,
    retain: boolean,
    identifiers: readonly number[] | null,
    isDuplicate: boolean,
  ): void {
    this.#prepare(message, qos, packetId, retain, identifiers, isDuplicate);
    writer.topicAlias = this.#aliases === null ? 0 : this.#aliases.assign(message.topic);
    writer.omitTopic = writer.topicAlias > 0 && this.#aliases !== null && this.#aliases.isKnown;
    this.#write(message, writer.measure(message));
  }

  #prepare(
    message: Message,
    qos: Qos,
    packetId: number,
    retain: boolean,
    identifiers: readonly number[] | null,
    isDuplicate: boolean,
  ): void {
    writer.isVersion5 = this.#isVersion5;
    writer.qos = qos;
    writer.retain = retain;
    writer.duplicate = isDuplicate;
    writer.packetId = packetId;
    writer.identifiers = identifiers;
    // [MQTT-3.3.2-6]
    const isExpiring = message.expiresAtMs !== 0;
    writer.expirySeconds = isExpiring ? message.remainingExpirySeconds(this.#context.clock.now()) : -1;
  }

  /** @param length as the writer has measured it */
  #write(message: Message, length: number): void {
    this.#countSent(message);
    const { payloadStart, payloadEnd } = message;
    const isLarge = payloadEnd - payloadStart >= LARGE_RUN_BYTES;
    const target = this.#outbound.reserve(isLarge ? length - (payloadEnd - payloadStart) : length);
    if (!isLarge) {
      writer.write(message, target, this.#outbound.reservedAt);
      return;
    }
    writer.writeHead(message, target, this.#outbound.reservedAt);
    this.#outbound.append(message.bytes, payloadStart, payloadEnd);
  }

  #countSent(message: Message): void {
    const { metrics } = this.#context;
    metrics.packetsSent[PacketType.PUBLISH]++;
    metrics.publishBytesSent += message.payloadEnd - message.payloadStart;
    if (this.#rate !== null) this.#pace(this.#rate, message);
  }

  #pace(rate: RateMeter, message: Message): void {
    const nowMs = this.#context.clock.now();
    rate.spend(message.span, nowMs);
    const waitMs = rate.waitMs(nowMs);
    if (waitMs > 0) this.#backlog.onPaced(waitMs);
  }

  /** The whole packet counts, with its topic spelt out [MQTT-3.1.2-24]. */
  #fitsExactly(message: Message, qos: Qos, identifiers: readonly number[] | null): boolean {
    let remaining = 2 + message.topicEnd - message.topicStart + message.payloadEnd - message.payloadStart;
    if (qos > 0) remaining += 2;
    if (this.#isVersion5) {
      let properties = message.propertiesEnd - message.propertiesStart + (this.#aliases === null ? 0 : 3);
      if (identifiers !== null) for (const identifier of identifiers) properties += 1 + sizeOfLength(identifier);
      remaining += sizeOfLength(properties) + properties;
    }
    return 1 + sizeOfLength(remaining) + remaining <= this.#maximumPacketSize;
  }
}
