/** Accepts MQTT over TCP, or over TLS. */
import { createServer, type Server, type Socket } from 'node:net';
import { Admission } from './admission.js';
import { bind, closeServer } from './bind.js';
import type { ListenerInfo } from './byte-channel.js';
import type { ConnectionRefusal } from './connection-refusal.js';
import { acceptDirectly } from './direct-accepting.js';
import type { Acceptor, Listener, ListenerOptions, TransportContext } from './listener.js';
import { isLoopbackHost } from './loopback.js';
import { openProxyDoor } from './proxy/open-proxy-door.js';
import type { ProxiedPeer } from './proxy/proxied-peer.js';
import type { ProxyDoor } from './proxy/proxy-door.js';
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
  readonly #proxies: ProxyDoor | null;
  #port = 0;

  private constructor(options: ListenerOptions, acceptor: Acceptor, context: TransportContext) {
    const { name, host, tls, proxyProtocol } = options;
    this.options = options;
    this.#admission = new Admission(name, options, context);
    this.#acceptor = acceptor;
    this.#context = context;
    // Whoever comes through a proxy may be anywhere.
    const isLoopback = isLoopbackHost(host) && proxyProtocol === undefined;
    this.#info = { name, kind: 'tcp', isLoopback, isEncrypted: tls !== undefined };
    this.tls =
      tls === undefined
        ? null
        : new TlsDoor({ ...context, name, tls, applicationProtocol: 'mqtt' }, (socket, certificate, peer) =>
            this.#serve(socket, certificate, peer),
          );
    this.#proxies = openProxyDoor(proxyProtocol, {
      clock: context.clock,
      admission: this.#admission,
      isEncrypted: this.tls !== null,
      onClient: (socket, peer) => this.#onClient(socket, peer),
    });
    this.#server = createServer({ allowHalfOpen: true, noDelay: true, highWaterMark: SOCKET_BUFFER_BYTES }, (socket) =>
      this.#onConnection(socket),
    );
  }

  /** @throws ListenFailed if the address cannot be bound @throws TlsUnusable */
  static async open(options: ListenerOptions, acceptor: Acceptor, context: TransportContext): Promise<TcpListener> {
    const listener = new TcpListener(options, acceptor, context);
    try {
      listener.#port = await bind(listener.#server, options);
      acceptDirectly(listener.#server, SOCKET_BUFFER_BYTES, (socket) => listener.#onConnection(socket));
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

  get refusals(): ReadonlyMap<ConnectionRefusal, number> {
    return this.#admission.refusals;
  }

  close(): Promise<void> {
    this.#proxies?.close();
    this.tls?.close();
    return closeServer(this.#server);
  }

  #onConnection(socket: Socket): void {
    if (!this.#admission.admit(socket)) return;
    if (this.#proxies === null) this.#onClient(socket, null);
    else this.#proxies.accept(socket);
  }

  #onClient(socket: Socket, peer: ProxiedPeer | null): void {
    const refusal = this.#admission.admitClient(socket, peer?.address ?? socket.remoteAddress ?? '');
    if (refusal !== null) this.#admission.drop(socket);
    else if (this.tls === null) this.#serve(socket, peer?.certificate ?? null, peer);
    else this.tls.accept(socket, peer);
  }

  #serve(socket: Socket, certificate: ClientCertificate | null, peer: ProxiedPeer | null): void {
    this.#acceptor(new TcpChannel(socket, this.#info, this.#context, certificate, peer));
  }
}
