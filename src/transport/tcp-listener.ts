/** Accepts MQTT over TCP, or over TLS. */
import { createServer, type Server, type Socket } from 'node:net';
import { Admission } from './admission.js';
import { bind, closeServer } from './bind.js';
import type { ListenerInfo } from './byte-channel.js';
import type { Acceptor, Listener, ListenerOptions, TransportContext } from './listener.js';
import { isLoopbackHost } from './loopback.js';
import { TcpChannel } from './tcp-channel.js';
import type { ClientCertificate } from './tls/client-certificate.js';
import { TlsDoor } from './tls/tls-door.js';

/** Unsent bytes at which a socket asks to wait: enough for one flush, so that memory is counted on our side. */
export const SOCKET_BUFFER_BYTES = 64 * 1024;

export class TcpListener implements Listener {
  readonly options: ListenerOptions;
  readonly tls: TlsDoor | null;
  readonly #server: Server;
  readonly #info: ListenerInfo;
  readonly #acceptor: Acceptor;
  readonly #context: TransportContext;
  readonly #admission: Admission;
  #port = 0;

  private constructor(options: ListenerOptions, acceptor: Acceptor, context: TransportContext) {
    const { name, host, tls, maxConnections } = options;
    this.options = options;
    this.#admission = new Admission(maxConnections);
    this.#acceptor = acceptor;
    this.#context = context;
    this.#info = { name, kind: 'tcp', isLoopback: isLoopbackHost(host), isEncrypted: tls !== undefined };
    this.tls =
      tls === undefined
        ? null
        : new TlsDoor({ ...context, name, tls, applicationProtocol: 'mqtt' }, (socket, certificate) =>
            this.#serve(socket, certificate),
          );
    this.#server = createServer({ allowHalfOpen: true, noDelay: true, highWaterMark: SOCKET_BUFFER_BYTES }, (socket) =>
      this.#onConnection(socket),
    );
  }

  /** @throws ListenFailed if the address cannot be bound @throws TlsUnusable */
  static async open(options: ListenerOptions, acceptor: Acceptor, context: TransportContext): Promise<TcpListener> {
    const listener = new TcpListener(options, acceptor, context);
    try {
      listener.#port = await bind(listener.#server, options);
    } catch (error) {
      listener.tls?.close();
      throw error;
    }
    return listener;
  }

  get port(): number {
    return this.#port;
  }

  get refusedConnections(): number {
    return this.#admission.refused;
  }

  close(): Promise<void> {
    this.tls?.close();
    return closeServer(this.#server);
  }

  #onConnection(socket: Socket): void {
    if (!this.#admission.admit(socket)) return;
    if (this.tls === null) this.#serve(socket, null);
    else this.tls.accept(socket);
  }

  #serve(socket: Socket, certificate: ClientCertificate | null): void {
    this.#acceptor(new TcpChannel(socket, this.#info, this.#context.lingeringClose, certificate));
  }
}
