/** One target as requests see it: the connections to it, which are kept and bounded, and what each request has in common. */
import { createHash } from 'node:crypto';
import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type OutgoingHttpHeaders,
  type RequestOptions,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { urlToHttpOptions } from 'node:url';
import type { WorkDelivery } from '../../core/work-source.js';
import { batchItemOf } from './batch-item.js';
import type { HostLookup } from './host-lookup.js';
import { addMessageFields, type PropertiesReader } from './message-fields.js';
import type { ForbiddenAddress } from './push-errors.js';
import type { PushTarget } from './push-target.js';
import { WebhookSigner } from './webhook-signature.js';

/** What one request brings. */
export interface PushLoad {
  readonly deliveries: readonly WorkDelivery[];
  readonly headers: OutgoingHttpHeaders;
  readonly body: Buffer;
  /** The answer may say of each message whether it is done. */
  readonly isBatch: boolean;
}

/** Of the head of an answer; the body is thrown away in any case. */
const MOST_ANSWER_HEADER_BYTES = 16 * 1024;

export class PushEndpoint {
  readonly target: PushTarget;
  readonly #url: URL;
  readonly #agent: HttpAgent | HttpsAgent;
  /** Of each request, but for its headers. */
  readonly #options: RequestOptions;
  /** Why no request may go to the address that stands in the URL; null if none does, or it may. */
  readonly #refusal: ForbiddenAddress | null;
  readonly #signer: WebhookSigner;
  readonly #userAgent: string;
  readonly #propertiesOf: PropertiesReader;
  /** The time of day, as others have it: the clock that everything waits by keeps the one that the broker was started with. */
  readonly timeOfDayMs: () => number;

  constructor(
    target: PushTarget,
    lookup: HostLookup,
    userAgent: string,
    propertiesOf: PropertiesReader,
    timeOfDayMs: () => number,
  ) {
    this.timeOfDayMs = timeOfDayMs;
    this.target = target;
    this.#url = new URL(target.url);
    this.#refusal = lookup.refusalOf(this.#url.hostname);
    this.#signer = new WebhookSigner(target.secrets);
    this.#userAgent = userAgent;
    this.#propertiesOf = propertiesOf;
    const { concurrency, certificateAuthorities } = target;
    const options = {
      keepAlive: true,
      maxSockets: concurrency,
      maxFreeSockets: concurrency,
      lookup: lookup.lookup,
      noDelay: true,
    };
    this.#agent =
      this.#url.protocol === 'https:'
        ? new HttpsAgent({ ...options, ...(certificateAuthorities === null ? {} : { ca: certificateAuthorities }) })
        : new HttpAgent(options);
    const common = { method: 'POST', agent: this.#agent, maxHeaderSize: MOST_ANSWER_HEADER_BYTES };
    this.#options = { ...urlToHttpOptions(this.#url), ...common };
  }

  /** Scheme, host and port: what may be told, since paths and queries have tokens in them. */
  get origin(): string {
    return this.#url.origin;
  }

  /** A request for one message: its payload is the body. */
  loadOf(queue: string, delivery: WorkDelivery): PushLoad {
    const { message, entry } = delivery;
    const { payload } = message;
    const headers: OutgoingHttpHeaders = { 'user-agent': this.#userAgent };
    addMessageFields(headers, this.target.format, queue, delivery, this.#propertiesOf(message));
    this.#addOwn(headers, entry.id, payload);
    return { deliveries: [delivery], headers, body: payload, isBatch: false };
  }

  /**
   * A request for as many messages as have room in one, from the first on; for one in any case.
   * @param most messages
   */
  batchOf(queue: string, deliveries: readonly WorkDelivery[], most: number): PushLoad {
    const { format, batch } = this.target;
    const items: string[] = [];
    // The brackets.
    let bytes = 2;
    for (const delivery of deliveries.slice(0, most)) {
      const item = batchItemOf(format, queue, delivery, this.#propertiesOf(delivery.message));
      // With the comma.
      bytes += Buffer.byteLength(item) + 1;
      if (items.length > 0 && bytes > (batch?.maxBytes ?? 0)) break;
      items.push(item);
    }
    const sent = deliveries.slice(0, items.length);
    const body = Buffer.from(`[${items.join(',')}]`);
    const type = format === 'cloudevents' ? 'application/cloudevents-batch+json' : 'application/json';
    const headers: OutgoingHttpHeaders = { 'user-agent': this.#userAgent, 'content-type': type };
    if (format === 'plain') headers['q-queue'] = queue;
    this.#addOwn(headers, batchIdOf(sent), body);
    // The answer is looked at; without this, any encoding of it would be right (RFC 9110, section 12.5.3).
    headers['accept-encoding'] = 'identity';
    return { deliveries: sent, headers, body, isBatch: true };
  }

  #addOwn(headers: OutgoingHttpHeaders, id: string, body: Buffer): void {
    for (const [name, value] of this.target.headers) headers[name] = value;
    const timestamp = Math.floor(this.timeOfDayMs() / 1000);
    headers['content-length'] = body.length;
    headers['webhook-id'] = id;
    headers['webhook-timestamp'] = timestamp;
    if (this.#signer.isSigning) headers['webhook-signature'] = this.#signer.sign(id, timestamp, body);
  }

  /** A request that has not been sent. @throws ForbiddenAddress, and what Node throws */
  open(headers: OutgoingHttpHeaders): ClientRequest {
    if (this.#refusal !== null) throw this.#refusal;
    const options = { ...this.#options, headers };
    return this.#url.protocol === 'https:' ? httpsRequest(options) : httpRequest(options);
  }

  /** Ends the connections, those that are in use included. */
  close(): void {
    this.#agent.destroy();
  }
}

/**
 * The same for the same messages, so that a receiver that keeps ids knows a batch that comes again; and another one for any others: a message
 * that he has not seen must not pass for one that he has, because it stands in a batch beside that.
 */
function batchIdOf(deliveries: readonly WorkDelivery[]): string {
  const hash = createHash('sha256');
  for (const { id } of deliveries) hash.update(`${id}\n`);
  return `batch_${hash.digest('base64url').slice(0, 32)}`;
}
