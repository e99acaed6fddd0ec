/** Accepts MQTT over WebSocket (section 6): an HTTP server that knows one path and one upgrade. */
import { createServer, type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { Admission } from './admission.js';
import { bind, closeServer } from './bind.js';
import type { ListenerInfo } from './byte-channel.js';
import type { ConnectionRefusal } from './connection-refusal.js';
import type { Acceptor, Listener, ListenerOptions, TransportContext } from './listener.js';
import { isLoopbackHost } from './loopback.js';
import { misdirectionOf } from './misdirected.js';
import { ForwardedFor } from './proxy/forwarded-for.js';
import { openProxyDoor } from './proxy/open-proxy-door.js';
import type { ProxiedPeer } from './proxy/proxied-peer.js';
import type { ProxyDoor } from './proxy/proxy-door.js';
import { SOCKET_BUFFER_BYTES } from './tcp-listener.js';
import type { ClientCertificate } from './tls/client-certificate.js';
import { TlsDoor } from './tls/tls-door.js';
import type { TlsOptions } from './tls/tls-options.js';
import { WebSocketChannel } from './websocket-channel.js';

/** [MQTT-6.0.0-4], and the name that MQTT 3.1 libraries ask for. In the order of our preference. */
const SUBPROTOCOLS = ['mqtt', 'mqttv3.1'];
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** A client that has sent its Close frame is gone for us that long after, even if it leaves its side open. */
const CLOSE_TIMEOUT_MS = 1_000;

/** As Node has it, with what could not be understood. */
type ClientError = NodeJS.ErrnoException & { readonly rawPacket?: Buffer };

const NOTHING = Buffer.alloc(0);
const STATUS_BY_CODE = new Map([
  ['HPE_HEADER_OVERFLOW', 431],
  ['ERR_HTTP_REQUEST_TIMEOUT', 408],
]);

/** What is known of a socket before a request has come on it. */
interface Arrival {
  readonly certificate: ClientCertificate | null;
  readonly peer: ProxiedPeer | null;
  /** Whose connection it is, is told by the request. */
  readonly isForwarded: boolean;
}

export class WebSocketListener implements Listener {
  readonly options: ListenerOptions;
  readonly tls: TlsDoor | null;
  readonly #http: Server;
  readonly #webSockets: WebSocketServer;
  readonly #info: ListenerInfo;
  readonly #acceptor: Acceptor;
  readonly #context: TransportContext;
  readonly #admission: Admission;
  readonly #proxies: ProxyDoor | null;
  readonly #forwardedFor: ForwardedFor | null;
  readonly #origins: ReadonlySet<string> | null;
  /** Of the sockets of which there is something to be known. */
  readonly #arrivals = new WeakMap<Duplex, Arrival>();
  /** Hands a socket to the HTTP server. */
  readonly #serveHttp: (socket: Socket) => void;
  #port = 0;

  private constructor(options: ListenerOptions, acceptor: Acceptor, context: TransportContext) {
    const { name, host, tls, proxyProtocol, forwardedFor, origins } = options;
    this.options = options;
    this.#admission = new Admission(name, options, context);
    this.#acceptor = acceptor;
    this.#context = context;
    // Whoever comes through a proxy may be anywhere.
    const isLoopback = isLoopbackHost(host) && proxyProtocol === undefined && forwardedFor === undefined;
    this.#info = { name, kind: 'ws', isLoopback, isEncrypted: tls !== undefined };
    this.#http = createServer({ noDelay: true, highWaterMark: SOCKET_BUFFER_BYTES }, (request, response) => {
      const isRightPath = this.#isRightPath(request);
      response.writeHead(isRightPath ? 426 : 404, { 'content-type': 'text/plain', connection: 'close' });
      response.end(isRightPath ? 'This address speaks MQTT over WebSocket.\n' : 'Not found.\n');
    });
    this.#http.headersTimeout = HANDSHAKE_TIMEOUT_MS;
    this.#http.requestTimeout = HANDSHAKE_TIMEOUT_MS;
    this.tls = tls === undefined ? null : this.#openTls(tls);
    this.#forwardedFor = forwardedFor === undefined ? null : new ForwardedFor(forwardedFor);
    this.#origins = origins === undefined ? null : new Set(origins.map((origin) => origin.toLowerCase()));
    this.#proxies = openProxyDoor(proxyProtocol, {
      clock: context.clock,
      admission: this.#admission,
      isEncrypted: this.tls !== null,
      onClient: (socket, peer) => this.#onClient(socket, peer),
    });
    // HTTP comes last: those who are turned away need no handshake and no parser.
    const [serveHttp] = this.#http.listeners('connection') as ((socket: Socket) => void)[];
    this.#serveHttp = (socket) => serveHttp?.call(this.#http, socket);
    this.#http.removeAllListeners('connection');
    this.#http.on('connection', (socket) => this.#onConnection(socket));
    this.#http.on('clientError', (error, socket) => this.#onClientError(error, socket as Socket));
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

  get refusals(): ReadonlyMap<ConnectionRefusal, number> {
    return this.#admission.refusals;
  }

  async close(): Promise<void> {
    this.#proxies?.close();
    this.tls?.close();
    await closeServer(this.#http);
    this.#http.closeIdleConnections();
  }

  #openTls(tls: TlsOptions): TlsDoor {
    const options = { ...this.#context, name: this.options.name, tls, applicationProtocol: 'http/1.1' } as const;
    return new TlsDoor(options, (socket, certificate, peer) => this.#serve(socket, certificate, peer));
  }

  #onConnection(socket: Socket): void {
    if (!this.#admission.admit(socket)) return;
    if (this.#proxies === null) this.#onClient(socket, null);
    else this.#proxies.accept(socket);
  }

  #onClient(socket: Socket, peer: ProxiedPeer | null): void {
    const address = peer?.address ?? socket.remoteAddress ?? '';
    // One whom a header of HTTP will name is judged then.
    const isForwarded = this.#forwardedFor?.isTrusted(address) === true;
    if (!isForwarded && this.#admission.admitClient(socket, address) !== null) this.#admission.drop(socket);
    else if (this.tls === null) this.#serve(socket, peer?.certificate ?? null, peer);
    else this.tls.accept(socket, peer);
  }

  #serve(socket: Socket, certificate: ClientCertificate | null, peer: ProxiedPeer | null): void {
    const isForwarded = this.#forwardedFor?.isTrusted(peer?.address ?? socket.remoteAddress ?? '') === true;
    if (certificate !== null || peer !== null || isForwarded) {
      this.#arrivals.set(socket, { certificate, peer, isForwarded });
    }
    this.#serveHttp(socket);
  }

  /** What has come is no HTTP, or has come too slowly. */
  #onClientError(error: ClientError, socket: Socket): void {
    const misdirection = misdirectionOf(error.rawPacket ?? NOTHING);
    if (misdirection !== null) this.#admission.count(misdirection, socket.remoteAddress ?? '');
    if (misdirection !== null || !socket.writable || socket.bytesWritten > 0) this.#admission.drop(socket);
    else this.#refuse(socket, STATUS_BY_CODE.get(error.code ?? '') ?? 400);
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
    const arrival = this.#arrivals.get(socket);
    // `net.Server` hands out net.Socket; the type is Duplex for the sake of other servers.
    const peer = this.#peerOf(arrival, request, socket as Socket);
    const address = peer?.address ?? (socket as Socket).remoteAddress ?? '';
    if (!this.#isOriginAllowed(request)) {
      this.#admission.count('origin', address);
      this.#refuse(socket as Socket, 403);
      return;
    }
    if (arrival?.isForwarded === true && this.#admission.admitClient(socket, address) !== null) {
      this.#refuse(socket as Socket, 503);
      return;
    }
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const certificate = arrival?.certificate ?? null;
      this.#acceptor(new WebSocketChannel(webSocket, socket as Socket, this.#info, this.#context, certificate, peer));
    });
  }

  #peerOf(arrival: Arrival | undefined, request: IncomingMessage, socket: Socket): ProxiedPeer | null {
    const peer = arrival?.peer ?? null;
    if (arrival?.isForwarded !== true) return peer;
    const address = this.#forwardedFor?.clientOf(peer?.address ?? socket.remoteAddress ?? '', request.headers) ?? null;
    return address === null ? peer : { address, port: 0, certificate: arrival.certificate };
  }

  /** Programs that are no browsers name no origin, and could name any. */
  #isOriginAllowed({ headers: { origin } }: IncomingMessage): boolean {
    return this.#origins === null || origin === undefined || this.#origins.has(origin.toLowerCase());
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
