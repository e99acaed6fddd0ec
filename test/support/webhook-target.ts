/** A webhook on a free port of this machine that answers as a test says, and remembers what it was sent. */
import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import type { PushTarget } from '../../src/bridge/push/push-target.js';

export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
}

export type Answering = (request: ReceivedRequest, response: ServerResponse) => void;

export interface WebhookTargetOptions {
  readonly key?: string;
  readonly cert?: string;
  /** Default: a free one. */
  readonly port?: number;
  readonly host?: string;
}

export class WebhookTarget {
  /** In the order in which they arrived. */
  readonly requests: ReceivedRequest[] = [];
  connections = 0;
  /** Requests that have no answer yet, and the most that there were at one time. */
  open = 0;
  mostOpen = 0;
  answering: Answering;
  readonly #server: Server;
  readonly #isSecure: boolean;
  #waiting: { readonly count: number; readonly resolve: () => void }[] = [];

  private constructor(answering: Answering, options: WebhookTargetOptions) {
    this.answering = answering;
    this.#isSecure = options.cert !== undefined;
    const handler = (request: IncomingMessage, response: ServerResponse) => void this.#onRequest(request, response);
    this.#server = this.#isSecure ? createSecureServer(options, handler) : createServer(handler);
    this.#server.on(this.#isSecure ? 'secureConnection' : 'connection', () => this.connections++);
    this.#server.on('clientError', () => {});
  }

  /** @param answering default: 204 to everything */
  static async start(
    answering: Answering = (_, response) => void response.writeHead(204).end(),
    options: WebhookTargetOptions = {},
  ): Promise<WebhookTarget> {
    const target = new WebhookTarget(answering, options);
    target.#server.listen(options.port ?? 0, options.host ?? '127.0.0.1');
    await once(target.#server, 'listening');
    onTestFinished(() => target.stop());
    return target;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `${this.#isSecure ? 'https' : 'http'}://127.0.0.1:${this.port}/hook`;
  }

  get texts(): string[] {
    return this.requests.map(({ text }) => text);
  }

  /** Resolves when there have been so many requests in all. */
  async received(count: number): Promise<readonly ReceivedRequest[]> {
    if (this.requests.length < count) await new Promise<void>((resolve) => this.#waiting.push({ count, resolve }));
    return this.requests;
  }

  closeIdleConnections(): void {
    this.#server.closeIdleConnections();
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.open++;
    this.mostOpen = Math.max(this.mostOpen, this.open);
    response.on('close', () => this.open--);
    response.on('error', () => {});
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return;
    }
    const body = Buffer.concat(chunks);
    const { method = '', url: path = '', headers } = request;
    const received = { method, path, headers, body, text: body.toString() };
    this.requests.push(received);
    this.answering(received, response);
    const waiting = this.#waiting;
    this.#waiting = waiting.filter(({ count }) => count > this.requests.length);
    for (const { count, resolve } of waiting) if (count <= this.requests.length) resolve();
  }
}

/** Listens on a free port and does with each connection what a test says, in place of HTTP. */
export async function startRawTarget(onConnection: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    onConnection(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** A target as a configuration without more than a URL has it. */
export function pushTo(url: string, options: Partial<PushTarget> = {}): PushTarget {
  return {
    url,
    format: 'plain',
    secrets: [],
    headers: new Map(),
    certificateAuthorities: null,
    timeoutMs: 15_000,
    concurrency: 16,
    batch: null,
    longestPauseMs: 3_600_000,
    breaker: { failures: 10, firstWaitMs: 1000, longestWaitMs: 60_000 },
    ...options,
  };
}
