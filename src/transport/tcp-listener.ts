/** Accepts MQTT over TCP. */
import { createServer, type Server, type Socket } from 'node:net';
import { Admission } from './admission.js';
import { bind, closeServer } from './bind.js';
import type { ListenerInfo } from './byte-channel.js';
import type { LingeringClose } from './lingering-close.js';
import type { Acceptor, Listener, ListenerOptions } from './listener.js';
import { isLoopbackHost } from './loopback.js';
import { TcpChannel } from './tcp-channel.js';

/** Unsent bytes at which a socket asks to wait: enough for one flush, so that memory is counted on our side. */
export const SOCKET_BUFFER_BYTES = 64 * 1024;

export class TcpListener implements Listener {
  readonly options: ListenerOptions;
  readonly #server: Server;
  readonly #info: ListenerInfo;
  readonly #acceptor: Acceptor;
  readonly #lingeringClose: LingeringClose;
  readonly #admission: Admission;
  #port = 0;

  private constructor(options: ListenerOptions, acceptor: Acceptor, lingeringClose: LingeringClose) {
    this.options = options;
    this.#admission = new Admission(options.maxConnections);
    this.#acceptor = acceptor;
    this.#lingeringClose = lingeringClose;
    this.#info = { name: options.name, kind: 'tcp', isLoopback: isLoopbackHost(options.host) };
    this.#server = createServer({ allowHalfOpen: true, noDelay: true, highWaterMark: SOCKET_BUFFER_BYTES }, (socket) =>
      this.#onConnection(socket),
    );
  }

  /** @throws ListenFailed if the address cannot be bound */
  static async open(
    options: ListenerOptions,
    acceptor: Acceptor,
    lingeringClose: LingeringClose,
  ): Promise<TcpListener> {
    const listener = new TcpListener(options, acceptor, lingeringClose);
    listener.#port = await bind(listener.#server, options);
    return listener;
  }

  get port(): number {
    return this.#port;
  }

  get refusedConnections(): number {
    return this.#admission.refused;
  }

  close(): Promise<void> {
    return closeServer(this.#server);
  }

  #onConnection(socket: Socket): void {
    if (this.#admission.admit(socket)) this.#acceptor(new TcpChannel(socket, this.#info, this.#lingeringClose));
  }
}
