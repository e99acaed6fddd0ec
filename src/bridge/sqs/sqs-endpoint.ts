/**
 * The door for clients of SQS: an HTTP server whose requests become calls of actions. It holds what they may cost within bounds: connections,
 * bytes of bodies, receives that wait, time to send a request. Each request is done in a turn of its own, never while the broker routes.
 *
 *   HttpExchange ──▶ protocol.decode ──▶ authenticator ──▶ action ──▶ queues
 *        ▲─────────── protocol.encode ◀── SqsCall ◀───────── settled ───┘
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Authenticator } from './authenticator.js';
import { type AnswerContext, ExchangeAnswer } from './exchange-answer.js';
import { type AnswerGiver, type BodyBudget, type ExchangeOwner, HttpExchange } from './http-exchange.js';
import type { HttpRequest } from './http-request.js';
import { jsonProtocol, unknownOperation } from './json-protocol.js';
import { queryProtocol } from './query-protocol.js';
import { SQS_ACTIONS } from './sqs-actions.js';
import { SqsCall } from './sqs-call.js';
import type { SqsCounters } from './sqs-counters.js';
import { SqsError } from './sqs-error.js';
import { SqsInput } from './sqs-input.js';
import { SqsListenFailed } from './sqs-listen-failed.js';
import type { SqsProtocol } from './sqs-protocol.js';
import type { SqsService } from './sqs-service.js';

type Socket = IncomingMessage['socket'];

export interface SqsEndpointOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** In front of the URLs of queues; taken from the request unless given. */
  readonly publicUrl?: string | undefined;
  readonly maxConnections: number;
  readonly maxBodyBytes: number;
  /** Of all requests that are being received. */
  readonly maxBufferedBytes: number;
  /** Of all answers that have not been taken; beyond that, nothing more is done. */
  readonly maxUnsentBytes: number;
  /** For a request to come as a whole. */
  readonly requestTimeoutMs: number;
  /** A connection on which nothing moves for so long, in the middle of a request or an answer, is closed. Longer than a receive waits. */
  readonly stallTimeoutMs: number;
  readonly authenticator: Authenticator;
  /** Gives each request a name, by which its sender can speak of it. */
  readonly newRequestId: () => string;
  /** What should not happen has happened. */
  readonly onFailure: (error: unknown) => void;
  /** Has TLS spoken on the connections of the server, until it is closed. Without it there is none. */
  readonly putBehindTls?: ((server: Server) => { close(): void }) | undefined;
}

/** SDKs keep connections for a minute; who closes first must not be we, while a request is on its way. */
const KEEP_ALIVE_MS = 90_000;
const LARGEST_HEADERS_BYTES = 16 * 1024;
const CONNECTIONS_CHECK_MS = 5000;

export class SqsEndpoint implements ExchangeOwner, AnswerContext {
  readonly service: SqsService;
  readonly #options: SqsEndpointOptions;
  readonly #server: Server;
  readonly #budget: BodyBudget;
  readonly #sockets = new Set<Socket>();
  readonly #tls: { close(): void } | null;
  isStopping = false;

  private constructor(service: SqsService, options: SqsEndpointOptions) {
    this.service = service;
    this.#options = options;
    const { maxBodyBytes, maxBufferedBytes, maxUnsentBytes, requestTimeoutMs } = options;
    this.#budget = { maxBodyBytes, maxBufferedBytes, maxUnsentBytes, bufferedBytes: 0, unsentBytes: 0 };
    this.#server = createServer({
      keepAliveTimeout: KEEP_ALIVE_MS,
      headersTimeout: requestTimeoutMs,
      requestTimeout: requestTimeoutMs,
      connectionsCheckingInterval: Math.min(CONNECTIONS_CHECK_MS, requestTimeoutMs),
      maxHeaderSize: LARGEST_HEADERS_BYTES,
      // Who serves nobody without it says so himself, in the words of the protocol.
      requireHostHeader: false,
      noDelay: true,
    });
    this.#server.timeout = options.stallTimeoutMs;
    this.#server.on('connection', (socket) => this.#onConnection(socket));
    this.#server.on('request', (request, response) => this.#onExchange(request, response));
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => this.#onBroken(error, socket as Socket));
    this.#tls = options.putBehindTls?.(this.#server) ?? null;
  }

  /** @throws SqsListenFailed */
  static async open(service: SqsService, options: SqsEndpointOptions): Promise<SqsEndpoint> {
    const endpoint = new SqsEndpoint(service, options);
    try {
      await endpoint.#listen();
    } catch (error) {
      endpoint.#tls?.close();
      throw error;
    }
    return endpoint;
  }

  /** The real one, also where 0 was asked for. */
  get port(): number {
    const address = this.#server.address();
    return address !== null && typeof address === 'object' ? address.port : this.#options.port;
  }

  get counters(): SqsCounters {
    return this.service.counters;
  }

  get nowMs(): number {
    return this.service.clock.now();
  }

  /** Serves nobody any more; what is being answered may be, as long as it takes. Resolves when all connections are closed. */
  stop(): Promise<void> {
    this.isStopping = true;
    this.#tls?.close();
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeIdleConnections();
    });
  }

  /** Ends whatever connections are left. */
  closeAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  onRequest(exchange: HttpExchange, request: HttpRequest): void {
    const { service } = this;
    service.counters.requests++;
    const protocol = protocolOf(exchange);
    const answer = this.#answerOf(exchange, protocol);
    try {
      if (this.isStopping) throw new SqsError('ServiceUnavailable', 'The broker is being stopped.');
      const caller = this.#options.authenticator.authenticate(request);
      const { action: name, fields } = protocol.decode(request);
      answer.action = name;
      const action = SQS_ACTIONS.get(name);
      if (action === undefined) throw unsupported(name);
      const call = new SqsCall(service, new SqsInput(fields), caller, this.#baseUrlOf(request), answer);
      exchange.giver = call;
      action.run(call);
    } catch (error) {
      answer.fail(error);
    }
  }

  onRefused(exchange: HttpExchange, error: SqsError): void {
    this.counters.refusedBodies++;
    this.#answerOf(exchange, protocolOf(exchange)).fail(error);
  }

  onAbandoned(giver: AnswerGiver): void {
    // When the queues are going, everything goes back by itself.
    if (!this.isStopping) giver.onAbandoned();
  }

  onFailure(error: unknown): void {
    this.#options.onFailure(error);
  }

  #listen(): Promise<void> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      const onError = (cause: Error): void => {
        reject(new SqsListenFailed(`The SQS endpoint cannot listen on ${host}:${port}`, 'sqs', { cause }));
      };
      this.#server.once('error', onError);
      this.#server.listen({ host, port, backlog: 1024 }, () => {
        this.#server.off('error', onError);
        this.#server.on('error', (error) => this.#options.onFailure(error));
        resolve();
      });
    });
  }

  #onConnection(socket: Socket): void {
    const { counters } = this;
    if (this.#sockets.size >= this.#options.maxConnections) {
      counters.refusedConnections++;
      socket.on('error', () => {});
      socket.end(bareAnswer(new SqsError('ServiceUnavailable', 'Too many connections are open.')));
      socket.destroySoon();
      return;
    }
    this.#sockets.add(socket);
    counters.connections = this.#sockets.size;
    socket.once('close', () => {
      this.#sockets.delete(socket);
      counters.connections = this.#sockets.size;
    });
  }

  #onExchange(request: IncomingMessage, response: ServerResponse): void {
    new HttpExchange(request, response, this.#budget, this);
  }

  /** What came is no HTTP, is too long, or took too long. */
  #onBroken(error: NodeJS.ErrnoException, socket: Socket): void {
    this.counters.brokenRequests++;
    if (!socket.writable || error.code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    const isLate = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
    const shown = isLate
      ? new SqsError('RequestTimeout', 'The request did not come in time.')
      : new SqsError('SerializationException', 'What was sent is no HTTP request, or its headers are too long.');
    this.counters.countError(shown.queryCode);
    socket.end(bareAnswer(shown));
  }

  #answerOf(exchange: HttpExchange, protocol: SqsProtocol): ExchangeAnswer {
    return new ExchangeAnswer(this, exchange, protocol, this.#options.newRequestId());
  }

  #baseUrlOf({ headers }: HttpRequest): string {
    const { publicUrl, host } = this.#options;
    const scheme = this.#tls === null ? 'http' : 'https';
    return publicUrl ?? `${scheme}://${headers.host ?? `${host}:${this.port}`}`;
  }
}

/** The JSON protocol names its action in a header, wherever it is sent to. */
function protocolOf({ headers }: HttpExchange): SqsProtocol {
  return headers['x-amz-target'] === undefined ? queryProtocol : jsonProtocol;
}

/** Of SQS, without a meaning here. */
const KNOWN_ELSEWHERE = ['AddPermission', 'RemovePermission'];

function unsupported(action: string): SqsError {
  if (!KNOWN_ELSEWHERE.includes(action)) return unknownOperation(action);
  return new SqsError('UnsupportedOperation', `${action} has no meaning here: permissions belong to access keys.`);
}

const STATUS_TEXT: Readonly<Record<number, string>> = { 408: 'Request Timeout', 503: 'Service Unavailable' };

/** For connections on which there is no request to be answered. */
function bareAnswer(error: SqsError): string {
  const body = jsonProtocol.encodeError(error, '');
  return [
    `HTTP/1.1 ${error.status} ${STATUS_TEXT[error.status] ?? 'Bad Request'}`,
    `content-type: ${jsonProtocol.contentType}`,
    `x-amzn-query-error: ${error.queryCode};${error.isSendersFault ? 'Sender' : 'Receiver'}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    '',
    body,
  ].join('\r\n');
}
