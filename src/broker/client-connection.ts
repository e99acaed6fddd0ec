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
import { Acknowledger } from './acknowledger.js';
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
import { InboundPace, type PacedInput } from './inbound-pace.js';
import { InboundPublishes } from './inbound-publishes.js';
import { type BacklogHandler, PublishSender, UNLIMITED_PACKET_SIZE } from './publish-sender.js';
import { QueueConsumers } from './queue-consumers.js';
import { RateMeter } from './rate-meter.js';
import type { Refusal } from './refusal.js';
import { ownerOf, SessionAccess } from './session-access.js';
import { SilenceTimer } from './silence-timer.js';

/** A CONNECT has no business being larger, and its sender is nobody yet. */
const MAXIMUM_CONNECT_BYTES = 64 * 1024;

/** Why no further input is handled, as bits. */
const HELD_BY_RECEIVER = 1;
const HELD_BY_JOURNAL = 2;
const HELD_BY_AUTHENTICATION = 4;
const HELD_BY_CONNACK = 8;
const CLOSED = 16;
const HELD_BY_RATE = 32;

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
    HeldPublisher,
    CongestedReceiver,
    PacedInput
{
  readonly #context: BrokerContext;
  readonly #channel: ByteChannel;
  readonly #outbound: OutboundBuffer;
  readonly #splitter = new FrameSplitter();
  readonly #silence: SilenceTimer;
  #handshake: Handshake | null;
  #client: Client | null = null;
  #holds = 0;
  #receivedAtMs: number;
  #pressure: ConsumerPressure | null = null;
  #waitsAgainAtMs = 0;
  #isTurnScheduled = false;
  /** A PUBLISH that could not be taken while nothing can be stored, or a work queue is full. */
  #deferred: Buffer | null = null;
  /** For a work queue is full. */
  #waitsForRoom = false;
  gatedAt = NOT_GATED;
  #queueConsumers: QueueConsumers | null = null;
  #identity: Identity | null = null;
  #identityExpiry: IdentityExpiry | null = null;
  /** Null if the client may publish as fast as it can, or what is too fast is refused. */
  #pace: InboundPace | null = null;
  /** Goes on sending when the rate allows it. */
  #paceTimer: CallbackTimer | null = null;

  constructor(channel: ByteChannel, context: BrokerContext) {
    this.#context = context;
    this.#channel = channel;
    this.#outbound = new OutboundBuffer(channel, context.flushQueue);
    this.#handshake = new Handshake(context, channel, this);
    this.#receivedAtMs = context.clock.now();
    this.#silence = new SilenceTimer(this, context.wheel, context.limits.connectTimeoutMs);
    context.metrics.socketsAccepted++;
    context.handshaking.add(this);
    channel.setHandler(this);
  }

  get isClosed(): boolean {
    return (this.#holds & CLOSED) !== 0;
  }

  get clientInfo(): ClientInfo | null {
    return this.#client?.info ?? null;
  }

  // ---------------------------------------------------------------- input

  get maximumPacketSize(): number {
    return this.#client === null ? MAXIMUM_CONNECT_BYTES : this.#context.limits.maximumPacketSize;
  }

  onBytes(chunk: Buffer): void {
    this.#context.metrics.bytesReceived += chunk.length;
    this.#receivedAtMs = this.#context.clock.now();
    this.#handleInput(chunk);
  }

  /** @param chunk null to go on with what was held back */
  #handleInput(chunk: Buffer | null): void {
    try {
      if (chunk === null) this.#splitter.resume(this);
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
      const congested = client.publishes.handle(bytes, start, bodyStart, end, this.#receivedAtMs);
      if (congested !== null) {
        const { storage, queueRoom } = this.#context;
        this.#waitsForRoom = congested === queueRoom;
        if (congested === storage.outage || this.#waitsForRoom)
          this.#deferred = Buffer.from(bytes.subarray(start, end));
        this.#waitFor(congested);
      }
      if (this.#pace !== null && this.#deferred === null) this.#pace.spend(end - start, this.#receivedAtMs);
    } else if (type >= PacketType.PUBACK && type <= PacketType.PUBCOMP) {
      acknowledgementDecoder.decode(bytes, start, bodyStart, end, client.info.protocolVersion);
      const { packetId, reasonCode } = acknowledgementDecoder;
      if (type !== PacketType.PUBACK || this.#queueConsumers?.onPuback(packetId, reasonCode) !== true) {
        handleAcknowledgement(client.session, client.acknowledger, type, packetId, reasonCode);
      }
    } else client.control.handle(bytes.subarray(start, end));
    return this.#holds === 0;
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
    this.#hold(HELD_BY_AUTHENTICATION);
  }

  endAuthentication(): void {
    this.#release(HELD_BY_AUTHENTICATION);
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
    const access = SessionAccess.guard(context, session, ownerOf(identity));
    const epoch = session.attach(sender, window);
    const acknowledger = new Acknowledger(context, this.#outbound, isVersion5, this.#onAnswerWaiting);
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
    if (acknowledger.waitingCount > 0) this.#hold(HELD_BY_CONNACK);
    session.resume();
    if (session.queueSubscriptions !== null) this.ensureQueueConsumers()?.resume();
    events.tell('clientConnected', { ...info, sessionPresent: isPresent });
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
    const { limits, clock, wheel } = this.#context;
    const meter = RateMeter.inbound(limits, clock.now());
    if (meter === null) return;
    const policy = limits.inboundRatePolicy;
    // MQTT 3 knows no refusal: a message would seem to have been taken.
    if (policy === 'refuse' && isVersion5) publishes.rate = meter;
    else this.#pace = new InboundPace(meter, policy === 'disconnect', wheel, this);
  }

  onRateReached(): void {
    this.#hold(HELD_BY_RATE);
  }

  onRateRecovered(): void {
    this.#release(HELD_BY_RATE);
  }

  onRateExceeded(): void {
    this.close('message-rate', ReasonCode.MessageRateTooHigh, 'messages come faster than allowed');
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

  #waitFor(receiver: CongestedReceiver): void {
    if (!receiver.hasCaughtUp && this.#receivedAtMs < this.#waitsAgainAtMs) return;
    if (!receiver.hold(this)) return;
    this.#context.metrics.publishersHeld++;
    this.#hold(HELD_BY_RECEIVER);
  }

  // Having waited in vain, we wait for as long again only for those who have caught up before: a client that comes back
  // only to stall once more takes half of the publishers' time at most.
  onReleased(inVain: boolean): void {
    if (inVain && !this.#context.storage.isAccepting) {
      this.close('storage-unavailable', ReasonCode.QuotaExceeded, 'messages cannot be stored at the moment');
      return;
    }
    if (inVain && this.#waitsForRoom) {
      this.close('work-queue-full', ReasonCode.QuotaExceeded, 'a work queue has been full for too long');
      return;
    }
    const { clock, limits } = this.#context;
    if (inVain) this.#waitsAgainAtMs = clock.now() + limits.slowConsumerGraceMs;
    this.#release(HELD_BY_RECEIVER);
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
    if ((this.#holds & HELD_BY_CONNACK) === 0) this.#queueConsumers?.pump();
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
  readonly #onAnswerWaiting = (): void => {
    this.#context.gated.add(this);
    const client = this.#client;
    if (client === null || client.isVersion5) return;
    if (client.acknowledger.waitingCount >= this.#context.limits.receiveMaximum) this.#hold(HELD_BY_JOURNAL);
  };

  /** The journal has settled more: called for connections in `gated`. */
  onSettled(): void {
    if (this.#client === null || this.isClosed) return;
    const { acknowledger, session } = this.#client;
    acknowledger.onSettled();
    if (acknowledger.waitingCount === 0) this.#release(HELD_BY_CONNACK);
    this.#afterProgress();
    if (this.isClosed) return;
    if (acknowledger.waitingCount === 0 && !session.isAwaitingCommit) this.#context.gated.delete(this);
    if (acknowledger.waitingCount < this.#context.limits.receiveMaximum) this.#release(HELD_BY_JOURNAL);
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

  #hold(cause: number): void {
    if (this.#holds === 0) this.#channel.pause();
    this.#holds |= cause;
  }

  /** Takes one cause away; when it was the last, input goes on in a turn of its own: others may be in mid-flight now. */
  #release(cause: number): void {
    if ((this.#holds & cause) === 0 || this.isClosed) return;
    this.#holds &= ~cause;
    if (this.#holds !== 0) return;
    // While we did not read we could not hear: the keep alive must not run out on what came before.
    this.#receivedAtMs = this.#context.clock.now();
    setImmediate(() => this.#resumeInput());
  }

  #resumeInput(): void {
    if (this.#holds !== 0) return;
    if (this.#deferred !== null) this.#splitter.putBack(this.#deferred);
    this.#deferred = null;
    this.#handleInput(null);
    if (this.#holds === 0) this.#channel.resume();
  }

  // ---------------------------------------------------------------- the end

  /**
   * When something was last heard of the client, ms. While we do not read a client we cannot hear it: that counts as now.
   * Until its CONNECT is accepted nothing counts, whoever it is that does not come to an end: a byte now and then, or one
   * more round of an authentication, would keep the place of a client that is nobody yet.
   */
  heardAtMs(nowMs: number): number {
    if (this.#client === null) return Number.NEGATIVE_INFINITY;
    return this.#holds === 0 ? this.#receivedAtMs : nowMs;
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
    while (this.#holds !== 0 && (this.#holds & ~(HELD_BY_RECEIVER | HELD_BY_RATE)) === 0 && this.#splitter.isHolding) {
      this.#holds = 0;
      this.#handleInput(null);
    }
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
    const hasConnack = (this.#holds & HELD_BY_CONNACK) === 0;
    if (reasonCode !== undefined && client?.isVersion5 === true && hasConnack) {
      const disconnect = encodeDisconnect({ reasonCode, reasonString }, 5, client.maximumPacketSize);
      this.send(PacketType.DISCONNECT, disconnect);
    }
    this.#end(reason, true);
  }

  #end(reason: CloseReason, publishWill: boolean): void {
    const context = this.#context;
    this.#holds |= CLOSED;
    this.#silence.stop();
    this.#identityExpiry?.stop();
    this.#outbound.flushAtEnd();
    this.#channel.end();
    this.#pressure?.release();
    this.#pace?.stop();
    if (this.#paceTimer !== null) context.wheel.cancel(this.#paceTimer);
    context.gated.delete(this);
    context.storage.forget(this);
    context.queueRoom.forget(this);
    context.metrics.countClose(reason);
    const client = this.#client;
    context.handshaking.delete(this);
    if (client === null) return;
    const { info, session, epoch } = client;
    if (context.connections.get(info.clientId) === this) context.connections.delete(info.clientId);
    this.#queueConsumers?.close(reason !== 'client-disconnect' && reason !== 'server-shutdown');
    context.sessions.close(session, epoch, publishWill);
    context.guard.onDisconnected(info, reason);
    context.events.tell('clientDisconnected', { ...info, reason });
  }

  /** @param bytes empty if the packet cannot be told to this client */
  send(type: number, bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#context.metrics.packetsSent[type]++;
    this.#outbound.append(bytes, 0, bytes.length);
  }
}
