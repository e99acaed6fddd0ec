/**
 * One message on its way to a target, or several in a batch: sent once, or once more on another connection if the one that was kept turns out to be closed. Says once
 * what has come of it, as soon as the status is there (of a batch that was taken, when
 * the answer has been read); and once that its place is free, when the connection has nothing more of it.
 */
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Linked } from '../../core/linked-list.js';
import { WheelTimer } from '../../core/timing-wheel.js';
import { readBatchAnswer } from './batch-answer.js';
import type { PushFailure } from './push-counters.js';
import type { PushEndpoint, PushLoad } from './push-endpoint.js';
import { ForbiddenAddress } from './push-errors.js';

/** Read of the body of an answer, so that the connection can be used again; nobody looks at it but at that for a batch. */
const MOST_BODY_BYTES = 64 * 1024;

export type PushOutcome =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly retryAfter: string | null;
      /** Ids of messages of a batch that the target has not done. */
      readonly failedItems: ReadonlySet<string>;
    }
  | { readonly kind: 'failed'; readonly failure: PushFailure; readonly reason: string };

const NO_ITEMS: ReadonlySet<string> = new Set();

export interface PushRequestOwner {
  onOutcome(request: PushRequest, outcome: PushOutcome): void;
  onFree(request: PushRequest): void;
}

export class PushRequest extends WheelTimer implements Linked<PushRequest> {
  before: PushRequest | null = null;
  behind: PushRequest | null = null;
  readonly load: PushLoad;
  readonly #endpoint: PushEndpoint;
  readonly #owner: PushRequestOwner;
  #request: ClientRequest | null = null;
  /** What an answer says of a batch is on its way. */
  #isReading = false;
  #hasOutcome = false;
  #isFree = false;

  constructor(endpoint: PushEndpoint, load: PushLoad, owner: PushRequestOwner) {
    super();
    this.#endpoint = endpoint;
    this.load = load;
    this.#owner = owner;
  }

  /** It has been said what has come of it. */
  get hasOutcome(): boolean {
    return this.#hasOutcome;
  }

  send(): void {
    let request: ClientRequest;
    try {
      request = this.#endpoint.open(this.load.headers);
    } catch (error) {
      this.#fail(error);
      this.#free();
      return;
    }
    this.#request = request;
    request.on('error', (error) => this.#onError(request, error));
    request.on('response', (answer) => this.#onAnswer(request, answer));
    request.on('close', () => this.#onClose(request));
    request.end(this.load.body);
  }

  /** Nobody waits for it any more. */
  abort(): void {
    this.#hasOutcome = true;
    this.#request?.destroy();
  }

  /** The time is over. */
  override onDue(): void {
    this.#tell({ kind: 'failed', failure: 'timeout', reason: 'no answer in time' });
    this.#request?.destroy();
  }

  #onAnswer(request: ClientRequest, answer: IncomingMessage): void {
    const { statusCode: status = 0, headers } = answer;
    if (this.load.isBatch && status >= 200 && status < 300) {
      this.#readBatchAnswer(request, answer, status);
      return;
    }
    let bytes = 0;
    answer.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MOST_BODY_BYTES) request.destroy();
    });
    // What has been decided stays decided, however the body ends.
    answer.on('error', () => {});
    this.#tell({ kind: 'answered', status, retryAfter: headers['retry-after'] ?? null, failedItems: NO_ITEMS });
  }

  /** It says what is done when it is there as a whole: what breaks off might have named any message. */
  #readBatchAnswer(request: ClientRequest, answer: IncomingMessage, status: number): void {
    this.#isReading = true;
    const chunks: Buffer[] = [];
    let bytes = 0;
    answer.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes <= MOST_BODY_BYTES) return;
      this.#tell({ kind: 'failed', failure: 'protocol', reason: 'the answer to a batch is too long' });
      request.destroy();
    });
    answer.on('error', (error) => this.#fail(error));
    const encoding = answer.headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
    answer.on('end', () => {
      const sent = new Set(this.load.deliveries.map(({ id }) => id));
      // What is compressed may name messages, and would be taken for something that does not.
      const failedItems = bytes === 0 || encoding === 'identity' ? readBatchAnswer(Buffer.concat(chunks), sent) : null;
      if (failedItems !== null) this.#tell({ kind: 'answered', status, retryAfter: null, failedItems });
      else this.#tell({ kind: 'failed', failure: 'protocol', reason: 'the answer to a batch cannot be understood' });
    });
  }

  #onError(request: ClientRequest, error: NodeJS.ErrnoException): void {
    if (this.#hasOutcome) return;
    // The target has closed the connection while nothing was on it, or while this was on its way: on a new one it may do.
    // A connection that fails is not used again, so there is an end to this.
    const isStale = request.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
    if (isStale) this.send();
    else this.#fail(error);
  }

  #onClose(request: ClientRequest): void {
    if (request !== this.#request) return;
    // A target that wants to switch protocols ends without a word of Node's.
    if (!this.#isReading) {
      this.#tell({ kind: 'failed', failure: 'protocol', reason: 'the connection was closed without an answer' });
    } else this.#tell({ kind: 'failed', failure: 'connection', reason: 'the connection was closed within an answer' });
    this.#free();
  }

  #fail(error: unknown): void {
    this.#tell({ kind: 'failed', failure: failureOf(error), reason: reasonOf(error) });
  }

  #tell(outcome: PushOutcome): void {
    if (this.#hasOutcome) return;
    this.#hasOutcome = true;
    this.#owner.onOutcome(this, outcome);
  }

  #free(): void {
    if (this.#isFree) return;
    this.#isFree = true;
    this.#owner.onFree(this);
  }
}

function failureOf(error: unknown): PushFailure {
  if (error instanceof ForbiddenAddress) return 'forbidden-address';
  const { code = '' } = error as NodeJS.ErrnoException;
  return code.startsWith('HPE_') ? 'protocol' : 'connection';
}

function reasonOf(error: unknown): string {
  // Of several addresses that were tried, the last one will do.
  const [one] = error instanceof AggregateError ? error.errors.slice(-1) : [error];
  return one instanceof Error ? one.message : String(one);
}
