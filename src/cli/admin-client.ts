/** Calls the administration of a running broker by HTTP. */
import type { z } from 'zod';
import { MillraceError } from '../core/errors.js';
import { BrokerIdentity } from '../http/broker-identity.js';

export type AdminMethod = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** Where it is, and what opens it. */
export interface AdminAccess {
  /** Without a slash at its end. */
  readonly url: string;
  readonly token: string;
  /** Of the broker that is meant; null if whoever listens there is. */
  readonly identity: BrokerIdentity | null;
}

/** The call has come to nothing; the message says why, and what to do. */
export class AdminCallFailed extends MillraceError {
  readonly code = 'ERR_ADMIN_CALL_FAILED';
  /** The broker's own code, if it was the broker that refused. */
  readonly problem: string | undefined;

  constructor(message: string, problem?: string) {
    super(message);
    this.problem = problem;
  }
}

/** Longer than the broker takes for anything: it gives up on a disk after ten seconds. */
const PATIENCE_MS = 15_000;

export class AdminClient {
  readonly #access: AdminAccess;

  constructor(access: AdminAccess) {
    this.#access = access;
  }

  /** @param path with its query @throws AdminCallFailed */
  async call(method: AdminMethod, path: string, body?: object): Promise<unknown> {
    const { url, token, identity } = this.#access;
    // Each time: a redrive may be waited for during hours.
    if (identity !== null) await this.#checkIdentity(identity);
    const { status, text } = await this.#send(method, path, token, body);
    const answer = parse(text);
    if (status >= 200 && status < 300 && answer !== undefined) return answer;
    const { detail, code } = (answer ?? {}) as { readonly detail?: string; readonly code?: string };
    if (code === 'unauthorized') {
      throw new AdminCallFailed(`${url} does not take the token: is it that of another broker?`, code);
    }
    if (code === undefined) throw new AdminCallFailed(`${url} answers ${status}, and is no Millrace broker`);
    throw new AdminCallFailed(detail ?? code, code);
  }

  /** The same, for an answer that is to be of a certain form: at an address that somebody has typed, anybody may answer. */
  async ask<Schema extends z.ZodType>(
    schema: Schema,
    method: AdminMethod,
    path: string,
    body?: object,
  ): Promise<z.output<Schema>> {
    const answer = await this.call(method, path, body);
    // As it came: a newer broker may tell more.
    if (schema.safeParse(answer).success) return answer as z.output<Schema>;
    throw new AdminCallFailed(`${this.#access.url} answers something else, and is no Millrace broker of this version`);
  }

  /** A broker that was killed leaves its address behind, and the port to others: those do not get the token. */
  async #checkIdentity(identity: BrokerIdentity): Promise<void> {
    const challenge = BrokerIdentity.challenge();
    const { text } = await this.#send('GET', `/api/v1/identity?challenge=${challenge}`, null);
    const { proof, code, detail } = (parse(text) ?? {}) as Readonly<Record<string, unknown>>;
    if (code === 'starting' || code === 'stopping') throw new AdminCallFailed(String(detail), code);
    if (typeof proof !== 'string' || !identity.isProvenBy(proof, challenge)) {
      throw new AdminCallFailed(
        `no broker is running with this data directory: it was not stopped in order, and at ${this.#access.url}, where it listened, somebody else answers`,
      );
    }
  }

  /** @param token null to show none */
  async #send(
    method: AdminMethod,
    path: string,
    token: string | null,
    body?: object,
  ): Promise<{ readonly status: number; readonly text: string }> {
    const { url } = this.#access;
    try {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: {
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        // The token is for this address alone.
        redirect: 'error',
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      return { status: response.status, text: await response.text() };
    } catch (error) {
      throw new AdminCallFailed(`no broker answers at ${url}: ${reasonOf(error)}`);
    }
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  if ((error as Error).name === 'TimeoutError') return `it has not answered for ${PATIENCE_MS / 1000} s`;
  const cause = (error as Error).cause as NodeJS.ErrnoException | undefined;
  if (cause?.code === 'ECONNREFUSED') return 'nobody listens there. Is it running?';
  return cause?.message ?? (error as Error).message;
}
