/** Accepts MQTT over WebSocket (section 6): an HTTP server that knows one path and one upgrade. */
import { createServer, type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { Admission } from './admission.js';
import { bind, closeServer } from './bind.js';
import type { ListenerInfo } from './byte-channel.js';
import type { LingeringClose } from './lingering-close.js';
import type { Acceptor, Listener, ListenerOptions } from './listener.js';
import { isLoopbackHost } from './loopback.js';
import { SOCKET_BUFFER_BYTES } from './tcp-listener.js';
import { WebSocketChannel } from './websocket-channel.js';

/** [MQTT-6.0.0-4], and the name that MQTT 3.1 libraries ask for. In the order of our preference. */
const SUBPROTOCOLS = ['mqtt', 'mqttv3.1'];
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** A client that has sent its Close frame is gone for us that long after, even if it leaves its side open. */
const CLOSE_TIMEOUT_MS = 1_000;

export class WebSocketListener implements Listener {
  readonly options: ListenerOptions;
  readonly #http: Server;
  readonly #webSockets: WebSocketServer;
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
    this.#info = { name: options.name, kind: 'ws', isLoopback: isLoopbackHost(options.host) };
    this.#http = createServer({ noDelay: true, highWaterMark: SOCKET_BUFFER_BYTES }, (request, response) => {
      const isRightPath = this.#isRightPath(request);
      response.writeHead(isRightPath ? 426 : 404, { 'content-type': 'text/plain', connection: 'close' });
      response.end(isRightPath ? 'This address speaks MQTT over WebSocket.\n' : 'Not found.\n');
    });
    this.#http.headersTimeout = HANDSHAKE_TIMEOUT_MS;
    this.#http.requestTimeout = HANDSHAKE_TIMEOUT_MS;
    this.#http.on('connection', (socket) => this.#admission.admit(socket));
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

  /** @throws ListenFailed if the address cannot be bound */
  static async open(
    options: ListenerOptions,
    acceptor: Acceptor,
    lingeringClose: LingeringClose,
  ): Promise<WebSocketListener> {
    const listener = new WebSocketListener(options, acceptor, lingeringClose);
    listener.#port = await bind(listener.#http, options);
    return listener;
  }

  get port(): number {
    return this.#port;
  }

  get refusedConnections(): number {
    return this.#admission.refused;
  }

  async close(): Promise<void> {
    await closeServer(this.#http);
    this.#http.closeIdleConnections();
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
      this.#acceptor(new WebSocketChannel(webSocket, socket as Socket, this.#info, this.#lingeringClose));
    });
  }

  // Half-closed only, a peer that does not close its side would keep the socket for ever.
  #refuse(socket: Socket, status: number): void {
    socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    this.#lingeringClose.close(socket);
  }

  #isRightPath(request: IncomingMessage): boolean {
    const path = request.url?.split('?', 1)[0];
    return path === (this.options.path ?? '/mqtt');
  }
}
