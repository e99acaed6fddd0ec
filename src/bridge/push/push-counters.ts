/** What has become of the requests to one target. */

/** Why a request was in vain. */
export const PUSH_FAILURES = [
  /** No connection, or it broke: also a name that cannot be resolved, and a certificate that is not trusted. */
  'connection',
  /** No answer in time. */
  'timeout',
  /** What came back was no HTTP. */
  'protocol',
  /** An answer with a status of 3xx: it is not followed. */
  'redirect',
  /** One of 4xx. */
  'client-error',
  /** One of 5xx, or one that HTTP does not know. */
  'server-error',
  /** A message of a batch that was taken, which the answer names as failed. */
  'item',
  /** The host leads to addresses alone that requests may not go to. */
  'forbidden-address',
] as const;
export type PushFailure = (typeof PUSH_FAILURES)[number];

export class PushCounters {
  requests = 0;
  /** Messages that were answered with 2xx. */
  delivered = 0;
  /** Answered with 429 or 503 and a time to wait: the message came back uncounted. */
  throttled = 0;
  /** Answered with 410. */
  gone = 0;
  /** Broken off because the broker stopped. */
  abandoned = 0;
  readonly #failures = new Map<PushFailure, number>(PUSH_FAILURES.map((failure) => [failure, 0]));

  fail(failure: PushFailure): void {
    this.#failures.set(failure, this.failuresOf(failure) + 1);
  }

  failuresOf(failure: PushFailure): number {
    return this.#failures.get(failure) ?? 0;
  }

  get failed(): number {
    let sum = 0;
    for (const count of this.#failures.values()) sum += count;
    return sum;
  }
}
