/**
 * An MQTT client whose session is exact and outlives its connections: the packet identifiers under way in both
 * directions are kept, and after a reconnect everything is taken up where the protocol says. QoS 2 is exactly once only
 * between parties that do this, so a proof of it needs a client that is known to.
 *
 *   outbound   PUBLISH sent ──PUBACK──▶ done                 resent with DUP after a reconnect   [MQTT-4.4.0-1]
 *              PUBLISH sent ──PUBREC──▶ PUBREL sent ──PUBCOMP──▶ done     then PUBREL is resent
 *   inbound    QoS 2: identifier held from the first PUBLISH to PUBREL; meanwhile a PUBLISH with it is the same message
 *
 * It reads and writes with mqtt-packet, not with the broker's codec. What it finds wrong with the broker's side of the
 * protocol goes to `onViolation`.
 */
import { connect as connectSocket, type Socket } from 'node:net';
import {
  generate,
  type IConnackPacket,
  type IConnectPacket,
  type IPublishPacket,
  type Packet,
  parser,
} from 'mqtt-packet';

export interface SessionOptions {
  readonly clientId: string;
  readonly version: 4 | 5;
  /** Of MQTT 5; a client of 3.1.1 cannot ask. 0 ends the session with the connection, in 3.1.1 by Clean Session 1. */
  readonly sessionExpirySeconds: number;
  /** Deliveries that may be on the way to us; MQTT 5. */
  readonly receiveMaximum?: number;
  /** It may find a session that an earlier client of its name has made. */
  readonly takesOver?: boolean;
  /** Deliveries that are left unanswered until so many more have come. 0 answers at once. */
  readonly heldAnswers?: number;
}

/** A message to be published. The key comes back in the events, and stands at the head of the payload. */
export interface OutboundMessage {
  readonly key: string;
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 1 | 2;
  readonly retain?: boolean;
  /** MQTT 5. */
  readonly expirySeconds?: number;
}

/** A message as the application gets it: QoS 2 repeats are taken out, by nothing but the protocol. */
export interface Delivery {
  readonly clientId: string;
  readonly version: 4 | 5;
  /** The connection that it came on, counted from 1. */
  readonly connection: number;
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1 | 2;
  readonly isDuplicate: boolean;
  readonly isRetained: boolean;
  readonly expirySeconds: number | undefined;
}

export interface SessionEvents {
  onDelivery?(delivery: Delivery): void;
  /** PUBACK, PUBCOMP, or a PUBREC that refuses. Below 0x80 it is a success; 0 in MQTT 3. */
  onCompleted?(message: OutboundMessage, reasonCode: number): void;
  /** The broker has the message, and must deliver it: PUBACK or PUBREC with success. */
  onAccepted?(message: OutboundMessage): void;
  /** The same message is about to be sent once more. */
  onSentAgain?(message: OutboundMessage): void;
  /** The session is gone on the broker's side, and so what was under way: it may have arrived or not. */
  onAbandoned?(message: OutboundMessage): void;
  /** The broker says that it is about to close the connection; MQTT 5. @returns true if that is no violation */
  onDisconnect?(reasonCode: number): boolean;
  onViolation?(text: string): void;
  /** The connection has ended, whoever ended it. */
  onClosed?(): void;
  /** Anything has happened. */
  onChange?(): void;
}

/** Will of one connection. */
export type Will = NonNullable<IConnectPacket['will']>;

export class ConnectionLost extends Error {}

interface Outbound {
  readonly message: OutboundMessage;
  stage: 'published' | 'released';
}

const FIRST_FAILURE = 0x80;
const PACKET_IDENTIFIER_NOT_FOUND = 0x92;
/** MQTT 5; what 3.1.1 has no field for. */
const NO_REASON = 0;

export class SessionClient {
  readonly options: SessionOptions;
  readonly #events: SessionEvents;
  #socket: Socket | null = null;
  #isConnected = false;
  #isLeaving = false;
  #connections = 0;
  #packetId = 0;
  #sendMaximum = 65_535;
  /** By packet identifier, in the order of first sending. */
  readonly #outbound = new Map<number, Outbound>();
  /** QoS 2 identifiers between PUBLISH and PUBREL, with the payload that came under each. */
  readonly #inbound = new Map<number, Buffer>();
  /** Deliveries that have not been answered yet, of this connection. */
  #unanswered: IPublishPacket[] = [];
  readonly #waiting = new Map<string, { resolve: (packet: Packet) => void; reject: (error: Error) => void }>();
  /** The broker has acknowledged something that only a stored session can hold. */
  #mustBePresent = false;

  constructor(options: SessionOptions, events: SessionEvents) {
    this.options = options;
    this.#events = events;
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** No connection, nor one that is being made or closed. */
  get isClosed(): boolean {
    return this.#socket === null;
  }

  /** Messages of ours that the broker has not completed. */
  get underWay(): number {
    return this.#outbound.size;
  }

  /** How many more the broker takes at this time. */
  get room(): number {
    return this.#isConnected ? this.#sendMaximum - this.#outbound.size : 0;
  }

  /** QoS 2 deliveries that the broker has not released. */
  get unreleased(): number {
    return this.#inbound.size;
  }

  get connections(): number {
    return this.#connections;
  }

  /**
   * Connects with Clean Start 0 and takes up what was under way.
   * @throws ConnectionLost if the connection ends before CONNACK
   */
  async connect(port: number, will?: Will): Promise<IConnackPacket> {
    if (this.#socket !== null) throw new Error(`${this.options.clientId} is connected already`);
    this.#openSocket(port);
    this.#send(this.#connectPacket(will));
    const connack = (await this.#answerOf('connack')) as IConnackPacket;
    const code = (this.options.version === 5 ? connack.reasonCode : connack.returnCode) ?? NO_REASON;
    if (code !== 0) throw new Error(`${this.options.clientId} was refused: ${code}`);
    return connack;
  }

  /** Sends a message. There must be {@link room}; what becomes of it is told by the events. */
  publish(message: OutboundMessage): void {
    if (this.room <= 0) throw new Error(`${this.options.clientId} has no room to publish`);
    const packetId = this.#freePacketId();
    this.#outbound.set(packetId, { message, stage: 'published' });
    this.#send(publishPacket(packetId, message, false));
  }

  /** @returns the granted QoS, or the failure code @throws ConnectionLost without an answer */
  async subscribe(filter: string, qos: 0 | 1 | 2): Promise<number> {
    const messageId = this.#freePacketId();
    const answer = this.#answerOf(`suback ${messageId}`);
    this.#send({ cmd: 'subscribe', messageId, subscriptions: [{ topic: filter, qos }] });
    const suback = await answer;
    if (this.options.sessionExpirySeconds > 0) this.#mustBePresent = true;
    return Number(suback.cmd === 'suback' ? suback.granted[0] : FIRST_FAILURE);
  }

  /** @throws ConnectionLost without an answer */
  async unsubscribe(filter: string): Promise<void> {
    const messageId = this.#freePacketId();
    const answer = this.#answerOf(`unsuback ${messageId}`);
    this.#send({ cmd: 'unsubscribe', messageId, unsubscriptions: [filter] });
    await answer;
  }

  /** Resolves when the broker has read everything that was sent before. @throws ConnectionLost */
  async ping(): Promise<void> {
    const answer = this.#answerOf('pingresp');
    this.#send({ cmd: 'pingreq' });
    await answer;
  }

  /** Answers every delivery that was held back. */
  answerAll(): void {
    for (const packet of this.#unanswered.splice(0)) this.#answer(packet);
  }

  /** Says goodbye; the session stays, for its expiry. */
  disconnect(): void {
    if (this.#socket === null) return;
    this.#isLeaving = true;
    if (this.#isConnected) this.#send({ cmd: 'disconnect', reasonCode: 0 });
    this.#isConnected = false;
    this.#socket.end();
  }

  /** Breaks the connection without a word. */
  destroy(): void {
    this.#isLeaving = true;
    this.#isConnected = false;
    this.#socket?.destroy();
  }

  /** Reads nothing more from this connection, as behind a network that has failed in one direction. */
  goDeaf(): void {
    this.#socket?.pause();
  }

  /** The broker is about to be killed: that the connection ends will be no fault of its. */
  expectLoss(): void {
    this.#isLeaving = true;
  }

  #openSocket(port: number): void {
    const socket = connectSocket({ port, host: '127.0.0.1', noDelay: true });
    const packets = parser({ protocolVersion: this.options.version });
    this.#socket = socket;
    this.#isLeaving = false;
    this.#connections += 1;
    packets.on('packet', (packet) => this.#onPacket(packet));
    packets.on('error', (error: Error) => this.#violation(`sent what is not MQTT: ${error.message}`));
    socket.on('data', (chunk: Buffer) => packets.parse(chunk));
    socket.on('error', () => {});
    socket.on('close', () => this.#onClose());
  }

  #connectPacket(will: Will | undefined): IConnectPacket {
    const { clientId, version, sessionExpirySeconds, receiveMaximum } = this.options;
    const common = { cmd: 'connect', clientId, protocolId: 'MQTT', protocolVersion: version, keepalive: 0 } as const;
    const withWill = will === undefined ? {} : { will };
    if (version === 4) return { ...common, clean: sessionExpirySeconds === 0, ...withWill };
    const limit = receiveMaximum === undefined ? {} : { receiveMaximum };
    return {
      ...common,
      clean: false,
      properties: { sessionExpiryInterval: sessionExpirySeconds, ...limit },
      ...withWill,
    };
  }

  #onPacket(packet: Packet): void {
    switch (packet.cmd) {
      case 'connack':
        this.#onConnack(packet);
        break;
      case 'publish':
        this.#onPublish(packet);
        break;
      case 'pubrel':
        this.#onPubrel(packet.messageId ?? 0);
        break;
      case 'puback':
        this.#onPuback(packet.messageId ?? 0, packet.reasonCode ?? NO_REASON);
        break;
      case 'pubrec':
        this.#onPubrec(packet.messageId ?? 0, packet.reasonCode ?? NO_REASON);
        break;
      case 'pubcomp':
        this.#onPubcomp(packet.messageId ?? 0, packet.reasonCode ?? NO_REASON);
        break;
      case 'suback':
      case 'unsuback':
        this.#settle(`${packet.cmd} ${packet.messageId}`, packet);
        break;
      case 'pingresp':
        this.#settle('pingresp', packet);
        break;
      case 'disconnect':
        this.#onDisconnect(packet.reasonCode ?? NO_REASON);
        break;
      default:
        this.#violation(`got ${packet.cmd}`);
    }
    this.#events.onChange?.();
  }

  #onConnack(packet: IConnackPacket): void {
    const code = (this.options.version === 5 ? packet.reasonCode : packet.returnCode) ?? NO_REASON;
    if (code === 0) {
      this.#sendMaximum = packet.properties?.receiveMaximum ?? 65_535;
      if (packet.sessionPresent) this.#resume();
      else this.#startAnew();
      this.#isConnected = true;
    }
    this.#settle('connack', packet);
  }

  /** [MQTT-4.4.0-1] Unacknowledged PUBLISH with DUP and PUBREL, under their identifiers, in their order. */
  #resume(): void {
    // [MQTT-3.2.2-4] of MQTT 5, [MQTT-3.2.2-3] of 3.1.1
    if (this.#connections === 1 && this.options.takesOver !== true)
      this.#violation('found a session that it never made');
    for (const [messageId, { message, stage }] of this.#outbound) {
      if (stage === 'released') {
        this.#send({ cmd: 'pubrel', messageId });
      } else {
        this.#events.onSentAgain?.(message);
        this.#send(publishPacket(messageId, message, true));
      }
    }
  }

  /** [MQTT-3.2.2-5] Without a session on the broker's side ours is void. */
  #startAnew(): void {
    if (this.#mustBePresent) this.#violation('lost its session: Session Present is 0 after an acknowledged SUBSCRIBE');
    this.#mustBePresent = false;
    for (const { message } of this.#outbound.values()) this.#events.onAbandoned?.(message);
    this.#outbound.clear();
    this.#inbound.clear();
  }

  #onPublish(packet: IPublishPacket): void {
    const { qos, messageId = 0 } = packet;
    if (qos === 0) {
      // [MQTT-3.3.1-2]
      if (packet.dup) this.#violation('got a QoS 0 message with DUP');
      this.#deliver(packet);
      return;
    }
    const payload = payloadOf(packet);
    const held = qos === 2 ? this.#inbound.get(messageId) : undefined;
    if (held === undefined) {
      if (qos === 2) this.#inbound.set(messageId, payload);
      this.#deliver(packet);
    } else if (!held.equals(payload)) {
      // The receiver must take it for the same message [MQTT-4.3.3-10], and so this one is lost.
      this.#violation(`got identifier ${messageId} for another message before it was released: "${keyOf(payload)}"`);
    }
    this.#unanswered.push(packet);
    while (this.#unanswered.length > (this.options.heldAnswers ?? 0)) {
      this.#answer(this.#unanswered.shift() as IPublishPacket);
    }
  }

  #answer({ qos, messageId = 0 }: IPublishPacket): void {
    this.#send(qos === 1 ? { cmd: 'puback', messageId } : { cmd: 'pubrec', messageId });
  }

  #deliver(packet: IPublishPacket): void {
    this.#events.onDelivery?.({
      clientId: this.options.clientId,
      version: this.options.version,
      connection: this.#connections,
      topic: packet.topic,
      payload: payloadOf(packet),
      qos: packet.qos,
      isDuplicate: packet.dup,
      isRetained: packet.retain,
      expirySeconds: packet.properties?.messageExpiryInterval,
    });
  }

  #onPubrel(messageId: number): void {
    const wasHeld = this.#inbound.delete(messageId);
    // During recovery an unknown identifier is no error: our PUBCOMP may have been lost.
    const reasonCode = wasHeld ? NO_REASON : PACKET_IDENTIFIER_NOT_FOUND;
    this.#send(this.options.version === 5 ? { cmd: 'pubcomp', messageId, reasonCode } : { cmd: 'pubcomp', messageId });
  }

  #onPuback(messageId: number, reasonCode: number): void {
    const entry = this.#outbound.get(messageId);
    if (entry === undefined || entry.message.qos !== 1) {
      this.#violation(`got PUBACK for identifier ${messageId}, which it had not sent`);
      return;
    }
    this.#outbound.delete(messageId);
    if (reasonCode < FIRST_FAILURE) this.#events.onAccepted?.(entry.message);
    this.#events.onCompleted?.(entry.message, reasonCode);
  }

  #onPubrec(messageId: number, reasonCode: number): void {
    const entry = this.#outbound.get(messageId);
    if (entry === undefined || entry.message.qos !== 2) {
      this.#violation(`got PUBREC for identifier ${messageId}, which it had not sent`);
      return;
    }
    if (reasonCode >= FIRST_FAILURE) {
      this.#outbound.delete(messageId);
      this.#events.onCompleted?.(entry.message, reasonCode);
      return;
    }
    if (entry.stage === 'published') this.#events.onAccepted?.(entry.message);
    entry.stage = 'released';
    this.#send({ cmd: 'pubrel', messageId });
  }

  #onPubcomp(messageId: number, reasonCode: number): void {
    const entry = this.#outbound.get(messageId);
    if (entry?.stage !== 'released') {
      this.#violation(`got PUBCOMP for identifier ${messageId}, which it had not released`);
      return;
    }
    this.#outbound.delete(messageId);
    // 0x92 after a crash between the stored release and its PUBCOMP: the message has been complete since.
    this.#events.onCompleted?.(entry.message, reasonCode === PACKET_IDENTIFIER_NOT_FOUND ? NO_REASON : reasonCode);
  }

  #onDisconnect(reasonCode: number): void {
    if (this.#events.onDisconnect?.(reasonCode) === true) this.#isLeaving = true;
    else this.#violation(`was disconnected with reason code ${reasonCode}`);
  }

  #onClose(): void {
    const isExpected = this.#isLeaving;
    this.#socket = null;
    this.#isConnected = false;
    this.#unanswered = [];
    const lost = new ConnectionLost(`${this.options.clientId} lost its connection`);
    for (const { reject } of this.#waiting.values()) reject(lost);
    this.#waiting.clear();
    if (!isExpected) this.#violation('lost its connection while the broker was running');
    this.#events.onClosed?.();
    this.#events.onChange?.();
  }

  #answerOf(name: string): Promise<Packet> {
    return new Promise((resolve, reject) => {
      if (this.#socket === null) reject(new ConnectionLost(`${this.options.clientId} is not connected`));
      else this.#waiting.set(name, { resolve, reject });
    });
  }

  #settle(name: string, packet: Packet): void {
    const waiting = this.#waiting.get(name);
    this.#waiting.delete(name);
    if (waiting === undefined) this.#violation(`got ${name}, which it had not asked for`);
    waiting?.resolve(packet);
  }

  /** The packets of one turn go out in one piece. */
  #send(packet: Packet): void {
    const socket = this.#socket;
    if (socket === null || socket.destroyed) return;
    if (socket.writableCorked === 0) {
      socket.cork();
      process.nextTick(() => socket.uncork());
    }
    socket.write(generate(packet, { protocolVersion: this.options.version }));
  }

  #freePacketId(): number {
    do {
      this.#packetId = (this.#packetId % 65_535) + 1;
    } while (this.#outbound.has(this.#packetId));
    return this.#packetId;
  }

  #violation(text: string): void {
    this.#events.onViolation?.(`${this.options.clientId} ${text}`);
  }
}

/** The key at the head of a payload. */
export function keyOf(payload: Buffer): string {
  const end = payload.indexOf(' ');
  return payload.subarray(0, end === -1 ? 100 : end).toString();
}

function payloadOf({ payload }: IPublishPacket): Buffer {
  return Buffer.isBuffer(payload) ? payload : Buffer.from(payload);
}

function publishPacket(messageId: number, message: OutboundMessage, dup: boolean): IPublishPacket {
  const { topic, payload, qos, retain = false, expirySeconds } = message;
  const properties = expirySeconds === undefined ? {} : { properties: { messageExpiryInterval: expirySeconds } };
  return { cmd: 'publish', messageId, topic, payload, qos, dup, retain, ...properties };
}
