/**
 * A connection from its first packet to its CONNACK (section 3.1.4): decodes CONNECT, has the client authenticated,
 * opens its session. Lives until then; whatever goes wrong is told to the client in the form that it can read.
 */
import type { ConnectDecision } from '../auth/authenticator.js';
import { decodeConnect } from '../codec/control-decoder.js';
import { encodeConnack } from '../codec/control-encoder.js';
import type { ConnectPacket } from '../codec/control-packet.js';
import type { ProtocolVersion } from '../codec/packet-type.js';
import { peekProtocolVersion } from '../codec/protocol-level.js';
import { ProtocolViolation, UnsupportedProtocol } from '../core/errors.js';
import { ReasonCode } from '../core/reason-code.js';
import type { OpenedSession } from '../sessions/session-registry.js';
import type { ByteChannel } from '../transport/byte-channel.js';
import type { BrokerContext } from './broker-context.js';
import { acceptance, type ConnectTerms, openSession, type Refusal, refusalOf, settleTerms } from './connect-handler.js';

/** The connection that the handshake is for. */
export interface HandshakeHost {
  readonly isClosed: boolean;
  /** No input is handled until {@link endAuthentication}. */
  beginAuthentication(): void;
  endAuthentication(): void;
  accept(packet: ConnectPacket, terms: ConnectTerms, opened: OpenedSession): void;
  /** @param version in whose form to answer */
  refuse(refusal: Refusal, version: ProtocolVersion, maximumPacketSize: number | undefined): void;
}

export class Handshake {
  readonly #context: BrokerContext;
  readonly #channel: ByteChannel;
  readonly #host: HandshakeHost;
  #hasBegun = false;

  constructor(context: BrokerContext, channel: ByteChannel, host: HandshakeHost) {
    this.#context = context;
    this.#channel = channel;
    this.#host = host;
  }

  /**
   * Handles the first packet.
   * @throws ProtocolViolation for what ends the connection without an answer
   */
  handle(frame: Buffer): void {
    if (this.#hasBegun) throw new ProtocolViolation(ReasonCode.ProtocolError, 'a packet before CONNACK');
    this.#hasBegun = true;
    let packet: ConnectPacket;
    try {
      packet = decodeConnect(frame); // [MQTT-3.1.0-1] refuses anything else
    } catch (error) {
      this.#onBadConnect(frame, error);
      return;
    }
    const terms = settleTerms(this.#context, packet);
    if ('reasonCode' in terms) this.#refuse(packet, terms);
    else {
      this.#checkAnswerFits(packet, terms);
      this.#authenticate(packet, terms);
    }
  }

  #onBadConnect(frame: Buffer, error: unknown): void {
    if (!(error instanceof ProtocolViolation)) throw error;
    const refusal = { reasonCode: error.reasonCode, message: error.message };
    if (error instanceof UnsupportedProtocol) this.#host.refuse(refusal, error.answerVersion, undefined);
    // MQTT 3.1.1 closes without CONNACK what is malformed [MQTT-3.1.4-1].
    else if (peekProtocolVersion(frame) === 5) this.#host.refuse(refusal, 5, undefined);
    else throw error;
  }

  // Before anything is changed: a client that cannot be told that it is accepted must not get a session, nor take one
  // over, nor be sent a DISCONNECT [MQTT-3.14.0-1].
  #checkAnswerFits(packet: ConnectPacket, terms: ConnectTerms): void {
    if (packet.maximumPacketSize === undefined) return;
    encodeConnack(acceptance(this.#context, packet, terms, false), packet.protocolVersion, packet.maximumPacketSize);
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
      .catch((error: unknown) => {
        this.#context.logger.error({ err: error }, 'a client could not be authenticated');
        const message = 'authentication is not available';
        this.#refuse(packet, { reasonCode: ReasonCode.ServerUnavailable, message });
      });
  }

  #onDecision(packet: ConnectPacket, terms: ConnectTerms, decision: ConnectDecision): void {
    const refusal = refusalOf(decision);
    if (refusal !== null) {
      this.#refuse(packet, refusal);
      return;
    }
    this.#host.accept(packet, terms, openSession(this.#context, terms));
  }

  #refuse(packet: ConnectPacket, refusal: Refusal): void {
    if (!this.#host.isClosed) this.#host.refuse(refusal, packet.protocolVersion, packet.maximumPacketSize);
  }
}
