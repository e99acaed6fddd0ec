/**
 * Serves one request after the other: who may ask, what is asked for, whether it makes sense, and the answer. Whatever goes wrong
 * becomes a problem document; what is nobody's fault but ours is logged, and told without details.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { z } from 'zod';
import type { AuditLog } from '../core/audit-log.js';
import { RequestAborted } from './http-errors.js';
import { readJsonBody } from './json-body.js';
import { Problem, type ProblemCode, problemOf } from './problem.js';
import type { RequestHosts } from './request-hosts.js';
import type { Answer, Route } from './route.js';
import type { RouteTable } from './route-table.js';

/** Decides about requests for routes that are not open to everybody. */
export interface AccessCheck {
  /** @throws Problem if the request may not be served, or not now */
  check(authorization: string | undefined): void;
}

export interface RequestHandlerOptions {
  readonly hosts: RequestHosts;
  readonly access: AccessCheck;
  readonly maximumBodyBytes: number;
  readonly logger: Logger;
  /** Told of every request that could change something, and of those that were not allowed. Default: nobody is. */
  readonly audit?: AuditLog | undefined;
}

const COMMON_HEADERS = {
  // What is told changes all the time, and some of it is nobody else's business.
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
} as const;

export class RequestHandler {
  readonly #routes: RouteTable;
  readonly #options: RequestHandlerOptions;

  constructor(routes: RouteTable, options: RequestHandlerOptions) {
    this.#routes = routes;
    this.#options = options;
  }

  /** Never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const { status, body } = await this.#answer(request);
      this.#tell(request, status);
      send(response, status, 'application/json', body);
    } catch (error) {
      if (error instanceof RequestAborted) return;
      const problem = problemOf(error) ?? this.#ownFault(error, request);
      this.#tell(request, problem.status);
      send(response, problem.status, 'application/problem+json', problem.document, problem.headers);
    }
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    const { hosts, access, maximumBodyBytes } = this.#options;
    hosts.check(request.headers);
    const [path, search] = splitTarget(request.url ?? '');
    const { route, parameters } = this.#routes.find(request.method ?? '', path);
    if (!route.isOpen) access.check(request.headers.authorization);
    const query = checkQuery(route, search);
    const body = route.body === null ? undefined : await readJsonBody(request, maximumBodyBytes);
    return await route.handle({
      parameter: (name) => {
        const value = parameters.get(name);
        if (value === undefined) throw new RangeError(`the path of the route has no {${name}}`);
        return value;
      },
      query,
      body: route.body === null ? undefined : checked(route.body, body ?? {}, 422, 'invalid-body'),
    });
  }

  /** Who asks is known by the token, and there is but one. What stands behind the path may be somebody's data. */
  #tell({ method = '', url = '', headers, socket }: IncomingMessage, status: number): void {
    const { audit } = this.#options;
    if (audit === undefined) return;
    const fields = { method, path: splitTarget(url)[0], status, remoteAddress: socket.remoteAddress };
    const isForeign = status === 401 || status === 403;
    if (isForeign) audit.failure('administration refused', { ...fields, token: headers.authorization !== undefined });
    else if (method !== 'GET') audit.change('administration', { ...fields, who: 'admin token' });
  }

  #ownFault(error: unknown, { method, url }: IncomingMessage): Problem {
    this.#options.logger.error({ err: error, method, url }, 'an HTTP request failed');
    return new Problem(500, 'internal-error', 'The request failed; the log of the broker says why');
  }
}

/** Path and query as they came. */
function splitTarget(target: string): [path: string, search: string] {
  const at = target.indexOf('?');
  return at === -1 ? [target, ''] : [target.slice(0, at), target.slice(at + 1)];
}

function checkQuery(route: Route, search: string): unknown {
  const given = new URLSearchParams(search);
  const values: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [name, value] of given) {
    if (route.query === null) throw new Problem(400, 'invalid-parameter', `${route.path} takes no parameters`);
    if (Object.hasOwn(values, name)) throw new Problem(400, 'invalid-parameter', `${name}: is given twice`);
    values[name] = value;
  }
  return route.query === null ? undefined : checked(route.query, { ...values }, 400, 'invalid-parameter');
}

function checked(schema: z.ZodType, value: unknown, status: number, code: ProblemCode): unknown {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join('.')}: ${message}`,
  );
  throw new Problem(status, code, problems.join('; '));
}

function send(
  response: ServerResponse,
  status: number,
  type: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.headersSent || response.destroyed) return;
  const bytes = Buffer.from(`${JSON.stringify(body)}\n`);
  response.writeHead(status, {
    ...COMMON_HEADERS,
    ...headers,
    'content-type': type,
    'content-length': bytes.length,
  });
  response.end(bytes);
}
