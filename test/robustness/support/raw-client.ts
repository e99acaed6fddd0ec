/** An MQTT client on a bare socket: it sends what it is told to, sees every packet, and may refuse to read. */
import { connect as connectSocket, type Socket } from 'node:net';
import { type ConnectOptions, connect, type Packet, PacketReader, readPublish, type Version } from './packets.js';

export class RawClient {
  readonly socket: Socket;
  readonly packets: Packet[] = [];
  /** Takes packets instead of `packets`, if set. */
  onPacket: ((packet: Packet) => void) | null = null;
  version: Version = 5;
  isClosed = false;
  receivedBytes = 0;
  readonly closed: Promise<void>;
  readonly #reader = new PacketReader();
  #changed: (() => void)[] = [];

  constructor(port: number) {
    this.socket = connectSocket({ port, host: '127.0.0.1', noDelay: true });
    this.socket.on('error', () => {});
    this.socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    this.closed = new Promise((resolve) => {
      this.socket.on('close', () => {
        this.isClosed = true;
        this.#notify();
        resolve();
      });
    });
  }

  static async open(port: number): Promise<RawClient> {
    const client = new RawClient(port);
    await new Promise<void>((resolve, reject) => {
      client.socket.once('connect', resolve);
      client.socket.once('close', () => reject(new Error('the connection was refused')));
    });
    return client;
  }

  /** Opens a connection and has its CONNECT accepted. */
  static async connect(port: number, options: ConnectOptions = {}): Promise<RawClient> {
    const client = await RawClient.open(port);
    client.version = options.version ?? 5;
    client.send(connect(options));
    await client.waitFor(2);
    return client;
  }

  send(...bytes: Buffer[]): void {
    this.socket.write(bytes.length === 1 ? (bytes[0] as Buffer) : Buffer.concat(bytes));
  }

  /** Sends and waits until the operating system has taken it: never more than the broker reads. */
  async sendSlowly(bytes: Buffer): Promise<void> {
    if (this.isClosed || this.socket.write(bytes)) return;
    await Promise.race([new Promise<void>((resolve) => this.socket.once('drain', () => resolve())), this.closed]);
  }

  /** Resolves with the first packet of `type` from number `from` on that satisfies `test`. */
  async waitFor(type: number, test: (packet: Packet) => boolean = () => true, timeoutMs = 10_000): Promise<Packet> {
    let found: Packet | undefined;
    await this.until(() => {
      found = this.packets.find((packet) => packet.type === type && test(packet));
      return found !== undefined;
    }, timeoutMs);
    return found as Packet;
  }

  /** Resolves when `condition` holds; it is looked at with every packet and at the end. */
  async until(condition: () => boolean, timeoutMs = 10_000): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!condition()) {
      if (this.isClosed) throw new Error(`closed while waiting; got types ${this.packets.map((p) => p.type).join()}`);
      const left = deadline - Date.now();
      if (left <= 0)
        throw new Error(
          `timed out; got types ${this.packets
            .slice(-20)
            .map((p) => p.type)
            .join()}`,
        );
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#changed.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  /** The reason code of the DISCONNECT that has come, -1 for none. */
  get disconnectReason(): number {
    const packet = this.packets.find((candidate) => candidate.type === 14);
    return packet === undefined ? -1 : (packet.body[0] ?? 0);
  }

  publishes() {
    return this.packets.filter((packet) => packet.type === 3).map((packet) => readPublish(packet, this.version));
  }

  stopReading(): void {
    this.socket.pause();
  }

  destroy(): void {
    this.socket.destroy();
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  #onData(chunk: Buffer): void {
    this.receivedBytes += chunk.length;
    for (const packet of this.#reader.push(chunk)) {
      if (this.onPacket === null) this.packets.push(packet);
      else this.onPacket(packet);
    }
    this.#notify();
  }

  #notify(): void {
    const changed = this.#changed;
    this.#changed = [];
    for (const call of changed) call();
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Looks at `condition` every few milliseconds. */
export async function eventually(condition: () => boolean | Promise<boolean>, timeoutMs = 5_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${condition}`);
    await sleep(10);
  }
}
