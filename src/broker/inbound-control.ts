/** What an accepted client sends besides publishes and acknowledgements: SUBSCRIBE, UNSUBSCRIBE, PINGREQ, DISCONNECT, AUTH. */
import { decodeControlPacket } from '../codec/control-decoder.js';
import { encodeSuback, encodeUnsuback, PINGRESP } from '../codec/control-encoder.js';
import type {
  AuthPacket,
  DisconnectPacket,
  SubscribePacket,
  SubscriptionRequest,
  UnsubscribePacket,
} from '../codec/control-packet.js';
import { PINGRESP as PINGRESP_TYPE, type ProtocolVersion, SUBACK, UNSUBACK } from '../codec/packet-type.js';
import { ProtocolViolation } from '../core/errors.js';
import { ReasonCode } from '../core/reason-code.js';
import type { Session } from '../sessions/session.js';
import { isQueueTopic } from '../topics/queue-topic.js';
import type { Acknowledger } from './acknowledger.js';
import type { BrokerContext } from './broker-context.js';
import type { CompletedExchange } from './connect-handler.js';
import type { QueueConsumers } from './queue-consumers.js';
import { Reauthentication, type ReauthenticationHost } from './reauthentication.js';
import { RetainedReplays } from './retained-replays.js';
import type { SessionAccess } from './session-access.js';
import { subscribe, unsubscribe } from './subscription-handler.js';

/** The connection that the packets come in on. */
export interface ControlHost extends ReauthenticationHost {
  /** The client has said goodbye. */
  onDisconnect(publishWill: boolean): void;
  /** What the client takes from work queues, made when it is first asked for; null if there are none. */
  ensureQueueConsumers(): QueueConsumers | null;
  /** The same, null also if it has not been asked for. */
  readonly queueConsumers: QueueConsumers | null;
}

export interface ControlTerms {
  readonly protocolVersion: ProtocolVersion;
  /** The client is a bridge of mosquitto's kind, which in MQTT 3 cannot ask for what a bridge needs. */
  readonly isBridge: boolean;
  /** Largest packet that the client takes, bytes. */
  readonly maximumPacketSize: number;
  /** What CONNECT asked for, whatever was granted. Seconds. */
  readonly requestedExpirySeconds: number;
  /** null if the client has named no authentication method. */
  readonly exchange: CompletedExchange | null;
}

export class InboundControl {
  readonly #context: BrokerContext;
  readonly #session: Session;
  readonly #acknowledger: Acknowledger;
  readonly #host: ControlHost;
  readonly #protocolVersion: ProtocolVersion;
  readonly #isBridge: boolean;
  readonly #maximumPacketSize: number;
  readonly #requestedExpirySeconds: number;
  readonly #reauthentication: Reauthentication | null;
  #replays: RetainedReplays | null = null;
  /** What the client may do; null if that is everything. */
  access: SessionAccess | null = null;

  constructor(
    context: BrokerContext,
    session: Session,
    acknowledger: Acknowledger,
    host: ControlHost,
    terms: ControlTerms,
  ) {
    this.#context = context;
    this.#session = session;
    this.#acknowledger = acknowledger;
    this.#host = host;
    const { exchange, maximumPacketSize } = terms;
    this.#protocolVersion = terms.protocolVersion;
    this.#isBridge = terms.isBridge;
    this.#maximumPacketSize = maximumPacketSize;
    this.#requestedExpirySeconds = terms.requestedExpirySeconds;
    this.#reauthentication =
      exchange && new Reauthentication(context, host, exchange, session.clientId, maximumPacketSize);
    if (session.owedRetained.length === 0) return;
    this.#replays = new RetainedReplays(context, session);
    this.#replays.restart();
  }

  /** Retained messages that are still to be sent, or null. */
  get replays(): RetainedReplays | null {
    if (this.#replays?.isDone === true) this.#replays = null;
    return this.#replays;
  }

  /**
   * Handles one whole packet.
   * @throws MalformedPacket or ProtocolViolation by the clause that is broken
   */
  handle(frame: Buffer): void {
    const { maximumFiltersPerPacket } = this.#context.limits;
    const packet = decodeControlPacket(frame, this.#protocolVersion, maximumFiltersPerPacket);
    switch (packet.type) {
      case 'pingreq':
        // Does not queue behind answers that wait for the disk: the client would think us dead.
        this.#host.send(PINGRESP_TYPE, PINGRESP);
        break;
      case 'subscribe':
        this.#onSubscribe(packet);
        break;
      case 'unsubscribe':
        this.#onUnsubscribe(packet);
        break;
      case 'disconnect':
        this.#onDisconnect(packet);
        break;
      case 'auth':
        this.#onAuth(packet);
        break;
    }
  }

  #onAuth(packet: AuthPacket): void {
    if (this.#reauthentication === null) {
      throw new ProtocolViolation(
        ReasonCode.ProtocolError,
        'AUTH on a connection without an authentication method [MQTT-4.12.0-7]',
      );
    }
    this.#reauthentication.handle(packet);
  }

  #onSubscribe(packet: SubscribePacket): void {
    const asked = this.#isBridge ? { ...packet, subscriptions: packet.subscriptions.map(forBridge) } : packet;
    const consumers = packet.subscriptions.some(({ filter }) => isQueueTopic(filter))
      ? this.#host.ensureQueueConsumers()
      : null;
    const { reasonCodes, ticket, replays } = subscribe(this.#context, this.#session, asked, consumers, this.access);
    const fields = { packetId: packet.packetId, reasonCodes };
    const suback = encodeSuback(fields, this.#protocolVersion, this.#maximumPacketSize);
    this.#acknowledger.send(ticket, SUBACK, suback);
    if (replays.length > 0) {
      this.#replays ??= new RetainedReplays(this.#context, this.#session);
      this.#replays.add(replays);
    }
    this.#replays?.onSubscribed(packet.subscriptions.map(({ filter }) => filter));
  }

  #onUnsubscribe(packet: UnsubscribePacket): void {
    const { reasonCodes, ticket } = unsubscribe(this.#context, this.#session, packet, this.#host.queueConsumers);
    this.#replays?.end(packet.filters);
    const fields = { packetId: packet.packetId, reasonCodes };
    const unsuback = encodeUnsuback(fields, this.#protocolVersion, this.#maximumPacketSize);
    this.#acknowledger.send(ticket, UNSUBACK, unsuback);
  }

  #onDisconnect(packet: DisconnectPacket): void {
    const session = this.#session;
    if (packet.sessionExpirySeconds !== undefined) {
      // Section 3.14.2.2.2
      if (this.#requestedExpirySeconds === 0 && packet.sessionExpirySeconds > 0) {
        throw new ProtocolViolation(ReasonCode.ProtocolError, 'DISCONNECT sets a session expiry that CONNECT had at 0');
      }
      const maximum = this.#context.limits.sessionExpiryMaximumSeconds;
      this.#context.sessions.changeExpiry(session, Math.min(packet.sessionExpirySeconds, maximum));
    }
    // [MQTT-3.14.4-3]
    this.#host.onDisconnect(packet.reasonCode !== ReasonCode.Success);
  }
}

/** What other brokers grant to a bridge: its own messages do not come back, and what is retained there stays retained here. */
function forBridge(request: SubscriptionRequest): SubscriptionRequest {
  return { ...request, noLocal: true, retainAsPublished: true };
}
