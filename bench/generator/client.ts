/**
 * One MQTT connection of the generator: the handshake, then every frame goes to one role (a publisher or a subscriber).
 */
import { BenchFailure } from '../bench-failure.js';
import type { Address } from './broker-under-test.js';
import { receiveMaximumOf } from './connack.js';
import { type Connection, openConnection } from './connection.js';
import { type FrameHandler, FrameReader } from './frame-reader.js';
import { CONNACK, connectFrame, DISCONNECT_FRAME, type Protocol, type Qos, SUBACK, subscribeFrame } from './frames.js';
import type { Login } from './logins.js';

const ANSWER_MS = 30_000;
const LEAVE_MS = 5000;

export interface ConnectChoice {
  /** Take up the session that is there, and leave it there. Otherwise start clean. */
  readonly persistent?: boolean;
  /** Without it, it does not say who it is. */
  readonly login?: Login;
  /**
   * Called with the CONNACK, before anything that follows it is looked at: the place to hand the client to a role that
   * must not miss the first message of a session that has waited.
   */
  readonly onAccepted?: (client: Client) => void;
}

export class Client {
  /** Called when the connection ends although nobody closed it. */
  onLost: (reason: string) => void = () => {};
  #receiveMaximum = 0;
  #sessionPresent = false;
  readonly #clientId: string;
  readonly #protocol: Protocol;
  readonly #connection: Connection;
  readonly #reader: FrameReader;
  #closing = false;

  private constructor(address: Address, protocol: Protocol, clientId: string) {
    this.#clientId = clientId;
    this.#protocol = protocol;
    this.#reader = new FrameReader({ onFrame: () => {}, onChunkEnd: () => {} });
    this.#connection = openConnection(address, this.#reader);
    const { socket } = this.#connection;
    let reason = 'closed by the broker';
    socket.on('error', (error) => {
      reason = error.message;
    });
    socket.on('close', () => {
      if (!this.#closing) this.onLost(`connection '${clientId}' lost: ${reason}`);
    });
  }

  /**
   * Connects and completes the MQTT handshake.
   * @throws ConnectionRefused when the broker refuses; BenchFailure when it hangs up or does not answer
   */
  static async open(
    address: Address,
    protocol: Protocol,
    clientId: string,
    { persistent = false, login, onAccepted }: ConnectChoice = {},
  ): Promise<Client> {
    const client = new Client(address, protocol, clientId);
    await client.#request(connectFrame(protocol, clientId, persistent, login), CONNACK, (connack) => {
      client.#receiveMaximum = receiveMaximumOf(connack, protocol);
      client.#sessionPresent = connack.readUInt8(0) === 1;
      onAccepted?.(client);
    });
    return client;
  }

  get receiveMaximum(): number {
    return this.#receiveMaximum;
  }

  /** Whether the broker knew the session [MQTT-3.2.2-2]. */
  get sessionPresent(): boolean {
    return this.#sessionPresent;
  }

  /**
   * @param onGranted called with the SUBACK, before anything that follows it is looked at
   * @throws BenchFailure when the broker does not grant exactly `qos` for each filter
   */
  async subscribe(filters: readonly string[], qos: Qos, onGranted: () => void = () => {}): Promise<void> {
    await this.#request(subscribeFrame(this.#protocol, filters, qos), SUBACK, (suback) => {
      const refused = suback.subarray(-filters.length).find((granted) => granted !== qos);
      if (refused !== undefined) {
        throw new BenchFailure(`'${this.#clientId}' asked for QoS ${qos} and was granted ${refused}`);
      }
      onGranted();
    });
  }

  handTo(role: FrameHandler): void {
    this.#reader.handTo(role);
  }

  write(bytes: Uint8Array): void {
    this.#connection.write(bytes);
  }

  close(): void {
    this.#closing = true;
    this.#connection.end(DISCONNECT_FRAME);
    this.#connection.socket.destroySoon();
  }

  /** Disconnects, and resolves when the broker has hung up: from then on the session is offline for it. */
  leave(): Promise<void> {
    this.#closing = true;
    const { socket } = this.#connection;
    return new Promise((resolve) => {
      const timer = setTimeout(() => socket.destroy(), LEAVE_MS);
      socket.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      this.#connection.end(DISCONNECT_FRAME);
    });
  }

  /** Sends `frame` and hands the body of the answer to `onAnswer`, within the chunk that it came in. */
  #request(frame: Buffer, answerType: number, onAnswer: (body: Buffer) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const giveUp = (error: unknown): void => {
        clearTimeout(timer);
        this.#closing = true;
        this.#connection.socket.destroy();
        reject(error);
      };
      const onLate = (): void => giveUp(new BenchFailure(`no answer to '${this.#clientId}' in ${ANSWER_MS} ms`));
      const timer = setTimeout(onLate, ANSWER_MS);
      this.onLost = (reason) => giveUp(new BenchFailure(reason));
      this.#reader.handTo({
        onFrame: (bytes, start, bodyStart, end) => {
          if ((bytes[start] as number) >> 4 !== answerType) return;
          clearTimeout(timer);
          try {
            onAnswer(Buffer.from(bytes.subarray(bodyStart, end)));
            resolve();
          } catch (error) {
            giveUp(error);
          }
        },
        onChunkEnd: () => {},
      });
      this.#connection.write(frame);
    });
  }
}
