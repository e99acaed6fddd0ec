/**
 * A ByteChannel on a TCP (or TLS) socket. The listeners on the socket are shared functions that find their channel
 * through the socket: an idle connection then costs no closures.
 */
import type { Socket } from 'node:net';
import type { ByteChannel, ChannelCloseReason, ChannelHandler, ListenerInfo } from './byte-channel.js';
import { directReading } from './direct-reading.js';
import type { TransportContext } from './listener.js';
import type { ProxiedPeer } from './proxy/proxied-peer.js';
import type { ClientCertificate } from './tls/client-certificate.js';

const kChannel = Symbol('channel');

const readDirectly = directReading((socket) => (socket as ChannelSocket)[kChannel]?.handler ?? null);

type ChannelSocket = Socket & { [kChannel]: TcpChannel | null };

export class TcpChannel implements ByteChannel {
  readonly listener: ListenerInfo;
  readonly clientCertificate: ClientCertificate | null;
  readonly #socket: ChannelSocket;
  readonly #peer: ProxiedPeer | null;
  readonly #context: TransportContext;
  #handler: ChannelHandler | null = null;

  /**
   * Takes the socket over. It must have been accepted with `allowHalfOpen` (unless it is one of TLS) and without delay.
   * @param peer who is behind the proxy that it is of; null if there is none
   */
  constructor(
    socket: Socket,
    listener: ListenerInfo,
    context: TransportContext,
    clientCertificate: ClientCertificate | null,
    peer: ProxiedPeer | null,
  ) {
    this.listener = listener;
    this.clientCertificate = clientCertificate;
    this.#context = context;
    this.#socket = socket as ChannelSocket;
    this.#peer = peer;
    this.#socket[kChannel] = this;
    // What a proxy's header, or a handshake, has left in the stream comes by the event in any case.
    const isUntouched = socket.readableFlowing === null && socket.readableLength === 0;
    if (!readDirectly(socket) || !isUntouched) socket.on('data', onData);
    socket.on('drain', onDrain);
    socket.on('end', onEnd);
    socket.on('error', onError);
    socket.on('close', onClose);
  }

  get remoteAddress(): string {
    return this.#peer?.address ?? this.#socket.remoteAddress ?? '';
  }

  get remotePort(): number {
    return this.#peer?.port ?? this.#socket.remotePort ?? 0;
  }

  get unsentBytes(): number {
    return this.#socket.writableLength;
  }

  get mustWait(): boolean {
    return this.#socket.writableNeedDrain;
  }

  setHandler(handler: ChannelHandler): void {
    this.#handler = handler;
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  cork(): void {
    this.#socket.cork();
  }

  uncork(): void {
    this.#socket.uncork();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#release();
    this.#context.lingeringClose.close(this.#socket);
  }

  destroy(): void {
    this.#release();
    this.#socket.destroy();
  }

  /** Called by the socket's listeners. */
  get handler(): ChannelHandler | null {
    return this.#handler;
  }

  /** Called by the socket's listeners: the socket is gone or about to go. */
  onGone(reason: ChannelCloseReason): void {
    const { slicedTasks } = this.#context;
    if (slicedTasks.takesNow) this.#close(reason);
    else slicedTasks.run(() => this.#close(reason));
  }

  #close(reason: ChannelCloseReason): void {
    const handler = this.#handler;
    this.#release();
    this.#socket.destroy();
    handler?.onClose(reason);
  }

  #release(): void {
    this.#handler = null;
    this.#socket[kChannel] = null;
  }
}

function onData(this: Socket, chunk: Buffer): void {
  (this as ChannelSocket)[kChannel]?.handler?.onBytes(chunk);
}

function onDrain(this: Socket): void {
  (this as ChannelSocket)[kChannel]?.handler?.onDrain();
}

function onEnd(this: Socket): void {
  (this as ChannelSocket)[kChannel]?.onGone('ended');
}

function onError(this: Socket): void {
  (this as ChannelSocket)[kChannel]?.onGone('error');
}

function onClose(this: Socket): void {
  (this as ChannelSocket)[kChannel]?.onGone('ended');
}
