/**
 * One client's connection: the MQTT protocol machine, from the first packet to the reason for which it ends. It lives as long as its
 * socket; what outlives that is in the Session that it is attached to. How it is read is up to its ConnectionInput, and when it is
 * sent something to its OutboundFlow.
 *
 *   channel ─▶ ConnectionInput ─▶ here ─▶ Handshake | InboundPublishes | … ─▶ Router ─▶ sessions ─▶ PublishSender
 *   channel ◀─────────────────────── OutboundBuffer ◀────────────────── Acknowledger, PublishSender
 */
import type { Identity } from '../auth/identity.js';
import { encodeConnack, encodeDisconnect } from '../codec/control-encoder.js';
import type { ConnectPacket } from '../codec/control-packet.js';
import * as PacketType from '../codec/packet-type.js';
import type { CloseReason } from '../core/close-reason.js';
import { OversizedPacket, ProtocolViolation } from '../core/errors.js';
import { ReasonCode } from '../core/reason-code.js';
import type { Session } from '../sessions/session.js';
import type { OpenedSession } from '../sessions/session-registry.js';
import type { ByteChannel, ChannelCloseReason } from '../transport/byte-channel.js';
import { OutboundBuffer } from '../transport/outbound-buffer.js';
import { Acknowledger, type AnswerHost } from './acknowledger.js';
import { acknowledgementDecoder, type BrokerContext } from './broker-context.js';
import type { ClientInfo } from './broker-events.js';
import { acceptance, type CompletedExchange, type ConnectTerms } from './connect-handler.js';
import { ConnectionInput, type InputOwner } from './connection-input.js';
import { countQos0Publishes } from './discarded-publishes.js';
import { NOT_GATED } from './gated-connections.js';
import { Handshake, type HandshakeHost } from './handshake.js';
import { IdentityExpiry } from './identity-expiry.js';
import { handleAcknowledgement } from './inbound-acknowledgements.js';
import { type ControlHost, InboundControl } from './inbound-control.js';
import { InboundPublishes } from './inbound-publishes.js';
import { Hold, type InputGate } from './input-gate.js';
import { OutboundFlow, type SuppliedConnection } from './outbound-flow.js';
import { PublishSender, UNLIMITED_PACKET_SIZE } from './publish-sender.js';
import { QueueConsumers } from './queue-consumers.js';
import { RateMeter } from './rate-meter.js';
import type { Refusal } from './refusal.js';
import type { RetainedReplays } from './retained-replays.js';
import { ownerOf, SessionAccess } from './session-access.js';
import { SilenceTimer } from './silence-timer.js';

/** A CONNECT has no business being larger, and its sender is nobody yet. */
const MAXIMUM_CONNECT_BYTES = 64 * 1024;

/** What an accepted CONNECT brings. */
interface Client {
  readonly info: ClientInfo;
  readonly session: Session;
  readonly sender: PublishSender;
  readonly flow: OutboundFlow;
  readonly epoch: number;
  readonly maximumPacketSize: number;
  readonly publishes: InboundPublishes;
  readonly control: InboundControl;
  readonly acknowledger: Acknowledger;
}

export class ClientConnection implements InputOwner, HandshakeHost, SuppliedConnection, ControlHost, AnswerHost {
  readonly #context: BrokerContext;
  readonly #channel: ByteChannel;
  readonly #outbound: OutboundBuffer;
  readonly #input: ConnectionInput;
  readonly #gate: InputGate;
  readonly #silence: SilenceTimer;
  /** Null once the client has been accepted. */
  #handshake: Handshake | null;
  /** Null before. */
  #client: Client | null = null;
  gatedAt = NOT_GATED;
  #queueConsumers: QueueConsumers | null = null;
  #identity: Identity | null = null;
  #identityExpiry: IdentityExpiry | null = null;

  constructor(channel: ByteChannel, context: BrokerContext) {
    this.#context = context;
    this.#channel = channel;
    this.#outbound = new OutboundBuffer(channel, context.flushQueue);
    this.#handshake = new Handshake(context, channel, this);
    this.#input = new ConnectionInput(context, channel, this, this.#handshake);
    this.#gate = this.#input.gate;
    this.#silence = new SilenceTimer(this, context.wheel, context.limits.connectTimeoutMs);
    context.metrics.socketsAccepted++;
    context.handshaking.add(this);
    channel.setHandler(this.#input);
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

  onInputError(error: unknown): void {
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

  onInputHandled(): void {
    this.#client?.flow.advance();
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
    const { guard, events } = this.#context;
    const client = this.#openClient(packet, terms.clientId, session, identity, exchange);
    const { info, acknowledger, maximumPacketSize } = client;
    this.#client = client;
    this.#handshake = null;
    this.#input.onAccepted();
    this.#takeIdentity(identity);
    // [MQTT-3.1.2-22] one and a half times the keep alive
    this.#silence.setLimit(terms.keepAliveSeconds * 1500);
    this.#listAsConnected(info.clientId);
    const connack = acceptance(this.#context, packet, terms, isPresent, exchange);
    const bytes = encodeConnack(connack, packet.protocolVersion, maximumPacketSize);
    acknowledger.send(ticket, PacketType.CONNACK, bytes);
    // Nothing may be sent before CONNACK [MQTT-3.2.0-1]: what would have it sent is not handled yet.
    if (acknowledger.waitingCount > 0) this.#gate.hold(Hold.Connack);
    session.resume();
    if (session.queueSubscriptions !== null) this.ensureQueueConsumers()?.resume();
    if (events.hasListener('clientConnected')) events.tell('clientConnected', { ...info, sessionPresent: isPresent });
    guard.onConnected(info, this.#channel.clientCertificate?.subject ?? null);
  }

  /** Puts together what handles the client's packets and sends it its own, and attaches it to the session. */
  #openClient(
    packet: ConnectPacket,
    clientId: string,
    session: Session,
    identity: Identity,
    exchange: CompletedExchange | null,
  ): Client {
    const context = this.#context;
    const { limits } = context;
    const { protocolVersion, isBridge } = packet;
    const isVersion5 = protocolVersion === 5;
    const maximumPacketSize = packet.maximumPacketSize ?? UNLIMITED_PACKET_SIZE;
    const { remoteAddress, listener } = this.#channel;
    const { username } = identity;
    const info: ClientInfo = { clientId, username, protocolVersion, remoteAddress, listener: listener.name };
    const flow = new OutboundFlow(context, this.#channel, this.#outbound, session, this);
    const topicAliasMaximum = Math.min(packet.topicAliasMaximum ?? 0, limits.outboundTopicAliasMaximum);
    const receiverTerms = { isVersion5, isBridge, maximumPacketSize, topicAliasMaximum };
    const sender = new PublishSender(context, this.#outbound, flow, receiverTerms);
    const access = SessionAccess.guard(context, session, session.owner ?? ownerOf(identity));
    const window = Math.min(packet.receiveMaximum ?? limits.maximumInflight, limits.maximumInflight);
    const epoch = session.attach(sender, window);
    const acknowledger = new Acknowledger(context, this.#outbound, isVersion5, this);
    const publishes = new InboundPublishes(context, session, acknowledger, isVersion5);
    publishes.access = access?.client ?? null;
    this.#limitRate(publishes, isVersion5);
    const requestedExpirySeconds = packet.sessionExpirySeconds ?? 0;
    const controlTerms = { protocolVersion, isBridge, maximumPacketSize, requestedExpirySeconds, exchange };
    const control = new InboundControl(context, session, acknowledger, this, controlTerms);
    control.access = access;
    return { info, session, sender, flow, epoch, maximumPacketSize, publishes, control, acknowledger };
  }

  #limitRate(publishes: InboundPublishes, isVersion5: boolean): void {
    const { limits, clock } = this.#context;
    const meter = RateMeter.inbound(limits, clock.now());
    if (meter === null) return;
    const policy = limits.inboundRatePolicy;
    // MQTT 3 knows no refusal: a message would seem to have been taken.
    if (policy === 'refuse' && isVersion5) publishes.rate = meter;
    else this.#gate.limitRate(meter, policy === 'disconnect');
  }

  #listAsConnected(clientId: string): void {
    const { handshaking, connections, metrics } = this.#context;
    handshaking.delete(this);
    connections.set(clientId, this);
    metrics.connectionsAccepted++;
    metrics.connectionsMaximum = Math.max(metrics.connectionsMaximum, connections.size);
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
    const isVersion5 = client.info.protocolVersion === 5;
    this.#queueConsumers = new QueueConsumers(this.#context, work, client.session, client.sender, isVersion5);
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
    this.#client?.flow.advance();
  }

  // ---------------------------------------------------------------- what is sent, and when

  onDrain(): void {
    this.#outbound.flush();
    this.#client?.flow.advance();
  }

  get isConnackDue(): boolean {
    return this.#gate.isHeldBy(Hold.Connack);
  }

  get replays(): RetainedReplays | null {
    return this.#client === null ? null : this.#client.control.replays;
  }

  /** MQTT 3 has no Receive Maximum: a publisher too far ahead of the journal is read no further. */
  onAnswerWaiting(): void {
    this.#context.gated.add(this);
    const client = this.#client;
    if (client === null || client.info.protocolVersion === 5) return;
    if (client.acknowledger.waitingCount >= this.#context.limits.receiveMaximum) this.#gate.hold(Hold.Journal);
  }

  /** The journal has settled more: called for connections in `gated`. */
  onSettled(): void {
    if (this.#client === null || this.isClosed) return;
    const { acknowledger, session, flow } = this.#client;
    acknowledger.onSettled();
    if (acknowledger.waitingCount === 0) this.#gate.release(Hold.Connack);
    flow.advance();
    if (this.isClosed) return;
    if (acknowledger.waitingCount === 0 && !session.isAwaitingCommit) this.#context.gated.delete(this);
    if (acknowledger.waitingCount < this.#context.limits.receiveMaximum) this.#gate.release(Hold.Journal);
  }

  get isOwedAnswers(): boolean {
    return (this.#client?.acknowledger.waitingCount ?? 0) > 0;
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

  onChannelClosed(reason: ChannelCloseReason): void {
    if (reason === 'invalid') {
      this.#handshake?.noteBadOpening('frames that MQTT over WebSocket does not have');
      this.close('protocol-violation');
    } else this.close(reason === 'error' ? 'socket-error' : 'connection-lost');
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
    if (reasonCode !== undefined && client?.info.protocolVersion === 5 && !this.isConnackDue) {
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
    this.#client?.flow.stop();
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
