/** Answers one request in its protocol, with what SDKs look for in the headers. */
import type { HttpExchange } from './http-exchange.js';
import type { SqsOutput, SqsReplier } from './sqs-call.js';
import type { SqsCounters } from './sqs-counters.js';
import { SqsError } from './sqs-error.js';
import type { SqsProtocol } from './sqs-protocol.js';

/** What is the same for all answers. */
export interface AnswerContext {
  readonly counters: SqsCounters;
  /** Connections are not to be used again. */
  readonly isStopping: boolean;
  readonly nowMs: number;
  /** Something happened that is no error of the protocol. */
  onFailure(error: unknown): void;
}

export class ExchangeAnswer implements SqsReplier {
  /** Once it is known. */
  action = '';
  readonly #context: AnswerContext;
  readonly #exchange: HttpExchange;
  readonly #protocol: SqsProtocol;
  readonly #requestId: string;

  constructor(context: AnswerContext, exchange: HttpExchange, protocol: SqsProtocol, requestId: string) {
    this.#context = context;
    this.#exchange = exchange;
    this.#protocol = protocol;
    this.#requestId = requestId;
  }

  reply(output: SqsOutput): void {
    const body = this.#protocol.encode(this.action, output, this.#requestId);
    this.#exchange.answer(200, this.#headers(), body);
  }

  fail(error: unknown): void {
    const shown = this.#asSqsError(error);
    this.#context.counters.countError(shown.queryCode);
    const headers = this.#headers();
    // An SDK whose signature is refused for its time takes this one, and tries again.
    headers.push('date', new Date(this.#context.nowMs).toUTCString());
    headers.push('x-amzn-query-error', `${shown.queryCode};${shown.isSendersFault ? 'Sender' : 'Receiver'}`);
    this.#exchange.answer(shown.status, headers, this.#protocol.encodeError(shown, this.#requestId));
  }

  #headers(): string[] {
    const headers = ['content-type', this.#protocol.contentType, 'x-amzn-requestid', this.#requestId];
    if (this.#context.isStopping) headers.push('connection', 'close');
    return headers;
  }

  #asSqsError(error: unknown): SqsError {
    if (error instanceof SqsError) return error;
    this.#context.onFailure(error);
    return new SqsError('InternalFailure', 'The request could not be done.');
  }
}
