/** One thing that can be asked for by HTTP: where, by whom, with what, and what comes back. The OpenAPI document is made of it. */
import type { z } from 'zod';

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** What a handler gets: everything is checked. */
export interface RouteRequest<Query = unknown, Body = unknown> {
  /** The value of `{name}` in the path. @throws RangeError if the path has no such part */
  parameter(name: string): string;
  readonly query: Query;
  readonly body: Body;
}

export interface Answer {
  readonly status: number;
  /** Sent as JSON. */
  readonly body: unknown;
}

export interface Route {
  readonly method: Method;
  /** `/api/v1/queues/{queue}/purge` */
  readonly path: string;
  /** One line, for the OpenAPI document. */
  readonly summary: string;
  /** Served without a token, and while the broker starts and stops. */
  readonly isOpen: boolean;
  readonly query: z.ZodType | null;
  readonly body: z.ZodType | null;
  /** By status: what the body of the answer is. */
  readonly answers: Readonly<Record<number, z.ZodType>>;
  readonly handle: (request: RouteRequest) => Answer | Promise<Answer>;
}

interface RouteDefinition<Query extends z.ZodType, Body extends z.ZodType> {
  readonly method: Method;
  readonly path: string;
  readonly summary: string;
  readonly isOpen?: boolean;
  readonly query?: Query;
  readonly body?: Body;
  readonly answers: Readonly<Record<number, z.ZodType>>;
  readonly handle: (request: RouteRequest<z.output<Query>, z.output<Body>>) => Answer | Promise<Answer>;
}

/** Lets the handler know the types of what its schemas have checked. */
export function route<Query extends z.ZodType, Body extends z.ZodType>(
  definition: RouteDefinition<Query, Body>,
): Route {
  const { method, path, summary, isOpen = false, query = null, body = null, answers } = definition;
  const handle = definition.handle as Route['handle'];
  return { method, path, summary, isOpen, query, body, answers, handle };
}
