/** Where the messages of one queue are sent, and how. */
import type { BreakerOptions } from './circuit-breaker.js';

export const PUSH_FORMATS = ['plain', 'cloudevents'] as const;
export type PushFormat = (typeof PUSH_FORMATS)[number];

/** How many messages one request may have. */
export interface BatchOptions {
  readonly maxMessages: number;
  /** Of the body; a message that is larger goes alone. */
  readonly maxBytes: number;
}

export interface PushTarget {
  /** `http:` or `https:`, without a user. */
  readonly url: string;
  /** `plain`: what is known of a message in headers of our own; `cloudevents`: in those of CloudEvents' binary mode. The body is the payload. */
  readonly format: PushFormat;
  /** Keys of the signatures; none for no signature. */
  readonly secrets: readonly Buffer[];
  /** Sent with each request, in place of one of ours that has the same name. */
  readonly headers: ReadonlyMap<string, string>;
  /** Certificates, as PEM, of who may vouch for the target, instead of the usual authorities. */
  readonly certificateAuthorities: string | null;
  /** From the beginning of a request to the status of its answer. */
  readonly timeoutMs: number;
  /** Requests at one time. */
  readonly concurrency: number;
  /** Several messages in one request; null for one in each, as its body. */
  readonly batch: BatchOptions | null;
  /** The longest time that a target may ask us to leave it alone. */
  readonly longestPauseMs: number;
  readonly breaker: BreakerOptions;
}

/** Headers that are not a configuration's to set: they say what the request is. */
const OWN_HEADERS = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Whether a target may have a header of this name set. */
export function isSettableHeader(name: string): boolean {
  const folded = name.toLowerCase();
  return !OWN_HEADERS.has(folded) && !folded.startsWith('webhook-');
}
