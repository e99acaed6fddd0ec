/**
 * A connection from its first packet to its CONNACK (section 3.1.4): decodes CONNECT, has the client authenticated,
 * by what CONNECT says or in an exchange of AUTH packets (section 4.12), and opens its session. Lives until then; whatever goes wrong is told to the client in the form that it can read.
 */
import type { AuthenticationMethod, ExchangeStep } from '../auth/authentication-method.js';
import type { ConnectDecision } from '../auth/authenticator.js';
import type { Identity } from '../auth/identity.js';
import { decodeConnect } from '../codec/connect-decoder.js';
import { decodeControlPacket } from '../codec/control-decoder.js';
import { encodeAuth, encodeConnack } from '../codec/control-encoder.js';
import type { ConnectPacket } from '../codec/control-packet.js';
import { AUTH, CONNECT, DISCONNECT, type ProtocolVersion } from '../codec/packet-type.js';
import { peekProtocolVersion } from '../codec/protocol-level.js';
import type { AuditFields } from '../core/audit-log.js';
import type { CloseReason } from '../core/close-reason.js';
import { type OversizedPacket, ProtocolViolation, UnsupportedProtocol } from '../core/errors.js';
import { ReasonCode } from '../core/reason-code.js';
import type { OpenedSession } from '../sessions/session-registry.js';
import type { ByteChannel } from '../transport/byte-channel.js';
import { MISDIRECTION_TEXTS, type Misdirection, misdirectionOf } from '../transport/misdirected.js';
import { BoundedExchange } from './bounded-exchange.js';
import type { BrokerContext } from './broker-context.js';
import {
  acceptance,
  type CompletedExchange,
  type ConnectTerms,
  openSession,
  refusalOf,
  refusalOfRights,
  refusalOfSession,
  settleTerms,
} from './connect-handler.js';
import type { ConnectAttempt } from './defence/connect-guard.js';
import { expectMethod } from './reauthentication.js';
import type { Refusal } from './refusal.js';

/** The first byte of every CONNECT, the flags included. */
const CONNECT_HEADER = CONNECT << 4;

const WITHDRAWN: Refusal = { reasonCode: ReasonCode.NotAuthorized, message: 'the credentials are no longer valid' };

/** The connection that the handshake is for. */
export interface HandshakeHost {
  readonly isClosed: boolean;
  /** No input is handled until {@link endAuthentication}. */
  beginAuthentication(): void;
  endAuthentication(): void;
  accept(
    packet: ConnectPacket,
    terms: ConnectTerms,
    opened: OpenedSession,
    identity: Identity,
    exchange: CompletedExchange | null,
  ): void;
  /** @param version in whose form to answer */
  refuse(refusal: Refusal, version: ProtocolVersion, maximumPacketSize: number | undefined): void;
  send(type: number, bytes: Buffer): void;
  close(reason: CloseReason): void;
  /** The client has said goodbye. */
  onDisconnect(publishWill: boolean): void;
}

/** A client in the middle of its authentication. */
interface Candidate {
  readonly packet: ConnectPacket;
  readonly terms: ConnectTerms;
  readonly method: AuthenticationMethod;
  readonly exchange: BoundedExchange;
}

export class Handshake {
  readonly #context: BrokerContext;
  readonly #channel: ByteChannel;
  readonly #host: HandshakeHost;
  #hasFirstByte = false;
  #hasBegun = false;
  #candidate: Candidate | null = null;
  #attempt: ConnectAttempt | null = null;

  constructor(context: BrokerContext, channel: ByteChannel, host: HandshakeHost) {
    this.#context = context;
    this.#channel = channel;
    this.#host = host;
  }

  /**
   * Looks at what has come in before it is cut into packets: whoever does not begin with CONNECT (a browser, a port
   * scan) need not be waited for until its first packet, whatever that would be, is whole.
   * @returns false if that was the end of the connection
   * @throws ProtocolViolation [MQTT-3.1.0-1]
   */
  onBytes(chunk: Buffer): boolean {
    const first = chunk[0];
    if (this.#hasFirstByte || first === undefined) return true;
    this.#hasFirstByte = true;
    const misdirection = first === CONNECT_HEADER ? null : misdirectionOf(chunk);
    if (misdirection !== null) {
      this.#refuseMisdirected(misdirection);
      return false;
    }
    if (first >> 4 !== CONNECT) {
      throw new ProtocolViolation(ReasonCode.ProtocolError, 'the first packet is not CONNECT [MQTT-3.1.0-1]');
    }
    return true;
  }

  #refuseMisdirected(misdirection: Misdirection): void {
    const { logger, notices } = this.#context;
    const { remoteAddress, listener } = this.#channel;
    const keptBack = notices.offer(`${misdirection} on ${listener.name}`);
    if (keptBack !== null) {
      const about = { listener: listener.name, remoteAddress, keptBack };
      logger.warn(about, MISDIRECTION_TEXTS[misdirection]);
    }
    this.noteBadOpening(misdirection);
    this.#host.close(misdirection);
  }

  /** What has come is no CONNECT that can be read: whoever has sent it, is nobody yet. */
  noteBadOpening(reason: string, reasonCode?: ReasonCode): void {
    this.#auditUnknown('malformed connect', { reason, reasonCode });
  }

  /** It has taken too long until its CONNECT could be accepted. */
  noteTimeout(): void {
    const reason = this.#hasBegun ? 'the authentication did not come to an end in time' : 'no CONNECT has come in time';
    this.#auditUnknown('connect timeout', { reason, clientId: this.#candidate?.packet.clientId });
  }

  #auditUnknown(event: string, fields: AuditFields): void {
    const { listener, remoteAddress } = this.#channel;
    this.#context.audit.failure(event, { remoteAddress, listener: listener.name, ...fields });
  }

  /**
   * Handles the first packet, and those of an exchange.
   * @throws ProtocolViolation for what ends the connection without an answer
   */
  handle(frame: Buffer): void {
    if (this.#candidate !== null) {
      this.#onLaterPacket(this.#candidate, frame);
      return;
    }
    if (this.#hasBegun) throw new ProtocolViolation(ReasonCode.ProtocolError, 'a packet before CONNACK');
    this.#hasBegun = true;
    let packet: ConnectPacket;
    try {
      packet = decodeConnect(frame);
    } catch (error) {
      this.#onBadConnect(frame, error);
      return;
    }
    const terms = settleTerms(this.#context, packet);
    if ('reasonCode' in terms) {
      this.#refuse(packet, terms);
      return;
    }
    const attempt = this.#attemptOf(packet, terms);
    const refusal = this.#context.guard.refusalBefore(attempt) ?? this.#refusalOfTooSmall(packet, terms);
    if (refusal !== null) {
      this.#refuse(packet, refusal);
      return;
    }
    const delayMs = this.#context.guard.delayMs(attempt.username);
    if (delayMs === 0) this.#identify(packet, terms);
    else this.#identifyLater(packet, terms, delayMs);
  }

  #identify(packet: ConnectPacket, terms: ConnectTerms): void {
    const method = this.#context.authenticationMethods.get(packet.authenticationMethod ?? '');
    if (method === undefined) this.#authenticate(packet, terms);
    else this.#beginExchange(packet, terms, method);
  }

  #identifyLater(packet: ConnectPacket, terms: ConnectTerms, delayMs: number): void {
    this.#host.beginAuthentication();
    this.#context.clock.schedule(delayMs, () => {
      if (this.#host.isClosed) return;
      this.#host.endAuthentication();
      this.#identify(packet, terms);
    });
  }

  /** A handshake is about one CONNECT. */
  #attemptOf(packet: ConnectPacket, terms: ConnectTerms): ConnectAttempt {
    this.#attempt ??= this.#newAttempt(packet, terms);
    return this.#attempt;
  }

  #newAttempt(packet: ConnectPacket, terms: ConnectTerms): ConnectAttempt {
    const { listener, remoteAddress, clientCertificate } = this.#channel;
    return {
      clientId: terms.clientId,
      username: clientCertificate?.username ?? packet.username ?? null,
      remoteAddress,
      listener: listener.name,
      subject: clientCertificate?.subject ?? null,
    };
  }

  /**
   * The client sends a packet that is larger than is taken of anybody who is not accepted yet. An MQTT 5 client is told
   * so (section 3.2.2.2), if enough of its CONNECT has come to know that it is one; 3.x has no return code for it.
   * @returns false if there is no answer
   */
  refuseOversized({ reasonCode, message, head }: OversizedPacket): boolean {
    const refusal = { reasonCode, message };
    if (this.#candidate !== null) this.#refuse(this.#candidate.packet, refusal);
    else if (!this.#hasBegun && peekProtocolVersion(head) === 5) {
      this.noteBadOpening(message, reasonCode);
      this.#host.refuse(refusal, 5, undefined);
    } else return false;
    return true;
  }

  #onBadConnect(frame: Buffer, error: unknown): void {
    if (!(error instanceof ProtocolViolation)) throw error;
    const refusal = { reasonCode: error.reasonCode, message: error.message };
    const isUnsupported = error instanceof UnsupportedProtocol;
    // MQTT 3.1.1 closes without CONNACK what is malformed [MQTT-3.1.4-1].
    if (!isUnsupported && peekProtocolVersion(frame) !== 5) throw error;
    this.noteBadOpening(error.message, error.reasonCode);
    this.#host.refuse(refusal, isUnsupported ? error.answerVersion : 5, undefined);
  }

  /** The client cannot be told that it is accepted: a refusal is shorter, and may be what it can be told. */
  #refusalOfTooSmall(packet: ConnectPacket, terms: ConnectTerms): Refusal | null {
    try {
      this.#checkAnswerFits(packet, terms, null);
      return null;
    } catch (error) {
      if (!(error instanceof ProtocolViolation)) throw error;
      return { reasonCode: error.reasonCode, message: error.message };
    }
  }

  // Before anything is changed: a client that cannot be told that it is accepted must not get a session, nor take one
  // over, nor be sent a DISCONNECT [MQTT-3.14.0-1].
  #checkAnswerFits(packet: ConnectPacket, terms: ConnectTerms, exchange: CompletedExchange | null): void {
    if (packet.maximumPacketSize === undefined) return;
    const connack = acceptance(this.#context, packet, terms, false, exchange);
    encodeConnack(connack, packet.protocolVersion, packet.maximumPacketSize);
  }

  #beginExchange(packet: ConnectPacket, terms: ConnectTerms, method: AuthenticationMethod): void {
    const username = this.#channel.clientCertificate?.username ?? packet.username;
    const { remoteAddress } = this.#channel;
    const client = { clientId: terms.clientId, username, remoteAddress, isGone: () => this.#host.isClosed };
    const candidate = { packet, terms, method, exchange: new BoundedExchange(this.#context, method, client) };
    this.#candidate = candidate;
    try {
      this.#advance(candidate, packet.authenticationData);
    } catch (error) {
      this.#onExchangeError(candidate, error);
    }
  }

  #onLaterPacket(candidate: Candidate, frame: Buffer): void {
    try {
      this.#onExchangePacket(candidate, frame);
    } catch (error) {
      this.#onExchangeError(candidate, error);
    }
  }

  // A client without CONNACK is told of its error in one (section 4.13.2), and so that a challenge is too large for it.
  #onExchangeError(candidate: Candidate, error: unknown): void {
    if (!(error instanceof ProtocolViolation)) throw error;
    this.#refuse(candidate.packet, { reasonCode: error.reasonCode, message: error.message });
  }

  #onExchangePacket(candidate: Candidate, frame: Buffer): void {
    const type = (frame[0] as number) >> 4;
    if (type !== AUTH && type !== DISCONNECT) {
      throw new ProtocolViolation(
        ReasonCode.ProtocolError,
        'neither AUTH nor DISCONNECT before CONNACK [MQTT-3.1.2-30]',
      );
    }
    const answer = decodeControlPacket(frame, candidate.packet.protocolVersion);
    if (answer.type !== 'auth') {
      // There is no session yet, and so no will.
      this.#host.onDisconnect(false);
      return;
    }
    expectMethod(answer, candidate.method.name);
    if (answer.reasonCode !== ReasonCode.ContinueAuthentication) {
      throw new ProtocolViolation(
        ReasonCode.ProtocolError,
        'AUTH does not continue the authentication [MQTT-4.12.0-3]',
      );
    }
    this.#advance(candidate, answer.authenticationData);
  }

  #advance(candidate: Candidate, data: Buffer | undefined): void {
    const step = candidate.exchange.next(data);
    if (step instanceof Promise) this.#awaitStep(candidate, step);
    else this.#onStep(candidate, step);
  }

  #awaitStep(candidate: Candidate, step: Promise<ExchangeStep>): void {
    this.#host.beginAuthentication();
    step
      .then((late) => {
        if (this.#host.isClosed) return;
        try {
          this.#onStep(candidate, late);
        } catch (error) {
          this.#onExchangeError(candidate, error);
        }
        this.#host.endAuthentication();
      })
      .catch((error: unknown) => this.#onUnavailable(candidate.packet, error));
  }

  #onStep({ packet, terms, method }: Candidate, step: ExchangeStep): void {
    if (step.outcome === 'failure') {
      if (step.why === 'unidentified') this.#context.guard.onFailedLogin(this.#attemptOf(packet, terms));
      const message = 'authentication failed';
      this.#refuse(packet, refusalOf({ allowed: false, why: step.why, message, detail: step.reason })); // [MQTT-4.12.0-4]
    } else if (step.outcome === 'continue') {
      const reasonCode = ReasonCode.ContinueAuthentication; // [MQTT-4.12.0-2]
      const fields = { reasonCode, authenticationMethod: method.name, authenticationData: step.data };
      const { protocolVersion, maximumPacketSize = Number.POSITIVE_INFINITY } = packet;
      this.#host.send(AUTH, encodeAuth(fields, protocolVersion, maximumPacketSize)); // [MQTT-4.12.0-5]
    } else {
      const completed = { identity: step.identity, method, data: step.data };
      this.#checkAnswerFits(packet, terms, completed);
      this.#admit(packet, terms, step.identity, completed);
    }
  }

  #authenticate(packet: ConnectPacket, terms: ConnectTerms): void {
    const { listener, remoteAddress, clientCertificate } = this.#channel;
    const answer = this.#context.authenticator.authenticate({
      clientId: terms.clientId,
      username: clientCertificate?.username ?? packet.username,
      password: packet.password,
      remoteAddress,
      listenerName: listener.name,
      isLoopback: listener.isLoopback,
      certificate: clientCertificate,
      isGone: () => this.#host.isClosed,
    });
    if (answer instanceof Promise) this.#awaitDecision(packet, terms, answer);
    else this.#onDecision(packet, terms, answer);
  }

  #awaitDecision(packet: ConnectPacket, terms: ConnectTerms, answer: Promise<ConnectDecision>): void {
    this.#host.beginAuthentication();
    answer
      .then((decision) => {
        if (this.#host.isClosed) return;
        this.#onDecision(packet, terms, decision);
        this.#host.endAuthentication();
      })
      .catch((error: unknown) => this.#onUnavailable(packet, error));
  }

  #onUnavailable(packet: ConnectPacket, error: unknown): void {
    this.#context.logger.error({ err: error }, 'a client could not be authenticated');
    const message = 'authentication is not available';
    this.#refuse(packet, { reasonCode: ReasonCode.ServerUnavailable, message });
  }

  #onDecision(packet: ConnectPacket, terms: ConnectTerms, decision: ConnectDecision): void {
    if (decision.allowed) {
      this.#admit(packet, terms, decision.identity, null);
      return;
    }
    if (decision.why === 'unidentified') this.#context.guard.onFailedLogin(this.#attemptOf(packet, terms));
    this.#refuse(packet, refusalOf(decision));
  }

  #admit(packet: ConnectPacket, terms: ConnectTerms, identity: Identity, exchange: CompletedExchange | null): void {
    const attempt = this.#attemptOf(packet, terms);
    const isWithdrawn = identity.grounds?.isWithdrawn === true || this.#channel.clientCertificate?.isWithdrawn === true;
    const refusal =
      // While it was being looked at.
      (isWithdrawn ? WITHDRAWN : null) ??
      refusalOfRights(this.#context, terms, identity) ??
      refusalOfSession(this.#context, terms) ??
      this.#context.guard.refusalOf(attempt, identity.username);
    if (refusal !== null) this.#refuse(packet, refusal);
    else this.#host.accept(packet, terms, openSession(this.#context, terms, identity), identity, exchange);
  }

  #refuse(packet: ConnectPacket, refusal: Refusal): void {
    if (this.#host.isClosed) return;
    const { listener, remoteAddress, clientCertificate } = this.#channel;
    this.#context.audit.failure('connection refused', {
      clientId: packet.clientId,
      username: clientCertificate?.username ?? packet.username,
      remoteAddress,
      listener: listener.name,
      protocolVersion: packet.protocolVersion,
      subject: clientCertificate?.subject,
      reasonCode: refusal.reasonCode,
      reason: refusal.detail ?? refusal.message,
    });
    this.#host.refuse(refusal, packet.protocolVersion, packet.maximumPacketSize);
  }
}
