/**
 * An MQTT client that does exactly what the test says and nothing else: it sends packets or bytes and hands out what
 * the broker sends, in order, read by a parser of its own. What it was not asked to answer stays unanswered.
 */
import { once } from 'node:events';
import { connect as connectSocket, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { generate, type IConnectPacket, type Packet, type Parser, parser } from 'mqtt-packet';
import { createWebSocketStream, WebSocket } from 'ws';

export type ProtocolVersion = 3 | 4 | 5;
export type PacketOf<Command extends Packet['cmd']> = Extract<Packet, { cmd: Command }>;

/** Longest wait for something that must come: it is there to name what did not, never to pass a test. */
const PATIENCE_MS = 5000;

export interface ConnectFields extends Partial<Omit<IConnectPacket, 'cmd' | 'protocolVersion'>> {
  readonly version?: ProtocolVersion;
}

export class RawClient {
  readonly version: ProtocolVersion;
  /** Answers every PUBLISH and PUBREL at once. The packets are handed out all the same. */
  acknowledgesByItself = false;
  readonly #stream: Duplex;
  readonly #parser: Parser;
  readonly #packets: Packet[] = [];
  #wake: (() => void) | null = null;
  #isEnded = false;
  #bytesReceived = 0;
  #packetId = 0;

  constructor(stream: Duplex, version: ProtocolVersion) {
    this.version = version;
    this.#stream = stream;
    this.#parser = parser({ protocolVersion: version });
    this.#parser.on('packet', (packet) => this.#onPacket(packet));
    this.#parser.on('error', () => stream.destroy());
    stream.on('data', (chunk: Buffer) => {
      this.#bytesReceived += chunk.length;
      this.#parser.parse(chunk);
    });
    const onEnd = () => {
      this.#isEnded = true;
      this.#wake?.();
    };
    stream.on('end', onEnd);
    stream.on('close', onEnd);
    stream.on('error', onEnd);
  }

  /** Opens a TCP connection and sends nothing. */
  static async openTcp(port: number, version: ProtocolVersion): Promise<RawClient> {
    const socket = connectSocket({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new RawClient(socket, version);
  }

  /** Opens a WebSocket and sends nothing. Every `sendBytes` is one frame. */
  static async openWebSocket(url: string, version: ProtocolVersion, subprotocol = 'mqtt'): Promise<RawClient> {
    const webSocket = new WebSocket(url, subprotocol);
    const stream = createWebSocketStream(webSocket);
    await once(webSocket, 'open');
    return new RawClient(stream, version);
  }

  get bytesReceived(): number {
    return this.#bytesReceived;
  }

  /** A packet identifier that has not been used on this connection. */
  nextPacketId(): number {
    return ++this.#packetId;
  }

  sendBytes(bytes: Buffer | readonly number[]): void {
    this.#stream.write(Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes));
  }

  send(packet: Packet): void {
    this.sendBytes(this.encode(packet));
  }

  /** The bytes of several packets in one piece. */
  sendTogether(packets: readonly Packet[]): void {
    this.sendBytes(Buffer.concat(packets.map((packet) => this.encode(packet))));
  }

  encode(packet: Packet): Buffer {
    return generate(packet, { protocolVersion: this.version });
  }

  sendConnect(fields: ConnectFields = {}): void {
    const { version: _version, ...rest } = fields;
    const protocolId = this.version === 3 ? 'MQIsdp' : 'MQTT';
    this.send({
      cmd: 'connect',
      protocolId,
      protocolVersion: this.version,
      clientId: 'client',
      clean: true,
      keepalive: 0,
      ...rest,
    });
  }

  /** Sends CONNECT and returns the CONNACK, whatever it says. */
  async connect(fields: ConnectFields = {}): Promise<PacketOf<'connack'>> {
    this.sendConnect(fields);
    return this.expectPacket('connack');
  }

  /** The next packet, which must be of this type. */
  async expectPacket<Command extends Packet['cmd']>(command: Command): Promise<PacketOf<Command>> {
    const packet = await this.#take(command);
    if (packet === undefined) throw new Error(`expected ${command}, but the connection was closed`);
    if (packet.cmd !== command) throw new Error(`expected ${command}, got ${JSON.stringify(packet)}`);
    return packet as PacketOf<Command>;
  }

  /** The next packet, whatever it is. */
  async expectAny(): Promise<Packet> {
    const packet = await this.#take('a packet');
    if (packet === undefined) throw new Error('expected a packet, but the connection was closed');
    return packet;
  }

  /** The next packets of one type. */
  async expectPackets<Command extends Packet['cmd']>(command: Command, count: number): Promise<PacketOf<Command>[]> {
    const packets: PacketOf<Command>[] = [];
    while (packets.length < count) packets.push(await this.expectPacket(command));
    return packets;
  }

  /** The broker closes the connection and sends nothing more before that. */
  async expectClosed(): Promise<void> {
    const packet = await this.#take('the end of the connection');
    if (packet !== undefined) throw new Error(`expected the connection to be closed, got ${JSON.stringify(packet)}`);
  }

  /** The broker says why and closes. MQTT 3 clients are not told. */
  async expectDisconnect(reasonCode: number): Promise<void> {
    if (this.version === 5) {
      const packet = await this.expectPacket('disconnect');
      if (packet.reasonCode !== reasonCode) {
        throw new Error(`expected reason code ${reasonCode}, got ${packet.reasonCode}: ${JSON.stringify(packet)}`);
      }
    }
    await this.expectClosed();
  }

  /**
   * Nothing has been sent: proven by a PINGREQ, whose answer cannot overtake what the broker had to send before. Only
   * for what the broker has been made to handle already, on this connection or one that has been waited for.
   */
  async expectNothing(): Promise<void> {
    this.send({ cmd: 'pingreq' });
    const packet = await this.#take('pingresp');
    if (packet?.cmd !== 'pingresp') throw new Error(`expected nothing, got ${JSON.stringify(packet)}`);
  }

  /** The broker has handled everything that was sent so far. Packets that came meanwhile are handed out later. */
  async barrier(): Promise<void> {
    const seen = this.#packets.splice(0);
    this.send({ cmd: 'pingreq' });
    for (;;) {
      const packet = await this.#take('pingresp');
      if (packet === undefined) throw new Error('the connection was closed at a barrier');
      if (packet.cmd === 'pingresp') break;
      seen.push(packet);
    }
    this.#packets.unshift(...seen);
  }

  async subscribe(filter: string, qos: 0 | 1 | 2 = 0): Promise<PacketOf<'suback'>> {
    this.send({ cmd: 'subscribe', messageId: this.nextPacketId(), subscriptions: [{ topic: filter, qos }] });
    return this.expectPacket('suback');
  }

  /** Packets that have come and not been asked for yet. */
  takeAll(): Packet[] {
    return this.#packets.splice(0);
  }

  /** The peer's window fills up from now on. */
  pauseReading(): void {
    this.#stream.pause();
  }

  resumeReading(): void {
    this.#stream.resume();
  }

  /** Sends DISCONNECT and waits for the close. */
  async disconnect(reasonCode = 0, properties?: PacketOf<'disconnect'>['properties']): Promise<void> {
    this.send({ cmd: 'disconnect', reasonCode, ...(properties === undefined ? {} : { properties }) });
    await this.expectClosed();
  }

  /** Breaks the connection without a word. */
  destroy(): void {
    this.#stream.destroy();
  }

  /** Ends our side in order: the peer reads everything and then the end. */
  end(): void {
    this.#stream.end();
  }

  async #take(expected: string): Promise<Packet | undefined> {
    if (this.#packets.length === 0 && !this.#isEnded) await this.#somethingNew(expected);
    return this.#packets.shift();
  }

  async #somethingNew(expected: string): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve, reject) => {
      this.#wake = resolve;
      timer = setTimeout(() => reject(new Error(`nothing came; expected ${expected}`)), PATIENCE_MS);
    }).finally(() => clearTimeout(timer));
    this.#wake = null;
  }

  #onPacket(packet: Packet): void {
    this.#packets.push(packet);
    if (this.acknowledgesByItself) this.#acknowledge(packet);
    this.#wake?.();
  }

  #acknowledge(packet: Packet): void {
    if (packet.cmd === 'publish' && packet.qos === 1) this.send({ cmd: 'puback', messageId: packet.messageId ?? 0 });
    if (packet.cmd === 'publish' && packet.qos === 2) this.send({ cmd: 'pubrec', messageId: packet.messageId ?? 0 });
    if (packet.cmd === 'pubrel') this.send({ cmd: 'pubcomp', messageId: packet.messageId ?? 0 });
  }
}

/** A client's socket, for tests that look at it. */
export type ClientSocket = Socket;
