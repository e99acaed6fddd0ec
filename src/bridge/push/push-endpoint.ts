/** One target as requests see it: the connections to it, which are kept and bounded, and what each request has in common. */
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
import type { HostLookup } from './host-lookup.js';
import { addMessageFields, type PropertiesReader } from './message-fields.js';
import type { ForbiddenAddress } from './push-errors.js';
import type { PushTarget } from './push-target.js';
import { WebhookSigner } from './webhook-signature.js';

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

  /** What stands in front of the body of a request for the message. */
  headersFor(queue: string, delivery: WorkDelivery): OutgoingHttpHeaders {
    const { message, entry } = delivery;
    const { payload } = message;
    const headers: OutgoingHttpHeaders = { 'user-agent': this.#userAgent };
    addMessageFields(headers, this.target.format, queue, delivery, this.#propertiesOf(message));
    for (const [name, value] of this.target.headers) headers[name] = value;
    const timestamp = Math.floor(this.timeOfDayMs() / 1000);
    headers['content-length'] = payload.length;
    headers['webhook-id'] = entry.id;
    headers['webhook-timestamp'] = timestamp;
    if (this.#signer.isSigning) headers['webhook-signature'] = this.#signer.sign(entry.id, timestamp, payload);
    return headers;
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
