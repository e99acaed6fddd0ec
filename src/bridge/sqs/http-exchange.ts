/**
 * One HTTP request and its answer: the body is gathered within bounds, and the answer is written once. If the connection ends before the answer
 * has been handed over as a whole, whoever made the answer is told.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpRequest } from './http-request.js';
import { invalidParameter, SqsError } from './sqs-error.js';

/** What is read of a body that is too large, so that its sender gets an answer instead of a broken connection. */
const DRAINED_BYTES = 16 * 2 ** 20;

/** Of all exchanges together. */
export interface BodyBudget {
  readonly maxBodyBytes: number;
  readonly maxBufferedBytes: number;
  readonly maxUnsentBytes: number;
  /** Of requests that have not come as a whole. */
  bufferedBytes: number;
  /** Of answers that have not been taken as a whole. */
  unsentBytes: number;
}

/** Who wants to know that an answer will not arrive. */
export interface AnswerGiver {
  /** The connection has ended before the whole answer was out. */
  onAbandoned(): void;
}

export interface ExchangeOwner {
  onRequest(exchange: HttpExchange, request: HttpRequest): void;
  /** The body is too large, or there is no room for it. */
  onRefused(exchange: HttpExchange, error: SqsError): void;
  onAbandoned(giver: AnswerGiver): void;
}

export class HttpExchange {
  readonly headers: IncomingMessage['headers'];
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #budget: BodyBudget;
  readonly #owner: ExchangeOwner;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #unsentBytes = 0;
  #isRefused = false;
  /** The operating system has all of the answer. */
  #isSent = false;
  /** Who answers, from when that is known. */
  giver: AnswerGiver | null = null;

  constructor(request: IncomingMessage, response: ServerResponse, budget: BodyBudget, owner: ExchangeOwner) {
    this.headers = request.headers;
    this.#request = request;
    this.#response = response;
    this.#budget = budget;
    this.#owner = owner;
    request.on('data', (chunk: Buffer) => this.#onData(chunk));
    request.on('end', () => this.#onEnd());
    // An error is followed by `close`.
    request.on('error', () => {});
    response.on('error', () => {});
    // A connection that breaks finishes its answers as well: their buffers are thrown away.
    response.on('finish', () => {
      const { destroyed, errored } = request.socket;
      this.#isSent = !destroyed && errored === null;
    });
    response.on('close', () => this.#onClose());
  }

  /** @param headers names and values in turn */
  answer(status: number, headers: string[], body: string): void {
    if (this.#response.headersSent || this.#response.destroyed) return;
    this.#unsentBytes = Buffer.byteLength(body);
    this.#budget.unsentBytes += this.#unsentBytes;
    headers.push('content-length', String(this.#unsentBytes));
    this.#response.writeHead(status, headers);
    // For UTF-8 the engine takes three bytes for each character before it has looked at any.
    this.#response.end(body, this.#unsentBytes === body.length ? 'latin1' : 'utf8');
  }

  #onData(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#isRefused) {
      if (this.#bytes > DRAINED_BYTES) this.#request.destroy();
      return;
    }
    const { maxBodyBytes, maxBufferedBytes } = this.#budget;
    this.#budget.bufferedBytes += chunk.length;
    this.#chunks.push(chunk);
    if (this.#bytes > maxBodyBytes) {
      this.#refuse(
        invalidParameter('body', `of ${this.#bytes} bytes or more`, `Must be at most ${maxBodyBytes} bytes.`),
      );
    } else if (this.#budget.bufferedBytes > maxBufferedBytes) {
      this.#refuse(new SqsError('ServiceUnavailable', 'Too many requests are being received.'));
    }
  }

  #onEnd(): void {
    if (this.#isRefused || this.#response.destroyed) return;
    if (this.#budget.unsentBytes > this.#budget.maxUnsentBytes) {
      this.#refuse(new SqsError('ServiceUnavailable', 'Too many answers have not been taken.'));
      return;
    }
    const chunks = this.#chunks;
    const body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
    this.#letGo();
    const { method = '', url = '', headers, rawHeaders } = this.#request;
    this.#owner.onRequest(this, { method, url, headers, rawHeaders, body });
  }

  #refuse(error: SqsError): void {
    this.#isRefused = true;
    this.#letGo();
    this.#owner.onRefused(this, error);
  }

  #letGo(): void {
    for (const { length } of this.#chunks) this.#budget.bufferedBytes -= length;
    this.#chunks = [];
  }

  #onClose(): void {
    this.#letGo();
    this.#budget.unsentBytes -= this.#unsentBytes;
    this.#unsentBytes = 0;
    if (!this.#isSent && this.giver !== null) this.#owner.onAbandoned(this.giver);
    this.giver = null;
  }
}
