/** One request to a server that is asked about clients: it takes a bounded time, its answer bounded memory, and it goes nowhere else. */
import type { CancelTimer, Clock } from '../core/clock.js';

export interface BoundedRequest {
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** For all of it, ms. */
  readonly timeoutMs: number;
  /** Of the answer, unpacked. */
  readonly maximumBytes: number;
}

export interface FetchedAnswer {
  readonly status: number;
  readonly text: string;
}

/** Why there is no answer. */
export class NoAnswer {
  /** Names neither paths nor queries, which may have secrets in them. */
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/** Never rejects. */
export async function boundedFetch(
  url: string,
  request: BoundedRequest,
  clock: Clock,
): Promise<FetchedAnswer | NoAnswer> {
  const { timeoutMs, maximumBytes, ...rest } = request;
  const abort = new AbortController();
  let isLate = false;
  const cancel: CancelTimer = clock.schedule(timeoutMs, () => {
    isLate = true;
    abort.abort();
  });
  try {
    const response = await fetch(url, { ...rest, redirect: 'manual', signal: abort.signal });
    const text = await readUpTo(response, maximumBytes);
    if (text === undefined) return new NoAnswer(`the answer is larger than ${maximumBytes} bytes`);
    return { status: response.status, text };
  } catch (error) {
    return new NoAnswer(isLate ? `no answer within ${timeoutMs} ms` : reasonOf(error));
  } finally {
    cancel();
    abort.abort();
  }
}

async function readUpTo({ body }: Response, maximumBytes: number): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > maximumBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function reasonOf(error: unknown): string {
  const { cause } = error as { readonly cause?: { readonly code?: string; readonly message?: string } };
  return cause?.code ?? cause?.message ?? 'the request has failed';
}
