/**
 * One MQTT connection of the generator: a raw socket, the handshakes, then every frame goes to one role (a publisher or
 * a subscriber). All clients read into one shared buffer: a chunk is dealt with before the next one is read.
 */
import { connect, type Socket } from 'node:net';
import { BenchFailure } from '../bench-failure.js';
import { receiveMaximumOf } from './connack.js';
import { type FrameHandler, FrameReader } from './frame-reader.js';
import { CONNACK, connectFrame, DISCONNECT_FRAME, type Protocol, type Qos, SUBACK, subscribeFrame } from './frames.js';
import type { Address } from './job.js';

const ANSWER_MS = 10_000;
const SHARED_READ_BUFFER = Buffer.allocUnsafeSlow(256 * 1024);

export class Client {
  /** Called when the connection ends although nobody closed it. */
  onLost: (reason: string) => void = () => {};
  #receiveMaximum = 0;
  readonly #clientId: string;
  readonly #protocol: Protocol;
  readonly #socket: Socket;
  readonly #reader: FrameReader;
  #closing = false;

  private constructor(address: Address, protocol: Protocol, clientId: string) {
    this.#clientId = clientId;
    this.#protocol = protocol;
    this.#reader = new FrameReader({ onFrame: () => {}, onChunkEnd: () => {} });
    this.#socket = connect({
      host: address.host,
      port: address.port,
      noDelay: true,
      onread: {
        buffer: SHARED_READ_BUFFER,
        callback: (length, chunk) => {
          this.#reader.read(chunk, length);
          return true;
        },
      },
    });
    let reason = 'closed by the broker';
    this.#socket.on('error', (error) => {
      reason = error.message;
    });
    this.#socket.on('close', () => {
      if (!this.#closing) this.onLost(`connection '${clientId}' lost: ${reason}`);
    });
  }

  /**
   * Connects and completes the MQTT handshake.
   * @throws BenchFailure when the broker refuses or hangs up
   */
  static async open(address: Address, protocol: Protocol, clientId: string): Promise<Client> {
    const client = new Client(address, protocol, clientId);
    const connack = await client.#request(connectFrame(protocol, clientId), CONNACK);
    client.#receiveMaximum = receiveMaximumOf(connack, protocol);
    return client;
  }

  get receiveMaximum(): number {
    return this.#receiveMaximum;
  }

  /** @throws BenchFailure when the broker does not grant exactly `qos` */
  async subscribe(filter: string, qos: Qos): Promise<void> {
    const suback = await this.#request(subscribeFrame(this.#protocol, filter, qos), SUBACK);
    const granted = suback.at(-1);
    if (granted !== qos) throw new BenchFailure(`'${this.#clientId}' asked for QoS ${qos} and was granted ${granted}`);
  }

  handTo(role: FrameHandler): void {
    this.#reader.handTo(role);
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  close(): void {
    this.#closing = true;
    this.#socket.end(DISCONNECT_FRAME);
    this.#socket.destroySoon();
  }

  /** Sends `frame` and resolves with the body of the answer. */
  #request(frame: Buffer, answerType: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const giveUp = (reason: string): void => {
        clearTimeout(timer);
        this.#closing = true;
        this.#socket.destroy();
        reject(new BenchFailure(reason));
      };
      const timer = setTimeout(() => giveUp(`no answer to '${this.#clientId}' in ${ANSWER_MS} ms`), ANSWER_MS);
      this.onLost = giveUp;
      this.#reader.handTo({
        onFrame: (bytes, start, bodyStart, end) => {
          if ((bytes[start] as number) >> 4 !== answerType) return;
          clearTimeout(timer);
          resolve(Buffer.from(bytes.subarray(bodyStart, end)));
        },
        onChunkEnd: () => {},
      });
      this.#socket.write(frame);
    });
  }
}
