/**
 * One client's connection: the MQTT protocol machine. It lives as long as its socket; what outlives that is in the
 * Session that it is attached to. Input is handled one packet at a time, and not at all while there is a reason to hold.
 *
 *   channel ─▶ FrameSplitter ─▶ here ─▶ Handshake | InboundPublishes | … ─▶ Router ─▶ sessions ─▶ PublishSender
 *   channel ◀──────────────────────── OutboundBuffer ◀──────────────── Acknowledger, PublishSender
 */
import type { Identity } from '../auth/identity.js';
import { encodeConnack, encodeDisconnect } from '../codec/control-encoder.js';
import type { ConnectPacket } from '../codec/control-packet.js';
import { type FrameSink, FrameSplitter } from '../codec/frame-splitter.js';
import * as PacketType from '../codec/packet-type.js';
import type { CloseReason } from '../core/close-reason.js';
import { OversizedPacket, ProtocolViolation } from '../core/errors.js';
import type { CongestedReceiver, HeldPublisher, Publication } from '../core/publication.js';
import { ReasonCode } from '../core/reason-code.js';
import { CallbackTimer } from '../core/timing-wheel.js';
import type { Session } from '../sessions/session.js';
import type { OpenedSession } from '../sessions/session-registry.js';
import type { ByteChannel, ChannelCloseReason, ChannelHandler } from '../transport/byte-channel.js';
import { OutboundBuffer } from '../transport/outbound-buffer.js';
import { Acknowledger, type AnswerHost } from './acknowledger.js';
import { acknowledgementDecoder, type BrokerContext } from './broker-context.js';
import type { ClientInfo } from './broker-events.js';
import { acceptance, type CompletedExchange, type ConnectTerms } from './connect-handler.js';
import { ConsumerPressure } from './consumer-pressure.js';
import { countQos0Publishes } from './discarded-publishes.js';
import { NOT_GATED } from './gated-connections.js';
import { Handshake, type HandshakeHost } from './handshake.js';
import { IdentityExpiry } from './identity-expiry.js';
import { handleAcknowledgement } from './inbound-acknowledgements.js';
import { type ControlHost, InboundControl } from './inbound-control.js';
import { InboundPublishes } from './inbound-publishes.js';
import { type GatedInput, Hold, InputGate } from './input-gate.js';
import { type BacklogHandler, PublishSender, UNLIMITED_PACKET_SIZE } from './publish-sender.js';
import { QueueConsumers } from './queue-consumers.js';
import { RateMeter } from './rate-meter.js';
import type { Refusal } from './refusal.js';
import { ownerOf, SessionAccess } from './session-access.js';
import { SilenceTimer } from './silence-timer.js';

/** A CONNECT has no business being larger, and its sender is nobody yet. */
const MAXIMUM_CONNECT_BYTES = 64 * 1024;

/** What an accepted CONNECT brings. */
interface Client {
  readonly info: ClientInfo;
  readonly session: Session;
  readonly sender: PublishSender;
  readonly epoch: number;
  readonly isVersion5: boolean;
  readonly maximumPacketSize: number;
  readonly publishes: InboundPublishes;
  readonly control: InboundControl;
  readonly acknowledger: Acknowledger;
}

export class ClientConnection
  implements
    ChannelHandler,
    FrameSink,
    HandshakeHost,
    BacklogHandler,
    ControlHost,
    CongestedReceiver,
    GatedInput,
    AnswerHost
{
  readonly #context: BrokerContext;
  readonly #channel: ByteChannel;
  readonly #outbound: OutboundBuffer;
  readonly #splitter = new FrameSplitter();
  readonly #silence: SilenceTimer;
  #handshake: Handshake | null;
  #client: Client | null = null;
  readonly #gate: InputGate;
  #pressure: ConsumerPressure | null = null;
  /** What has come before the client was accepted, and waits for its turn. */
  #openingChunks = 0;
  #isTurnScheduled = false;
  gatedAt = NOT_GATED;
  #queueConsumers: QueueConsumers | null = null;
  #identity: Identity | null = null;
  #identityExpiry: IdentityExpiry | null = null;
  /** Goes on sending when the rate allows it. */
  #paceTimer: CallbackTimer | null = null;

  constructor(channel: ByteChannel, context: BrokerContext) {
    this.#context = context;
    this.#channel = channel;
    this.#outbound = new OutboundBuffer(channel, context.flushQueue);
    this.#handshake = new Handshake(context, channel, this);
    this.#gate = new InputGate(context, channel, this);
    this.#silence = new SilenceTimer(this, context.wheel, context.limits.connectTimeoutMs);
    context.metrics.socketsAccepted++;
    context.handshaking.add(this);
    channel.setHandler(this);
  }

  get isClosed(): boolean {
    return this.#gate.isClosed;
  }

  get clientInfo(): ClientInfo | null {
    return this.#client?.info ?? null;
  }

  // ---------------------------------------------------------------- input

  get maximumPacketSize(): number {
    return this.#client === null ? MAXIMUM_CONNECT_BYTES : this.#context.limits.maximumPacketSize;
  }

  onBytes(chunk: Buffer): void {
    this.#noteReceived(chunk.length);
    if (this.#client !== null && this.#openingChunks === 0) this.#handleInput(chunk);
    else if (this.#context.slicedTasks.takesNow) this.#handleInput(chunk);
    else this.#handleInTurn(chunk);
  }

  onSharedBytes(chunk: Buffer): void {
    if (this.#client === null || this.#openingChunks > 0) {
      this.onBytes(Buffer.from(chunk)); // It may have to wait.
      return;
    }
    this.#noteReceived(chunk.length);
    this.#handleInput(chunk, true);
  }

  /** Small packets are so many in a long read that nobody else would have a turn for long. */
  get takesLongReads(): boolean {
    return this.#client !== null && this.#splitter.hasLargePackets;
  }

  /** Only who has been accepted gets memory for what a header declares. */
  get room(): Buffer | null {
    return this.#client === null || this.#openingChunks > 0 ? null : this.#splitter.room;
  }

  onRoomFilled(length: number): void {
    this.#noteReceived(length);
    try {
      this.#splitter.fillRoom(length, this);
    } catch (error) {
      this.#onInputError(error);
    }
    this.#afterProgress();
  }

  #noteReceived(bytes: number): void {
    this.#context.metrics.bytesReceived += bytes;
    this.#gate.receivedAtMs = this.#context.clock.now();
  }

  /** A CONNECT costs as much as many messages, and a fleet sends its CONNECTs all at once. */
  #handleInTurn(chunk: Buffer): void {
    this.#openingChunks++;
    this.#gate.hold(Hold.Turn);
    this.#context.slicedTasks.run(() => {
      this.#openingChunks--;
      if (this.#openingChunks === 0) this.#gate.release(Hold.Turn);
      if (!this.isClosed) this.#handleInput(chunk);
    });
  }

  /** @param chunk null to go on with what was held back @param isShared of a client that has been accepted */
  #handleInput(chunk: Buffer | null, isShared = false): void {
    try {
      if (chunk === null) this.#splitter.resume(this);
      else if (isShared) this.#splitter.pushShared(chunk, this);
      else if (this.#handshake?.onBytes(chunk) !== false) this.#splitter.push(chunk, this);
    } catch (error) {
      this.#onInputError(error);
    }
    this.#afterProgress();
  }

  onFrame(bytes: Buffer, start: number, bodyStart: number, end: number): boolean {
    const type = (bytes[start] as number) >> 4;
    this.#context.metrics.packetsReceived[type]++;
    const client = this.#client;
    if (client === null) this.#handshake?.handle(bytes.subarray(start, end));
    else if (type === PacketType.PUBLISH) {
      const congested = client.publishes.handle(bytes, start, bodyStart, end, this.#gate.receivedAtMs);
      if (congested !== null) this.#gate.waitFor(congested, bytes, start, end);
      this.#gate.spend(end - start);
    } else if (type >= PacketType.PUBACK && type <= PacketType.PUBCOMP) {
      acknowledgementDecoder.decode(bytes, start, bodyStart, end, client.info.protocolVersion);
      const { packetId, reasonCode } = acknowledgementDecoder;
      if (type !== PacketType.PUBACK || this.#queueConsumers?.onPuback(packetId, reasonCode) !== true) {
        handleAcknowledgement(client.session, client.acknowledger, type, packetId, reasonCode);
      }
    } else client.control.handle(bytes.subarray(start, end));
    return this.#gate.isOpen;
  }

  #onInputError(error: unknown): void {
    const client = this.#client?.info;
    if (!(error instanceof ProtocolViolation)) {
      this.#context.logger.error({ err: error, client }, 'a packet could not be handled');
      this.close('internal-error', ReasonCode.UnspecifiedError);
      return;
    }
    this.#context.logger.debug({ code: error.code, reason: error.message, client }, 'protocol violation');
    if (error instanceof OversizedPacket && this.#handshake?.refuseOversized(error) === true) return;
    this.#handshake?.noteBadOpening(error.message, error.reasonCode);
    const reason = error.reasonCode === ReasonCode.PacketTooLarge ? 'packet-too-large' : 'protocol-violation';
    this.close(reason, error.reasonCode, error.message);
  }

  // ---------------------------------------------------------------- CONNECT

  beginAuthentication(): void {
    this.#gate.hold(Hold.Authentication);
  }

  endAuthentication(): void {
    this.#gate.release(Hold.Authentication);
  }

  accept(
    packet: ConnectPacket,
    terms: ConnectTerms,
    { session, isPresent, ticket }: OpenedSession,
    identity: Identity,
    exchange: CompletedExchange | null,
  ): void {
    const context = this.#context;
    const { limits, metrics, connections, events } = context;
    const isVersion5 = packet.protocolVersion === 5;
    const maximumPacketSize = packet.maximumPacketSize ?? UNLIMITED_PACKET_SIZE;
    const info: ClientInfo = {
      clientId: terms.clientId,
      username: identity.username,
      protocolVersion: packet.protocolVersion,
      remoteAddress: this.#channel.remoteAddress,
      listener: this.#channel.listener.name,
    };
    const topicAliasMaximum = Math.min(packet.topicAliasMaximum ?? 0, limits.outboundTopicAliasMaximum);
    const receiverTerms = { isVersion5, isBridge: packet.isBridge, maximumPacketSize, topicAliasMaximum };
    const sender = new PublishSender(context, this.#outbound, this, receiverTerms);
    const window = Math.min(packet.receiveMaximum ?? limits.maximumInflight, limits.maximumInflight);
    const access = SessionAccess.guard(context, session, session.owner ?? ownerOf(identity));
    const epoch = session.attach(sender, window);
    const acknowledger = new Acknowledger(context, this.#outbound, isVersion5, this);
    const publishes = new InboundPublishes(context, session, acknowledger, isVersion5);
    publishes.access = access?.client ?? null;
    const controlTerms = {
      protocolVersion: packet.protocolVersion,
      isBridge: packet.isBridge,
      maximumPacketSize,
      requestedExpirySeconds: packet.sessionExpirySeconds ?? 0,
      exchange,
    };
    this.#limitRate(publishes, isVersion5);
    const control = new InboundControl(context, session, acknowledger, this, controlTerms);
    control.access = access;
    this.#client = { info, session, sender, epoch, isVersion5, maximumPacketSize, publishes, control, acknowledger };
    this.#handshake = null;
    this.#takeIdentity(identity);
    context.handshaking.delete(this);
    // [MQTT-3.1.2-22] one and a half times the keep alive
    this.#silence.setLimit(terms.keepAliveSeconds * 1500);
    connections.set(terms.clientId, this);
    metrics.connectionsAccepted++;
    metrics.connectionsMaximum = Math.max(metrics.connectionsMaximum, connections.size);
    const connack = acceptance(context, packet, terms, isPresent, exchange);
    const bytes = encodeConnack(connack, packet.protocolVersion, maximumPacketSize);
    acknowledger.send(ticket, PacketType.CONNACK, bytes);
    // Nothing may be sent before CONNACK [MQTT-3.2.0-1]: what would have it sent is not handled yet.
    if (acknowledger.waitingCount > 0) this.#gate.hold(Hold.Connack);
    session.resume();
    if (session.queueSubscriptions !== null) this.ensureQueueConsumers()?.resume();
    if (events.hasListener('clientConnected')) events.tell('clientConnected', { ...info, sessionPresent: isPresent });
    context.guard.onConnected(info, this.#channel.clientCertificate?.subject ?? null);
  }

  refuse(refusal: Refusal, version: PacketType.ProtocolVersion, maximumPacketSize = UNLIMITED_PACKET_SIZE): void {
    const { remoteAddress, listener } = this.#channel;
    const { reasonCode, message, detail } = refusal;
    this.#context.logger.debug(
      { reason: detail ?? message, remoteAddress, listener: listener.name },
      'connection refused',
    );
    const fields = { sessionPresent: false, reasonCode, reasonString: message }; // [MQTT-3.2.2-6]
    this.send(PacketType.CONNACK, encodeConnack(fields, version, maximumPacketSize));
    this.close('connect-refused');
  }

  /** What the client has shown now counts, and not what it has shown before. */
  #takeIdentity(identity: Identity): void {
    this.#identity = identity;
    // Whatever else it shows: by its certificate it got as far as this.
    const certificateEndsAtMs = this.#channel.clientCertificate?.expiresAtMs ?? Number.POSITIVE_INFINITY;
    const expiresAtMs = Math.min(identity.expiresAtMs, certificateEndsAtMs);
    if (expiresAtMs === Number.POSITIVE_INFINITY && this.#identityExpiry === null) return;
    this.#identityExpiry ??= new IdentityExpiry(this.#context.wheel, () => {
      this.close('credentials-expired', ReasonCode.NotAuthorized, 'the credentials have expired');
    });
    this.#identityExpiry.setEnd(expiresAtMs);
  }

  endIfWithdrawn(): boolean {
    if (this.isClosed) return false;
    if (this.#identity?.grounds?.isWithdrawn !== true && this.#channel.clientCertificate?.isWithdrawn !== true)
      return false;
    this.close('credentials-withdrawn', ReasonCode.NotAuthorized, 'the credentials are no longer valid');
    return true;
  }

  get queueConsumers(): QueueConsumers | null {
    return this.#queueConsumers;
  }

  ensureQueueConsumers(): QueueConsumers | null {
    const { work } = this.#context;
    const client = this.#client;
    if (this.#queueConsumers !== null || work === null || client === null) return this.#queueConsumers;
    this.#queueConsumers = new QueueConsumers(this.#context, work, client.session, client.sender, client.isVersion5);
    this.#queueConsumers.access = client.publishes.access;
    client.publishes.queueConsumers = this.#queueConsumers;
    return this.#queueConsumers;
  }

  /** The client has shown anew who it is: its credentials may give it other rights now. */
  onReauthenticated(identity: Identity): void {
    this.#takeIdentity(identity);
    const client = this.#client;
    if (client === null) return;
    const access = SessionAccess.guard(this.#context, client.session, ownerOf(identity));
    client.control.access = access;
    client.publishes.access = access?.client ?? null;
    if (this.#queueConsumers !== null) this.#queueConsumers.access = client.publishes.access;
    this.onRulesChanged();
  }

  onRulesChanged(): void {
    if (this.#queueConsumers === null) return;
    this.#queueConsumers.onRulesChanged();
    this.#afterProgress();
  }

  // ---------------------------------------------------------------- rates

  #limitRate(publishes: InboundPublishes, isVersion5: boolean): void {
    const { limits, clock } = this.#context;
    const meter = RateMeter.inbound(limits, clock.now());
    if (meter === null) return;
    const policy = limits.inboundRatePolicy;
    // MQTT 3 knows no refusal: a message would seem to have been taken.
    if (policy === 'refuse' && isVersion5) publishes.rate = meter;
    else this.#gate.limitRate(meter, policy === 'disconnect');
  }

  onPaced(waitMs: number): void {
    const { wheel } = this.#context;
    this.#paceTimer ??= new CallbackTimer(() => this.#afterProgress());
    wheel.arm(this.#paceTimer, wheel.nowMs + waitMs);
  }

  // ---------------------------------------------------------------- slow clients, and waiting for them

  onCongested(publication: Publication): void {
    this.#pressure ??= new ConsumerPressure(this.#context.wheel, this.#context.limits.slowConsumerGraceMs);
    if (this.#pressure.isStalled) {
      if (this.#context.flushQueue.heldBytes > this.#context.limits.outboundTotalLimitBytes) this.onOverrun();
      return;
    }
    this.#pressure.begin();
    if (publication.congested === null || this.hasCaughtUp) publication.congested = this;
  }

  onAwaitingCommit(): void {
    this.#context.gated.add(this);
  }

  onLoaded(): void {
    this.#afterProgress();
  }

  onOverrun(): void {
    this.close('slow-consumer', ReasonCode.QuotaExceeded, 'messages are not read fast enough');
  }

  get hasCaughtUp(): boolean {
    return this.#pressure?.hasCaughtUp === true;
  }

  hold(publisher: HeldPublisher): boolean {
    if (this.isClosed || this.#pressure === null) return false;
    if (this.#isFlushDue) this.#goOnNextTurn();
    return this.#pressure.hold(publisher);
  }

  /** The buffer is full only until the end of this turn. It may empty without the channel ever asking to wait. */
  get #isFlushDue(): boolean {
    return this.#outbound.gatheredBytes >= this.#context.limits.outboundSoftLimitBytes && !this.#channel.mustWait;
  }

  onDrain(): void {
    this.#outbound.flush();
    this.#afterProgress();
  }

  /** The client has sent or read something, or what it waits for is stored or has been read: it may be ready for more. */
  #afterProgress(): void {
    if (this.#client === null || this.isClosed) return;
    // Answers gather too: a client that asks on and reads nothing would fill the memory with them.
    const { outboundHardLimitBytes, maximumPacketSize } = this.#context.limits;
    if (this.#outbound.gatheredBytes > outboundHardLimitBytes + maximumPacketSize) {
      this.onOverrun();
      return;
    }
    const { session, control } = this.#client;
    session.pump();
    // Nothing may be sent before CONNACK [MQTT-3.2.0-1].
    if (!this.#gate.isHeldBy(Hold.Connack)) this.#queueConsumers?.pump();
    if (!this.#isTurnScheduled) this.#advanceReplays(control, session);
    if (this.#pressure === null || session.isCongested) return;
    if (this.#outbound.gatheredBytes < this.#context.limits.outboundSoftLimitBytes / 2) this.#pressure.release();
  }

  #advanceReplays(control: InboundControl, session: Session): void {
    control.replays?.advance();
    if (control.replays === null) return;
    // A slice has been sent and the client takes more: let others have their turn first.
    if (session.canTakeMore || this.#isFlushDue) this.#goOnNextTurn();
  }

  /** MQTT 3 has no Receive Maximum: a publisher too far ahead of the journal is read no further. */
  onAnswerWaiting(): void {
    this.#context.gated.add(this);
    const client = this.#client;
    if (client === null || client.isVersion5) return;
    if (client.acknowledger.waitingCount >= this.#context.limits.receiveMaximum) this.#gate.hold(Hold.Journal);
  }

  /** The journal has settled more: called for connections in `gated`. */
  onSettled(): void {
    if (this.#client === null || this.isClosed) return;
    const { acknowledger, session } = this.#client;
    acknowledger.onSettled();
    if (acknowledger.waitingCount === 0) this.#gate.release(Hold.Connack);
    this.#afterProgress();
    if (this.isClosed) return;
    if (acknowledger.waitingCount === 0 && !session.isAwaitingCommit) this.#context.gated.delete(this);
    if (acknowledger.waitingCount < this.#context.limits.receiveMaximum) this.#gate.release(Hold.Journal);
  }

  get isOwedAnswers(): boolean {
    return (this.#client?.acknowledger.waitingCount ?? 0) > 0;
  }

  #goOnNextTurn(): void {
    if (this.#isTurnScheduled) return;
    this.#isTurnScheduled = true;
    setImmediate(() => {
      this.#isTurnScheduled = false;
      this.#afterProgress();
    });
  }

  resumeInput(deferred: Buffer | null): void {
    if (deferred !== null) this.#splitter.putBack(deferred);
    this.#handleInput(null);
  }

  // ---------------------------------------------------------------- the end

  /**
   * When something was last heard of the client, ms. Until its CONNECT is accepted nothing counts, whoever it is that does
   * not come to an end: a byte now and then, or one more round of an authentication, would keep the place of a client that
   * is nobody yet.
   */
  heardAtMs(nowMs: number): number {
    return this.#client === null ? Number.NEGATIVE_INFINITY : this.#gate.heardAtMs(nowMs);
  }

  /** Called by the silence timer. */
  onSilence(): void {
    if (this.#client === null) {
      this.#handshake?.noteTimeout();
      this.close('connect-timeout');
    } else this.close('keep-alive-timeout', ReasonCode.KeepAliveTimeout);
  }

  onClose(reason: ChannelCloseReason): void {
    if (reason === 'ended') this.#handleHeldInput();
    if (reason === 'invalid') {
      this.#handshake?.noteBadOpening('frames that MQTT over WebSocket does not have');
      this.close('protocol-violation');
    } else this.close(reason === 'error' ? 'socket-error' : 'connection-lost');
  }

  /** What a client has sent before it closed in order counts, also if we had not come to it for waiting. */
  #handleHeldInput(): void {
    while (this.#splitter.isHolding && this.#gate.liftAtEnd()) this.#handleInput(null);
  }

  /** The client has said goodbye. */
  onDisconnect(publishWill: boolean): void {
    this.#end('client-disconnect', publishWill);
  }

  /**
   * Ends the connection; the will is due.
   * @param reasonCode for the DISCONNECT to an MQTT 5 client; without it none is sent
   * @param reasonString goes with it
   */
  close(reason: CloseReason, reasonCode?: ReasonCode, reasonString?: string): void {
    if (this.isClosed) return;
    const client = this.#client;
    if (reason === 'slow-consumer') {
      this.#context.drops.count('slow-consumer', countQos0Publishes(this.#outbound.discard()));
    }
    // [MQTT-3.14.0-1] no DISCONNECT before CONNACK, which may wait for the journal; MQTT 3 knows none from the server
    const hasConnack = !this.#gate.isHeldBy(Hold.Connack);
    if (reasonCode !== undefined && client?.isVersion5 === true && hasConnack) {
      const disconnect = encodeDisconnect({ reasonCode, reasonString }, 5, client.maximumPacketSize);
      this.send(PacketType.DISCONNECT, disconnect);
    }
    this.#end(reason, true);
  }

  #end(reason: CloseReason, publishWill: boolean): void {
    const context = this.#context;
    this.#gate.close();
    this.#silence.stop();
    this.#identityExpiry?.stop();
    this.#outbound.flushAtEnd();
    this.#channel.end();
    this.#pressure?.release();
    if (this.#paceTimer !== null) context.wheel.cancel(this.#paceTimer);
    context.gated.delete(this);
    context.metrics.countClose(reason);
    const client = this.#client;
    context.handshaking.delete(this);
    if (client === null) return;
    const { info, session, epoch } = client;
    if (context.connections.get(info.clientId) === this) context.connections.delete(info.clientId);
    this.#queueConsumers?.close(reason !== 'client-disconnect' && reason !== 'server-shutdown');
    context.sessions.close(session, epoch, publishWill);
    context.guard.onDisconnected(info, reason);
    const { events } = context;
    if (events.hasListener('clientDisconnected')) events.tell('clientDisconnected', { ...info, reason });
  }

  /** @param bytes empty if the packet cannot be told to this client */
  send(type: number, bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#context.metrics.packetsSent[type]++;
    this.#outbound.append(bytes, 0, bytes.length);
  }
}
