/**
 * A ByteChannel on a WebSocket: binary frames only [MQTT-6.0.0-1], whose boundaries mean nothing [MQTT-6.0.0-2].
 * One flush of the broker becomes one frame.
 */
import type { Socket } from 'node:net';
import type { RawData, WebSocket } from 'ws';
import type { ByteChannel, ChannelCloseReason, ChannelHandler, ListenerInfo } from './byte-channel.js';
import type { TransportContext } from './listener.js';
import type { ProxiedPeer } from './proxy/proxied-peer.js';
import type { ClientCertificate } from './tls/client-certificate.js';

const UNSUPPORTED_DATA = 1003;
const NORMAL_CLOSURE = 1000;

export class WebSocketChannel implements ByteChannel {
  readonly listener: ListenerInfo;
  readonly clientCertificate: ClientCertificate | null;
  readonly #webSocket: WebSocket;
  readonly #socket: Socket;
  readonly #peer: ProxiedPeer | null;
  readonly #context: TransportContext;
  #handler: ChannelHandler | null = null;

  constructor(
    webSocket: WebSocket,
    socket: Socket,
    listener: ListenerInfo,
    context: TransportContext,
    clientCertificate: ClientCertificate | null,
    peer: ProxiedPeer | null,
  ) {
    this.listener = listener;
    this.clientCertificate = clientCertificate;
    this.#webSocket = webSocket;
    this.#socket = socket;
    this.#peer = peer;
    this.#context = context;
    webSocket.on('message', (data, isBinary) => this.#onMessage(data, isBinary));
    webSocket.on('error', () => this.#onGone('invalid'));
    webSocket.on('close', () => this.#onGone('ended'));
    socket.on('drain', () => this.#handler?.onDrain());
  }

  get remoteAddress(): string {
    return this.#peer?.address ?? this.#socket.remoteAddress ?? '';
  }

  get remotePort(): number {
    return this.#peer?.port ?? this.#socket.remotePort ?? 0;
  }

  get unsentBytes(): number {
    return this.#webSocket.bufferedAmount;
  }

  get mustWait(): boolean {
    return this.#socket.writableNeedDrain;
  }

  setHandler(handler: ChannelHandler): void {
    this.#handler = handler;
  }

  write(bytes: Buffer): void {
    this.#webSocket.send(bytes);
  }

  cork(): void {
    this.#socket.cork();
  }

  uncork(): void {
    this.#socket.uncork();
  }

  pause(): void {
    this.#webSocket.pause();
  }

  resume(): void {
    this.#webSocket.resume();
  }

  end(): void {
    this.#handler = null;
    this.#webSocket.resume();
    this.#webSocket.close(NORMAL_CLOSURE);
    this.#context.lingeringClose.bound(this.#socket);
  }

  destroy(): void {
    this.#handler = null;
    this.#webSocket.terminate();
  }

  #onMessage(data: RawData, isBinary: boolean): void {
    if (this.#handler === null) return;
    if (!isBinary) {
      const handler = this.#handler;
      this.#handler = null;
      this.#webSocket.close(UNSUPPORTED_DATA, 'MQTT needs binary frames');
      this.#context.lingeringClose.bound(this.#socket);
      handler.onClose('invalid');
      return;
    }
    // `binaryType` is nodebuffer: a message is one Buffer of its own.
    const bytes = data as Buffer;
    if (bytes.length > 0) this.#handler.onBytes(bytes);
  }

  #onGone(reason: ChannelCloseReason): void {
    this.#context.slicedTasks.run(() => {
      const handler = this.#handler;
      this.#handler = null;
      this.#webSocket.terminate();
      handler?.onClose(reason);
    });
  }
}
