/**
 * A server for HTTP/1.1 within bounds: connections, header bytes, time for a request to arrive and for an answer to be taken. What
 * cannot be read as HTTP is answered here; the rest is the handler's.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { ListenFailed } from '../core/errors.js';
import { bind, closeServer } from '../transport/bind.js';
import { putBehind, type SecureHandler, type TlsDoor } from '../transport/tls/tls-door.js';
import { ConnectionRoom } from './connection-room.js';
import { HttpListenFailed } from './http-errors.js';
import { Problem } from './problem.js';

export interface HttpListenerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** One more has the place of the one that has gone longest without a request, or is closed at once. */
  readonly maximumConnections: number;
  /** For a request to arrive whole, from its first byte on; a connection that waits for the next one is closed after the same time. */
  readonly requestTimeoutMs: number;
  /** Makes what TLS is spoken with; without it there is none. */
  readonly openTls?: ((onSecure: SecureHandler) => TlsDoor) | undefined;
}

export type HttpHandler = (request: IncomingMessage, response: ServerResponse) => void;

/** A token of the greatest length, and room for what browsers and proxies add. */
const MAXIMUM_HEADER_BYTES = 8 * 1024;
const MAXIMUM_HEADERS = 64;

/** A connection on which nothing moves for so long is closed: its client does not take the answer. Longer than any answer takes. */
const STALLED_MS = 30_000;

export class HttpListener {
  /** Null without TLS. */
  readonly tls: TlsDoor | null;
  readonly #server: Server;
  readonly #host: string;
  #port = 0;

  private constructor(options: HttpListenerOptions, handler: HttpHandler) {
    const { requestTimeoutMs, maximumConnections, openTls } = options;
    this.#host = options.host;
    this.#server = createServer(
      {
        maxHeaderSize: MAXIMUM_HEADER_BYTES,
        headersTimeout: requestTimeoutMs,
        requestTimeout: requestTimeoutMs,
        keepAliveTimeout: requestTimeoutMs,
        // How often Node looks for requests that take too long.
        connectionsCheckingInterval: Math.max(50, Math.min(1000, requestTimeoutMs / 2)),
      },
      handler,
    );
    this.#server.maxHeadersCount = MAXIMUM_HEADERS;
    this.#server.timeout = Math.max(STALLED_MS, requestTimeoutMs);
    this.#server.on('clientError', refuse);
    new ConnectionRoom(this.#server, maximumConnections);
    this.tls = openTls === undefined ? null : putBehind(this.#server, openTls);
  }

  /** @throws HttpListenFailed if the address cannot be bound @throws TlsUnusable */
  static async open(options: HttpListenerOptions, handler: HttpHandler): Promise<HttpListener> {
    const listener = new HttpListener(options, handler);
    const { host, port } = options;
    try {
      listener.#port = await bind(listener.#server, { name: 'http', kind: 'tcp', host, port });
    } catch (error) {
      listener.tls?.close();
      if (!(error instanceof ListenFailed)) throw error;
      throw new HttpListenFailed(error.message, error.listener, { cause: error.cause });
    }
    return listener;
  }

  /** Where programs of this machine reach it. */
  get url(): string {
    const host = this.#host === '0.0.0.0' ? '127.0.0.1' : this.#host === '::' ? '::1' : this.#host;
    const scheme = this.tls === null ? 'http' : 'https';
    return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${this.#port}`;
  }

  /** Accepts nothing more, and ends every connection. */
  async close(): Promise<void> {
    this.tls?.close();
    await closeServer(this.#server);
    this.#server.closeAllConnections();
  }
}

function refuse(error: NodeJS.ErrnoException, socket: Duplex & { readonly bytesWritten?: number }): void {
  // On a connection that has been answered before, a second answer could be taken for that to another request.
  if (!socket.writable || socket.bytesWritten !== 0) {
    socket.destroy();
    return;
  }
  const problem = problemOfClient(error);
  const body = `${JSON.stringify(problem.document)}\n`;
  const head = [
    `HTTP/1.1 ${problem.status} `,
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-store',
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

function problemOfClient({ code }: NodeJS.ErrnoException): Problem {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new Problem(431, 'headers-too-large', `The header is larger than ${MAXIMUM_HEADER_BYTES} bytes`);
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new Problem(408, 'request-timeout', 'The request did not arrive in time (http.requestTimeout)');
  }
  return new Problem(400, 'bad-request', 'This is no request of HTTP/1.1');
}
