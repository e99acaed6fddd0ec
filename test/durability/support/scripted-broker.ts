/** The other end of one client's connections, in the hands of a test: it sends what it is told to, by mqtt-packet. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { generate, type Packet, parser } from 'mqtt-packet';
import { Changes } from './changes.js';

export class ScriptedBroker {
  readonly #server: Server;
  readonly #version: 4 | 5;
  readonly #changes = new Changes();
  #socket: Socket | undefined;
  #packets: Packet[] = [];

  private constructor(server: Server, version: 4 | 5) {
    this.#server = server;
    this.#version = version;
    server.on('connection', (socket) => this.#onConnection(socket));
  }

  static async start(version: 4 | 5): Promise<ScriptedBroker> {
    const server = createServer({ noDelay: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new ScriptedBroker(server, version);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  send(packet: Packet): void {
    this.#socket?.write(generate(packet, { protocolVersion: this.#version }));
  }

  /** The next packets of the client; no more may have come. */
  async expect(count: number): Promise<Packet[]> {
    await this.#changes.until(
      () => this.#packets.length >= count,
      () => `packet ${this.#packets.length + 1} of ${count}`,
      5000,
    );
    return this.#packets.splice(0);
  }

  /** Takes the next connection in. */
  async accept(sessionPresent: boolean): Promise<Packet> {
    const [connect] = await this.expect(1);
    this.send({ cmd: 'connack', sessionPresent, reasonCode: 0, returnCode: 0 });
    return connect as Packet;
  }

  cut(): void {
    this.#socket?.destroy();
  }

  close(): void {
    this.cut();
    this.#server.close();
  }

  #onConnection(socket: Socket): void {
    this.#socket = socket;
    const packets = parser({ protocolVersion: this.#version });
    packets.on('packet', (packet) => {
      this.#packets.push(packet);
      this.#changes.notify();
    });
    socket.on('data', (chunk: Buffer) => packets.parse(chunk));
    socket.on('error', () => {});
  }
}
