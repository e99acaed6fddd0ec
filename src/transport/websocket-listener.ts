/** Accepts MQTT over WebSocket (section 6): an HTTP server that knows one path and one upgrade. */
import { createServer, type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { Admission } from './admission.js';
import { bind, closeServer } from './bind.js';
import type { ListenerInfo } from './byte-channel.js';
import type { Acceptor, Listener, ListenerOptions, TransportContext } from './listener.js';
import { isLoopbackHost } from './loopback.js';
import { SOCKET_BUFFER_BYTES } from './tcp-listener.js';
import type { ClientCertificate } from './tls/client-certificate.js';
import { putBehind, TlsDoor } from './tls/tls-door.js';
import type { TlsOptions } from './tls/tls-options.js';
import { WebSocketChannel } from './websocket-channel.js';

/** [MQTT-6.0.0-4], and the name that MQTT 3.1 libraries ask for. In the order of our preference. */
const SUBPROTOCOLS = ['mqtt', 'mqttv3.1'];
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** A client that has sent its Close frame is gone for us that long after, even if it leaves its side open. */
const CLOSE_TIMEOUT_MS = 1_000;

export class WebSocketListener implements Listener {
  readonly options: ListenerOptions;
  readonly tls: TlsDoor | null;
  readonly #http: Server;
  readonly #webSockets: WebSocketServer;
  readonly #info: ListenerInfo;
  readonly #acceptor: Acceptor;
  readonly #context: TransportContext;
  readonly #admission: Admission;
  /** Of the sockets that have shown one, from their handshake on. */
  readonly #certificates = new WeakMap<Duplex, ClientCertificate>();
  #port = 0;

  private constructor(options: ListenerOptions, acceptor: Acceptor, context: TransportContext) {
    const { name, host, tls, maxConnections } = options;
    this.options = options;
    this.#admission = new Admission(maxConnections);
    this.#acceptor = acceptor;
    this.#context = context;
    this.#info = { name, kind: 'ws', isLoopback: isLoopbackHost(host), isEncrypted: tls !== undefined };
    this.#http = createServer({ noDelay: true, highWaterMark: SOCKET_BUFFER_BYTES }, (request, response) => {
      const isRightPath = this.#isRightPath(request);
      response.writeHead(isRightPath ? 426 : 404, { 'content-type': 'text/plain', connection: 'close' });
      response.end(isRightPath ? 'This address speaks MQTT over WebSocket.\n' : 'Not found.\n');
    });
    this.#http.headersTimeout = HANDSHAKE_TIMEOUT_MS;
    this.#http.requestTimeout = HANDSHAKE_TIMEOUT_MS;
    this.tls = tls === undefined ? null : this.#putBehind(tls);
    // Those who are turned away need no handshake.
    if (this.tls !== null) this.#http.prependListener('connection', (socket) => this.#admission.admit(socket));
    else this.#http.on('connection', (socket) => this.#admission.admit(socket));
    this.#http.on('upgrade', (request, socket, head) => this.#onUpgrade(request, socket, head));
    // `closeTimeout` is documented, and missing in the types.
    const webSocketOptions = {
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      closeTimeout: CLOSE_TIMEOUT_MS,
      maxPayload: options.maximumMessageBytes ?? 16 * 1024 * 1024,
      handleProtocols: (offered: Set<string>) => SUBPROTOCOLS.find((name) => offered.has(name)) ?? false,
    };
    this.#webSockets = new WebSocketServer(webSocketOptions);
  }

  /** @throws ListenFailed if the address cannot be bound @throws TlsUnusable */
  static async open(
    options: ListenerOptions,
    acceptor: Acceptor,
    context: TransportContext,
  ): Promise<WebSocketListener> {
    const listener = new WebSocketListener(options, acceptor, context);
    try {
      listener.#port = await bind(listener.#http, options);
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

  async close(): Promise<void> {
    this.tls?.close();
    await closeServer(this.#http);
    this.#http.closeIdleConnections();
  }

  #putBehind(tls: TlsOptions): TlsDoor {
    const { name } = this.options;
    return putBehind(this.#http, (serve) => {
      return new TlsDoor({ ...this.#context, name, tls, applicationProtocol: 'http/1.1' }, (socket, certificate) => {
        if (certificate !== null) this.#certificates.set(socket, certificate);
        serve(socket);
      });
    });
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    if (!this.#isRightPath(request)) {
      this.#refuse(socket as Socket, 404);
      return;
    }
    const offered = request.headers['sec-websocket-protocol']?.split(',').map((name) => name.trim()) ?? [];
    // A browser fails a handshake that selects none of the offered protocols; say so before it is made.
    if (!offered.some((name) => SUBPROTOCOLS.includes(name))) {
      this.#refuse(socket as Socket, 400);
      return;
    }
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      // `net.Server` hands out net.Socket; the type is Duplex for the sake of other servers.
      const certificate = this.#certificates.get(socket) ?? null;
      const { lingeringClose } = this.#context;
      this.#acceptor(new WebSocketChannel(webSocket, socket as Socket, this.#info, lingeringClose, certificate));
    });
  }

  // Half-closed only, a peer that does not close its side would keep the socket for ever.
  #refuse(socket: Socket, status: number): void {
    socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    this.#context.lingeringClose.close(socket);
  }

  #isRightPath(request: IncomingMessage): boolean {
    const path = request.url?.split('?', 1)[0];
    return path === (this.options.path ?? '/mqtt');
  }
}
