/**
 * One client's connection: the MQTT protocol machine (chapters 3 and 4). It lives as long as its socket; what outlives
 * that is in its Session, which it serves as front.
 *
 *   channel ─bytes▶ FrameSplitter ─packets▶ here ─▶ Router ─▶ sessions ─▶ their fronts ─▶ OutboundBuffer ─bytes▶ channel
 */
import type { ConnectDecision } from '../auth/authenticator.js';
import { decodeConnect, decodeControlPacket } from '../codec/control-decoder.js';
import { encodeConnack, encodeDisconnect, encodeSuback, encodeUnsuback, PINGRESP } from '../codec/control-encoder.js';
import type { ConnectPacket, DisconnectPacket } from '../codec/control-packet.js';
import { type FrameSink, FrameSplitter } from '../codec/frame-splitter.js';
import * as PacketType from '../codec/packet-type.js';
import { peekProtocolVersion } from '../codec/protocol-level.js';
import { readUtf8 } from '../codec/utf8.js';
import type { CloseReason } from '../core/close-reason.js';
import { MalformedPacket, ProtocolViolation, UnsupportedProtocol } from '../core/errors.js';
import type { Message, Qos } from '../core/message.js';
import type { CongestedReceiver, HeldPublisher, Publication } from '../core/publication.js';
import { ReasonCode } from '../core/reason-code.js';
import type { DeliveryOptions } from '../core/subscriber.js';
import { WheelTimer } from '../core/timing-wheel.js';
import type { Session } from '../sessions/session.js';
import type { SessionFront } from '../sessions/session-front.js';
import type { Ticket } from '../store/ticket.js';
import { validateTopicName } from '../topics/topic-name.js';
import type { ByteChannel, ChannelCloseReason, ChannelHandler } from '../transport/byte-channel.js';
import { OutboundBuffer } from '../transport/outbound-buffer.js';
import { AcknowledgementGate } from './acknowledgement-gate.js';
import { acknowledgementDecoder, type BrokerContext, publishDecoder } from './broker-context.js';
import type { ClientInfo } from './broker-events.js';
import { acceptance, type ConnectTerms, openSession, type Refusal, refusalOf, settleTerms } from './connect-handler.js';
import { ConsumerPressure } from './consumer-pressure.js';
import { PublishSender } from './publish-sender.js';
import type { ReplayTarget, RetainedReplay } from './retained-replay.js';
import type { TopicEntry } from './router.js';
import { subscribe, unsubscribe } from './subscription-handler.js';

/** A CONNECT has no business being larger, and its sender is nobody yet. */
const MAXIMUM_CONNECT_BYTES = 64 * 1024;
const UNLIMITED = Number.MAX_SAFE_INTEGER;

/** Why no further input is handled, as bits. */
const HELD_BY_RECEIVER = 1;
const HELD_BY_JOURNAL = 2;
const HELD_BY_AUTHENTICATION = 4;
const HELD_FOR_GOOD = 8;

/** Closes a connection that says nothing: before CONNECT, and by its keep alive afterwards. */
class SilenceTimer extends WheelTimer {
  readonly #connection: ClientConnection;

  constructor(connection: ClientConnection) {
    super();
    this.#connection = connection;
  }

  override onDue(nowMs: number): void {
    this.#connection.onSilence(nowMs);
  }
}

export class ClientConnection
  implements ChannelHandler, FrameSink, SessionFront, HeldPublisher, CongestedReceiver, ReplayTarget
{
  readonly #context: BrokerContext;
  readonly #channel: ByteChannel;
  readonly #outbound: OutboundBuffer;
  readonly #splitter = new FrameSplitter();
  readonly #silence: SilenceTimer;
  #holds = 0;
  #receivedAtMs: number;
  /** Longest silence allowed, ms; 0 for any. */
  #silenceLimitMs: number;
  #maximumPacketSize = MAXIMUM_CONNECT_BYTES;
  #hasConnectFrame = false;

  // Set by an accepted CONNECT.
  #session: Session | null = null;
  #epoch = 0;
  #protocolVersion: PacketType.ProtocolVersion = 4;
  #isVersion5 = false;
  #info: ClientInfo | null = null;
  #sender: PublishSender | null = null;
  #clientPacketLimit = UNLIMITED;
  #willOnDisconnect = false;

  // Taken when needed.
  #lastTopic: TopicEntry | null = null;
  #aliases: (TopicEntry | undefined)[] | null = null;
  #gate: AcknowledgementGate | null = null;
  #pressure: ConsumerPressure | null = null;
  #replays: RetainedReplay[] | null = null;

  constructor(channel: ByteChannel, context: BrokerContext) {
    this.#context = context;
    this.#channel = channel;
    this.#outbound = new OutboundBuffer(channel, context.flushQueue);
    this.#receivedAtMs = context.clock.now();
    this.#silenceLimitMs = context.limits.connectTimeoutMs;
    this.#silence = new SilenceTimer(this);
    context.wheel.arm(this.#silence, this.#receivedAtMs + this.#silenceLimitMs);
    context.metrics.socketsAccepted++;
    channel.setHandler(this);
  }

  get info(): ClientInfo | null {
    return this.#info;
  }

  get #isClosed(): boolean {
    return (this.#holds & HELD_FOR_GOOD) !== 0;
  }

  // ---------------------------------------------------------------- input

  onBytes(chunk: Buffer): void {
    this.#context.metrics.bytesReceived += chunk.length;
    this.#receivedAtMs = this.#context.clock.now();
    this.#handleInput(chunk);
  }

  /** @param chunk null to go on with what was held back */
  #handleInput(chunk: Buffer | null): void {
    try {
      if (chunk !== null) this.#splitter.push(chunk, this.#maximumPacketSize, this);
      else this.#splitter.resume(this.#maximumPacketSize, this);
    } catch (error) {
      this.#onInputError(error);
    }
    if (!this.#isClosed && this.#session !== null) this.#afterProgress();
  }

  onFrame(bytes: Buffer, start: number, bodyStart: number, end: number): boolean {
    const type = (bytes[start] as number) >> 4;
    this.#context.metrics.packetsReceived[type]++;
    const session = this.#session;
    if (session === null) this.#onFirstFrame(bytes.subarray(start, end));
    else if (type === PacketType.PUBLISH) this.#onPublish(session, bytes, start, bodyStart, end);
    else if (type >= PacketType.PUBACK && type <= PacketType.PUBCOMP) {
      acknowledgementDecoder.decode(bytes, start, bodyStart, end, this.#isVersion5);
      this.#onAcknowledgement(session, type, acknowledgementDecoder.packetId, acknowledgementDecoder.reasonCode);
    } else this.#onControlFrame(session, bytes.subarray(start, end));
    return this.#holds === 0;
  }

  #onInputError(error: unknown): void {
    if (!(error instanceof ProtocolViolation)) {
      this.#context.logger.error({ err: error, ...this.#info }, 'a packet could not be handled');
      this.close('internal-error', ReasonCode.UnspecifiedError);
      return;
    }
    this.#context.logger.debug({ code: error.code, reason: error.message, ...this.#info }, 'protocol violation');
    const reason = error.reasonCode === ReasonCode.PacketTooLarge ? 'packet-too-large' : 'protocol-violation';
    this.close(reason, error.reasonCode, error.message);
  }

  // ---------------------------------------------------------------- CONNECT

  #onFirstFrame(frame: Buffer): void {
    // [MQTT-3.1.0-1] decodeConnect refuses anything else.
    if (this.#hasConnectFrame) throw new ProtocolViolation(ReasonCode.ProtocolError, 'a packet before CONNACK');
    this.#hasConnectFrame = true;
    let packet: ConnectPacket;
    try {
      packet = decodeConnect(frame);
    } catch (error) {
      this.#onBadConnect(frame, error);
      return;
    }
    this.#setVersion(packet.protocolVersion);
    if (packet.maximumPacketSize !== undefined) this.#clientPacketLimit = packet.maximumPacketSize;
    const terms = settleTerms(this.#context, packet);
    if ('reasonCode' in terms) this.#refuse(terms);
    else this.#authenticate(packet, terms);
  }

  #setVersion(version: PacketType.ProtocolVersion): void {
    this.#protocolVersion = version;
    this.#isVersion5 = version === 5;
  }

  /** A client that we can tell what is wrong is told, in the form that it can read; others are just closed. */
  #onBadConnect(frame: Buffer, error: unknown): void {
    if (!(error instanceof ProtocolViolation)) throw error;
    if (error instanceof UnsupportedProtocol) this.#setVersion(error.answerVersion);
    else {
      // MQTT 3.1.1 closes without CONNACK what is malformed [MQTT-3.1.4-1].
      if (peekProtocolVersion(frame) !== 5) throw error;
      this.#setVersion(5);
    }
    this.#refuse({ reasonCode: error.reasonCode, message: error.message });
  }

  #authenticate(packet: ConnectPacket, terms: ConnectTerms): void {
    const { listener, remoteAddress } = this.#channel;
    const answer = this.#context.authenticator.authenticate({
      clientId: terms.clientId,
      username: packet.username,
      password: packet.password,
      remoteAddress,
      listenerName: listener.name,
      isLoopback: listener.isLoopback,
    });
    if (!(answer instanceof Promise)) {
      this.#onDecision(packet, terms, answer);
      return;
    }
    this.#hold(HELD_BY_AUTHENTICATION);
    answer.then(
      (decision) => {
        if (this.#isClosed) return;
        this.#onDecision(packet, terms, decision);
        this.#release(HELD_BY_AUTHENTICATION);
      },
      (error: unknown) => {
        this.#context.logger.error({ err: error }, 'the authenticator failed');
        this.#refuse({ reasonCode: ReasonCode.ServerUnavailable, message: 'authentication is not available' });
      },
    );
  }

  #onDecision(packet: ConnectPacket, terms: ConnectTerms, decision: ConnectDecision): void {
    const refusal = refusalOf(decision);
    if (refusal !== null) {
      this.#refuse(refusal);
      return;
    }
    const { session, isPresent } = openSession(this.#context, terms);
    this.#accept(packet, terms, session, isPresent);
  }

  #accept(packet: ConnectPacket, terms: ConnectTerms, session: Session, isPresent: boolean): void {
    const { limits, metrics, connections, events, wheel } = this.#context;
    this.#session = session;
    this.#maximumPacketSize = limits.maximumPacketSize;
    this.#info = {
      clientId: terms.clientId,
      username: packet.username,
      protocolVersion: packet.protocolVersion,
      remoteAddress: this.#channel.remoteAddress,
      listener: this.#channel.listener.name,
    };
    this.#sender = new PublishSender(
      this.#outbound,
      this.#context.router.encoder,
      metrics,
      this.#isVersion5,
      this.#clientPacketLimit,
      Math.min(packet.topicAliasMaximum ?? 0, limits.outboundTopicAliasMaximum),
    );
    // [MQTT-3.1.2-22] one and a half times the keep alive
    this.#silenceLimitMs = terms.keepAliveSeconds * 1500;
    if (this.#silenceLimitMs === 0) wheel.cancel(this.#silence);
    else wheel.arm(this.#silence, this.#receivedAtMs + this.#silenceLimitMs);
    connections.set(terms.clientId, this);
    metrics.connectionsAccepted++;
    metrics.connectionsMaximum = Math.max(metrics.connectionsMaximum, connections.size);
    const window = Math.min(packet.receiveMaximum ?? limits.maximumInflight, limits.maximumInflight);
    this.#epoch = session.attach(this, window);
    this.#sendControl(
      PacketType.CONNACK,
      encodeConnack(
        acceptance(this.#context, packet, terms, isPresent),
        this.#protocolVersion,
        this.#clientPacketLimit,
      ),
    );
    session.resume();
    events.emit('clientConnected', { ...this.#info, sessionPresent: isPresent });
  }

  #refuse(refusal: Refusal): void {
    if (this.#isClosed) return;
    this.#context.logger.debug(
      { reason: refusal.message, address: this.#channel.remoteAddress, listener: this.#channel.listener.name },
      'connection refused',
    );
    const { reasonCode, message: reasonString } = refusal;
    const fields = { sessionPresent: false, reasonCode, reasonString }; // [MQTT-3.2.2-6]
    this.#sendControl(PacketType.CONNACK, encodeConnack(fields, this.#protocolVersion, this.#clientPacketLimit));
    this.close('connect-refused');
  }

  // ---------------------------------------------------------------- PUBLISH, received

  #onPublish(session: Session, bytes: Buffer, start: number, bodyStart: number, end: number): void {
    const { metrics, router } = this.#context;
    publishDecoder.decode(bytes, start, bodyStart, end, this.#isVersion5);
    const { message, packetId } = publishDecoder;
    const entry = this.#topicOf(bytes);
    message.topic = entry.topic;
    message.publisherId = session.clientId;
    message.arrivedAtMs = this.#receivedAtMs;
    message.expiresAtMs =
      publishDecoder.expirySeconds === -1 ? 0 : this.#receivedAtMs + publishDecoder.expirySeconds * 1000;
    metrics.publishBytesReceived += message.payloadEnd - message.payloadStart;
    const { qos } = message;
    // [MQTT-4.3.3-10]
    if (qos === 2 && session.hasReceived(packetId)) {
      this.#answer(0, PacketType.PUBREC, packetId, ReasonCode.Success);
      return;
    }
    if (qos > 0) this.#checkReceiveMaximum(session);
    if (isReserved(entry.topic)) {
      this.#onReservedTopic(qos, packetId);
      return;
    }
    const publication = router.routeReceived(entry, publishDecoder, session);
    if (qos > 0) this.#acknowledge(session, qos, packetId, publication);
    if (publication.congested !== null) this.#waitFor(publication.congested);
  }

  /** The cached entry of the topic that `publishDecoder` holds. Most publishers repeat themselves: compare bytes first. */
  #topicOf(bytes: Buffer): TopicEntry {
    const { topicStart, topicEnd } = publishDecoder.message;
    const { topicAlias } = publishDecoder;
    const last = this.#lastTopic;
    let entry: TopicEntry;
    if (topicEnd === topicStart) entry = this.#topicOfAlias(topicAlias);
    else if (last !== null && isSameTopic(last.bytes, bytes, topicStart, topicEnd)) entry = last;
    else entry = this.#findTopic(bytes, topicStart, topicEnd);
    if (topicAlias > 0) {
      this.#setAlias(topicAlias, entry);
      publishDecoder.resolveAlias(entry.bytes);
    }
    this.#lastTopic = entry;
    return entry;
  }

  #findTopic(bytes: Buffer, start: number, end: number): TopicEntry {
    const topic = readUtf8(bytes, start, end);
    const invalid = validateTopicName(topic, this.#context.limits.maximumTopicLevels);
    if (invalid !== undefined) throw new ProtocolViolation(ReasonCode.TopicNameInvalid, invalid);
    return this.#context.topics.entry(topic);
  }

  #topicOfAlias(topicAlias: number): TopicEntry {
    if (topicAlias === 0) {
      if (!this.#isVersion5) throw new MalformedPacket('PUBLISH has an empty topic name [MQTT-4.7.3-1]');
      throw new ProtocolViolation(ReasonCode.ProtocolError, 'PUBLISH has neither a topic name nor a Topic Alias');
    }
    const entry = this.#aliases?.[topicAlias];
    if (entry === undefined) {
      throw new ProtocolViolation(ReasonCode.ProtocolError, `Topic Alias ${topicAlias} has not been set`);
    }
    return entry;
  }

  #setAlias(topicAlias: number, entry: TopicEntry): void {
    const maximum = this.#context.limits.topicAliasMaximum;
    if (topicAlias > maximum) {
      throw new ProtocolViolation(ReasonCode.TopicAliasInvalid, `Topic Alias ${topicAlias} is above ${maximum}`);
    }
    this.#aliases ??= [];
    this.#aliases[topicAlias] = entry;
  }

  #checkReceiveMaximum(session: Session): void {
    if (session.receivedIds + (this.#gate?.length ?? 0) < this.#context.limits.receiveMaximum) return;
    // [MQTT-3.3.4-7] MQTT 3 has no such limit to keep to; its publishers are held back before they get here.
    if (this.#isVersion5) {
      throw new ProtocolViolation(ReasonCode.ReceiveMaximumExceeded, 'more unacknowledged publishes than allowed');
    }
  }

  /** `$SYS` is the broker's own. MQTT 3 has no way to say so: the message is acknowledged and goes nowhere. */
  #onReservedTopic(qos: Qos, packetId: number): void {
    this.#context.drops.count('not-authorized');
    if (qos === 1) this.#answer(0, PacketType.PUBACK, packetId, ReasonCode.NotAuthorized);
    else if (qos === 2) this.#answer(0, PacketType.PUBREC, packetId, ReasonCode.NotAuthorized);
  }

  #acknowledge(session: Session, qos: Qos, packetId: number, publication: Publication): void {
    const { receivers } = publication;
    let { ticket } = publication;
    if (qos === 2) ticket = Math.max(ticket, session.noteReceived(packetId));
    const reasonCode = receivers === 0 && this.#isVersion5 ? ReasonCode.NoMatchingSubscribers : ReasonCode.Success;
    this.#answer(ticket, qos === 1 ? PacketType.PUBACK : PacketType.PUBREC, packetId, reasonCode);
  }

  // ---------------------------------------------------------------- acknowledgements, both ways

  /** Sends an acknowledgement once `ticket` is settled, and not before those that were due earlier. */
  #answer(ticket: Ticket, type: number, packetId: number, reasonCode: number): void {
    if (ticket > this.#context.journal.settledTicket || (this.#gate !== null && this.#gate.length > 0)) {
      this.#answerLater(ticket, () => this.#sendAcknowledgement(type, packetId, reasonCode));
    } else this.#sendAcknowledgement(type, packetId, reasonCode);
  }

  #answerLater(ticket: Ticket, answer: () => void): void {
    this.#gate ??= new AcknowledgementGate();
    this.#gate.push(ticket, answer);
    this.#context.gated.add(this);
    if (!this.#isVersion5 && this.#gate.length >= this.#context.limits.receiveMaximum) this.#hold(HELD_BY_JOURNAL);
  }

  /** The journal has settled more: called for connections in `gated`. */
  onSettled(): void {
    const gate = this.#gate;
    if (gate === null || this.#isClosed) return;
    gate.open(this.#context.journal);
    if (gate.length === 0) this.#context.gated.delete(this);
    if (gate.length < this.#context.limits.receiveMaximum) this.#release(HELD_BY_JOURNAL);
  }

  #sendAcknowledgement(type: number, packetId: number, reasonCode: number): void {
    const firstByte = (type << 4) | (type === PacketType.PUBREL ? 2 : 0);
    this.#context.metrics.packetsSent[type]++;
    if (reasonCode === ReasonCode.Success || !this.#isVersion5) {
      this.#outbound.appendFour(firstByte, 2, packetId);
      return;
    }
    const target = this.#outbound.reserve(5);
    const offset = this.#outbound.reservedAt;
    target[offset] = firstByte;
    target[offset + 1] = 3;
    target[offset + 2] = packetId >> 8;
    target[offset + 3] = packetId & 0xff;
    target[offset + 4] = reasonCode;
  }

  #onAcknowledgement(session: Session, type: number, packetId: number, reasonCode: number): void {
    const isFailure = reasonCode >= 0x80;
    switch (type) {
      case PacketType.PUBACK:
        if (!session.onPuback(packetId, isFailure)) this.#refuseWrongState(session, packetId, 'PUBACK');
        break;
      case PacketType.PUBREC:
        if (isFailure) {
          if (!session.onPubrecRefusal(packetId)) this.#refuseWrongState(session, packetId, 'PUBREC');
        } else if (session.onPubrec(packetId)) this.#answer(0, PacketType.PUBREL, packetId, ReasonCode.Success);
        else {
          this.#refuseWrongState(session, packetId, 'PUBREC');
          this.#answer(0, PacketType.PUBREL, packetId, ReasonCode.PacketIdentifierNotFound);
        }
        break;
      case PacketType.PUBREL: {
        const ticket = session.release(packetId);
        if (ticket === -1) this.#answer(0, PacketType.PUBCOMP, packetId, ReasonCode.PacketIdentifierNotFound);
        else this.#answer(ticket, PacketType.PUBCOMP, packetId, ReasonCode.Success);
        break;
      }
      case PacketType.PUBCOMP:
        if (!session.onPubcomp(packetId)) this.#refuseWrongState(session, packetId, 'PUBCOMP');
    }
  }

  /** An identifier that is not in use is let pass (its message may have been dropped); a wrong answer is not. */
  #refuseWrongState(session: Session, packetId: number, name: string): void {
    if (session.isInflight(packetId)) {
      throw new ProtocolViolation(ReasonCode.ProtocolError, `${name} does not fit the QoS or state of ${packetId}`);
    }
  }

  // ---------------------------------------------------------------- other packets

  #onControlFrame(session: Session, frame: Buffer): void {
    const packet = decodeControlPacket(frame, this.#protocolVersion, this.#context.limits.maximumFiltersPerPacket);
    switch (packet.type) {
      case 'pingreq':
        this.#sendControl(PacketType.PINGRESP, PINGRESP);
        break;
      case 'subscribe': {
        const { reasonCodes, ticket, replays } = subscribe(this.#context, session, packet);
        const suback = encodeSuback(
          { packetId: packet.packetId, reasonCodes },
          this.#protocolVersion,
          this.#clientPacketLimit,
        );
        this.#sendControlAfter(ticket, PacketType.SUBACK, suback);
        if (replays.length > 0) this.#replays = [...(this.#replays ?? []), ...replays];
        break;
      }
      case 'unsubscribe': {
        const { reasonCodes, ticket } = unsubscribe(this.#context, session, packet);
        const unsuback = encodeUnsuback(
          { packetId: packet.packetId, reasonCodes },
          this.#protocolVersion,
          this.#clientPacketLimit,
        );
        this.#sendControlAfter(ticket, PacketType.UNSUBACK, unsuback);
        break;
      }
      case 'disconnect':
        this.#onDisconnect(session, packet);
        break;
      case 'auth':
        throw new ProtocolViolation(
          ReasonCode.ProtocolError,
          'AUTH on a connection without an authentication method [MQTT-4.12.0-7]',
        );
    }
  }

  #onDisconnect(session: Session, packet: DisconnectPacket): void {
    if (packet.sessionExpirySeconds !== undefined) {
      // Section 3.14.2.2.2
      if (session.expirySeconds === 0 && packet.sessionExpirySeconds > 0) {
        throw new ProtocolViolation(ReasonCode.ProtocolError, 'DISCONNECT sets a session expiry that CONNECT had at 0');
      }
      const maximum = this.#context.limits.sessionExpiryMaximumSeconds;
      this.#context.sessions.changeExpiry(session, Math.min(packet.sessionExpirySeconds, maximum));
    }
    // [MQTT-3.14.4-3]
    this.#willOnDisconnect = packet.reasonCode !== ReasonCode.Success;
    this.close('client-disconnect');
  }

  #sendControl(type: number, bytes: Buffer): void {
    this.#context.metrics.packetsSent[type]++;
    this.#outbound.append(bytes, 0, bytes.length);
  }

  #sendControlAfter(ticket: Ticket, type: number, bytes: Buffer): void {
    if (ticket > this.#context.journal.settledTicket || (this.#gate !== null && this.#gate.length > 0)) {
      this.#answerLater(ticket, () => this.#sendControl(type, bytes));
    } else this.#sendControl(type, bytes);
  }

  // ---------------------------------------------------------------- what the session sends

  get hasRoom(): boolean {
    return this.#outbound.gatheredBytes < this.#context.limits.outboundSoftLimitBytes;
  }

  fits(message: Message, qos: Qos, identifiers: readonly number[] | null): boolean {
    return this.#clientPacketLimit === UNLIMITED || (this.#sender as PublishSender).fits(message, qos, identifiers);
  }

  sendPublication(
    publication: Publication,
    qos: Qos,
    packetId: number,
    retain: boolean,
    identifiers: readonly number[] | null,
  ): void {
    const sender = this.#sender as PublishSender;
    this.#context.metrics.packetsSent[PacketType.PUBLISH]++;
    if (sender.canShare(identifiers)) sender.sendShared(publication.message, qos, packetId, retain);
    else sender.sendOwn(publication.message, qos, packetId, retain, identifiers, false, this.#context.clock.now());
    const { gatheredBytes } = this.#outbound;
    if (gatheredBytes > this.#context.limits.outboundSoftLimitBytes) this.#onBacklog(publication, gatheredBytes);
  }

  sendMessage(
    message: Message,
    qos: Qos,
    packetId: number,
    retain: boolean,
    identifiers: readonly number[] | null,
  ): void {
    this.#context.metrics.packetsSent[PacketType.PUBLISH]++;
    const nowMs = this.#context.clock.now();
    (this.#sender as PublishSender).sendOwn(message, qos, packetId, retain, identifiers, false, nowMs);
  }

  resendPublish(
    message: Message,
    qos: Qos,
    packetId: number,
    retain: boolean,
    identifiers: readonly number[] | null,
  ): void {
    this.#context.metrics.packetsSent[PacketType.PUBLISH]++;
    const nowMs = this.#context.clock.now();
    // [MQTT-3.3.1-1]
    (this.#sender as PublishSender).sendOwn(message, qos, packetId, retain, identifiers, true, nowMs);
  }

  resendPubrel(packetId: number): void {
    this.#sendAcknowledgement(PacketType.PUBREL, packetId, ReasonCode.Success);
  }

  // ---------------------------------------------------------------- retained messages for new subscriptions

  get canTakeRetained(): boolean {
    return this.#session?.canTakeMore === true && !this.#isClosed;
  }

  sendRetained(message: Message, options: DeliveryOptions): void {
    this.#context.router.sendTo(this.#session as Session, message, options);
  }

  #advanceReplays(replays: RetainedReplay[]): void {
    while (replays.length > 0 && (replays[0] as RetainedReplay).advance(this)) replays.shift();
    if (replays.length === 0) this.#replays = null;
    // A slice has been sent and the client takes more: let others have their turn first.
    else if (this.canTakeRetained) setImmediate(() => this.#afterProgress());
  }

  // ---------------------------------------------------------------- slow clients, and waiting for them

  #onBacklog(publication: Publication, gatheredBytes: number): void {
    if (gatheredBytes > this.#context.limits.outboundHardLimitBytes) {
      this.close('slow-consumer', ReasonCode.QuotaExceeded, 'messages are not read fast enough');
    } else this.onCongested(publication);
  }

  onCongested(publication: Publication): void {
    if (publication.congested === null && this.#pressure?.isStalled !== true) publication.congested = this;
  }

  hold(publisher: HeldPublisher): boolean {
    if (this.#isClosed) return false;
    this.#pressure ??= new ConsumerPressure(this.#context.wheel, this.#context.limits.slowConsumerGraceMs);
    return this.#pressure.hold(publisher);
  }

  #waitFor(receiver: CongestedReceiver): void {
    if (!receiver.hold(this)) return;
    this.#context.metrics.publishersHeld++;
    this.#hold(HELD_BY_RECEIVER);
  }

  onReleased(): void {
    this.#release(HELD_BY_RECEIVER);
  }

  onDrain(): void {
    this.#outbound.flush();
    if (this.#session !== null) this.#afterProgress();
  }

  /** The client has acknowledged or read something: it may be ready for more. */
  #afterProgress(): void {
    const session = this.#session;
    if (session === null || this.#isClosed) return;
    session.pump();
    if (this.#replays !== null) this.#advanceReplays(this.#replays);
    if (this.#pressure === null) return;
    const { gatheredBytes } = this.#outbound;
    if (gatheredBytes < this.#context.limits.outboundSoftLimitBytes / 2 && !session.isCongested) {
      this.#pressure.release();
    }
  }

  #hold(cause: number): void {
    if (this.#holds === 0) this.#channel.pause();
    this.#holds |= cause;
  }

  /** Takes one cause away; when it was the last, input goes on in a turn of its own: others may be in mid-flight now. */
  #release(cause: number): void {
    if ((this.#holds & cause) === 0 || this.#isClosed) return;
    this.#holds &= ~cause;
    if (this.#holds === 0) setImmediate(() => this.#resumeInput());
  }

  #resumeInput(): void {
    if (this.#holds !== 0) return;
    this.#handleInput(null);
    if (this.#holds === 0) this.#channel.resume();
  }

  // ---------------------------------------------------------------- the end

  /** Called by the silence timer. */
  onSilence(nowMs: number): void {
    // While we do not read we cannot hear.
    const heardAtMs = this.#holds === 0 ? this.#receivedAtMs : nowMs;
    if (nowMs - heardAtMs < this.#silenceLimitMs) {
      this.#context.wheel.arm(this.#silence, heardAtMs + this.#silenceLimitMs);
    } else if (this.#session === null) this.close('connect-timeout');
    else this.close('keep-alive-timeout', ReasonCode.KeepAliveTimeout);
  }

  onClose(reason: ChannelCloseReason): void {
    if (reason === 'invalid') this.close('protocol-violation');
    else this.close(reason === 'error' ? 'socket-error' : 'connection-lost');
  }

  /**
   * Ends the connection.
   * @param reasonCode for the DISCONNECT to an MQTT 5 client; without it none is sent
   * @param message its Reason String
   */
  close(reason: CloseReason, reasonCode?: ReasonCode, message?: string): void {
    if (this.#isClosed) return;
    this.#holds |= HELD_FOR_GOOD;
    const context = this.#context;
    const session = this.#session;
    context.wheel.cancel(this.#silence);
    context.metrics.countClose(reason);
    context.gated.delete(this);
    if (reason === 'slow-consumer') {
      context.drops.count('slow-consumer');
      this.#outbound.discard();
    }
    // [MQTT-3.14.0-1] no DISCONNECT before CONNACK, and MQTT 3 knows none from the server
    if (reasonCode !== undefined && session !== null && this.#isVersion5) this.#sendDisconnect(reasonCode, message);
    this.#outbound.flushAtEnd();
    this.#channel.end();
    this.#pressure?.release();
    if (session !== null && this.#info !== null) {
      if (context.connections.get(session.clientId) === this) context.connections.delete(session.clientId);
      context.sessions.close(session, this.#epoch, reason !== 'client-disconnect' || this.#willOnDisconnect);
      context.events.emit('clientDisconnected', { ...this.#info, reason });
    }
  }

  #sendDisconnect(reasonCode: ReasonCode, message: string | undefined): void {
    const reasonString = message;
    const bytes = encodeDisconnect({ reasonCode, reasonString }, this.#protocolVersion, this.#clientPacketLimit);
    this.#sendControl(PacketType.DISCONNECT, bytes);
  }
}

function isSameTopic(topic: Buffer, bytes: Buffer, start: number, end: number): boolean {
  if (topic.length !== end - start) return false;
  // Topics of one fleet differ at their ends.
  for (let i = topic.length - 1, j = end - 1; i >= 0; i--, j--) if (topic[i] !== bytes[j]) return false;
  return true;
}

function isReserved(topic: string): boolean {
  return topic.charCodeAt(0) === 0x24 && (topic === '$SYS' || topic.startsWith('$SYS/'));
}
