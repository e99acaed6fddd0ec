/**
 * A worker over MQTT: subscribes to queues, and says of each message what the test wants to be said. In MQTT 5 it learns by User
 * Properties what the queue knows of a message, in 3.1.1 from the envelope.
 */
import { connect as connectSocket, type Socket } from 'node:net';
import { generate, type IPublishPacket, type Packet, parser } from 'mqtt-packet';
import { keyOf } from './session-client.js';

export interface WorkItem {
  readonly queue: string;
  /** Of this copy of the message: one that was published twice has two. */
  readonly id: string;
  readonly key: string;
  readonly attempt: number;
  readonly enqueuedAtMs: number;
  readonly firstReceivedAtMs: number;
  /** Why it is a dead letter; undefined if it is none. */
  readonly deadReason: string | undefined;
  readonly deadReceives: number;
  readonly packetId: number;
  readonly isDuplicate: boolean;
}

export type WorkAction = 'ack' | 'nack' | 'reject';

export interface WorkerEvents {
  onWork(item: WorkItem): void;
  onClosed(): void;
  onViolation(text: string): void;
}

interface Envelope {
  readonly id: string;
  readonly queue: string;
  readonly attempt: number;
  readonly enqueued: number;
  readonly first: number;
  readonly payload: string;
  readonly dead?: { readonly reason: string; readonly receives: number };
}

export class WorkerClient {
  readonly clientId: string;
  readonly version: 4 | 5;
  readonly #events: WorkerEvents;
  #socket: Socket | null = null;
  #packetId = 0;
  #isLeaving = false;
  #isConnected = false;
  readonly #waiting = new Map<string, (packet: Packet | null) => void>();

  constructor(clientId: string, version: 4 | 5, events: WorkerEvents) {
    this.clientId = clientId;
    this.version = version;
    this.#events = events;
  }

  /** It takes from its queues. */
  get isConnected(): boolean {
    return this.#isConnected;
  }

  get isClosed(): boolean {
    return this.#socket === null;
  }

  /** Connects with a new session and takes from the queues. @returns false if the connection ended meanwhile */
  async connect(port: number, queues: readonly string[]): Promise<boolean> {
    const socket = connectSocket({ port, host: '127.0.0.1', noDelay: true });
    const packets = parser({ protocolVersion: this.version });
    this.#socket = socket;
    this.#isLeaving = false;
    packets.on('packet', (packet) => this.#onPacket(packet));
    packets.on('error', (error: Error) => this.#violation(`got what is not MQTT: ${error.message}`));
    socket.on('data', (chunk: Buffer) => packets.parse(chunk));
    socket.on('error', () => {});
    socket.on('close', () => this.#onClose());
    const connected = this.#answerOf('connack');
    const { clientId, version } = this;
    this.#send({ cmd: 'connect', clientId, protocolId: 'MQTT', protocolVersion: version, clean: true, keepalive: 0 });
    if ((await connected) === null) return false;
    const suffix = version === 5 ? '' : '/$envelope';
    const messageId = this.#nextPacketId();
    const granted = this.#answerOf(`suback ${messageId}`);
    const subscriptions = queues.map((queue) => ({ topic: `$queue/${queue}${suffix}`, qos: 1 as const }));
    this.#send({ cmd: 'subscribe', messageId, subscriptions });
    const suback = await granted;
    if (suback?.cmd !== 'suback') return false;
    if (suback.granted.some((code) => code !== 1)) this.#violation(`was granted ${suback.granted}`);
    this.#isConnected = true;
    return true;
  }

  /** @param reasonCode of MQTT 5 */
  puback({ packetId }: WorkItem, reasonCode = 0): void {
    this.#send(
      this.version === 5 ? { cmd: 'puback', messageId: packetId, reasonCode } : { cmd: 'puback', messageId: packetId },
    );
  }

  /** Says it on the control topic. Resolves with true when the broker has answered that it is so. */
  async command({ queue, id }: WorkItem, action: WorkAction, delay?: number): Promise<boolean> {
    const messageId = this.#nextPacketId();
    const answer = this.#answerOf(`puback ${messageId}`);
    const payload = JSON.stringify({ id, action, ...(delay === undefined ? {} : { delay }) });
    this.#send({
      cmd: 'publish',
      topic: `$queue/${queue}/$ctl`,
      qos: 1,
      messageId,
      payload,
      dup: false,
      retain: false,
    });
    const puback = await answer;
    return puback?.cmd === 'puback' && (puback.reasonCode ?? 0) < 0x80;
  }

  disconnect(): void {
    this.#isLeaving = true;
    this.#send({ cmd: 'disconnect' });
    this.#socket?.end();
  }

  destroy(): void {
    this.#isLeaving = true;
    this.#socket?.destroy();
  }

  /** The broker is about to be killed: that the connection ends will be no fault of its. */
  expectLoss(): void {
    this.#isLeaving = true;
  }

  #onPacket(packet: Packet): void {
    if (packet.cmd === 'publish') this.#onPublish(packet);
    else if (packet.cmd === 'connack') this.#answer('connack', packet);
    else if (packet.cmd === 'suback' || packet.cmd === 'puback')
      this.#answer(`${packet.cmd} ${packet.messageId}`, packet);
    else this.#violation(`got ${packet.cmd}`);
  }

  #onPublish(packet: IPublishPacket): void {
    const item = this.version === 5 ? itemOf(packet) : unwrap(packet);
    // Whatever comes again is a PUBLISH of its own.
    if (packet.dup) this.#violation(`got ${item.key} with DUP`);
    this.#events.onWork(item);
  }

  #onClose(): void {
    const isExpected = this.#isLeaving;
    this.#socket = null;
    this.#isConnected = false;
    for (const answer of this.#waiting.values()) answer(null);
    this.#waiting.clear();
    if (!isExpected) this.#violation('lost its connection while the broker was running');
    this.#events.onClosed();
  }

  /** @returns null if the connection ends before */
  #answerOf(name: string): Promise<Packet | null> {
    return new Promise((resolve) => {
      if (this.#socket === null) resolve(null);
      else this.#waiting.set(name, resolve);
    });
  }

  #answer(name: string, packet: Packet): void {
    const waiting = this.#waiting.get(name);
    this.#waiting.delete(name);
    if (waiting === undefined) this.#violation(`got ${name}, which it had not asked for`);
    waiting?.(packet);
  }

  #send(packet: Packet): void {
    if (this.#socket === null || this.#socket.destroyed) return;
    this.#socket.write(generate(packet, { protocolVersion: this.version }));
  }

  #nextPacketId(): number {
    this.#packetId = (this.#packetId % 65_535) + 1;
    return this.#packetId;
  }

  #violation(text: string): void {
    this.#events.onViolation(`${this.clientId} ${text}`);
  }
}

function itemOf({ payload, messageId = 0, dup, properties }: IPublishPacket): WorkItem {
  const facts = { ...properties?.userProperties } as Record<string, string>;
  return {
    queue: facts['q-queue'] ?? '',
    id: facts['q-id'] ?? '',
    key: keyOf(Buffer.from(payload)),
    attempt: Number(facts['q-attempt']),
    enqueuedAtMs: Number(facts['q-enqueued']),
    firstReceivedAtMs: Number(facts['q-first']),
    deadReason: facts['q-dead-reason'],
    deadReceives: Number(facts['q-dead-receives'] ?? 0),
    packetId: messageId,
    isDuplicate: dup,
  };
}

function unwrap({ payload, messageId = 0, dup }: IPublishPacket): WorkItem {
  const { id, queue, attempt, enqueued, first, payload: text, dead } = JSON.parse(payload.toString()) as Envelope;
  return {
    queue,
    id,
    key: keyOf(Buffer.from(text)),
    attempt,
    enqueuedAtMs: enqueued,
    firstReceivedAtMs: first,
    deadReason: dead?.reason,
    deadReceives: dead?.receives ?? 0,
    packetId: messageId,
    isDuplicate: dup,
  };
}
