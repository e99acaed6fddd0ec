/** Describes the routes as OpenAPI 3.1, from the schemas by which they are served: for generators of clients, and for people. */
import { z } from 'zod';
import { Problem } from './problem.js';
import type { Route } from './route.js';

const PROBLEM = z.object({
  type: z.literal('about:blank'),
  title: z.string(),
  status: z.int(),
  code: z.string().meta({ description: 'Stable; the detail may change.' }),
  detail: z.string(),
});

const SECURITY_SCHEME = { bearer: { type: 'http', scheme: 'bearer' } };

/** @param version of the broker */
export function openApiDocument(routes: readonly Route[], version: string): object {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const operations = paths[route.path] ?? {};
    operations[route.method.toLowerCase()] = operation(route);
    paths[route.path] = operations;
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Millrace administration', version },
    paths,
    components: { securitySchemes: SECURITY_SCHEME, schemas: { Problem: schemaOf(PROBLEM, 'output') } },
  };
}

function operation({ path, summary, isOpen, query, body, answers }: Route): object {
  const parameters = [...pathParameters(path), ...queryParameters(query)];
  const responses: Record<string, object> = {
    default: {
      description: 'A problem document',
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    },
  };
  for (const [status, schema] of Object.entries(answers)) {
    const { document } = new Problem(Number(status), 'not-found', '') as { document: { title?: string } };
    responses[status] = {
      description: document.title ?? '',
      content: { 'application/json': { schema: schemaOf(schema, 'output') } },
    };
  }
  return {
    summary,
    ...(isOpen ? {} : { security: [{ bearer: [] }] }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === null ? {} : { requestBody: { content: { 'application/json': { schema: schemaOf(body, 'input') } } } }),
    responses,
  };
}

function pathParameters(path: string): object[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
}

function queryParameters(query: z.ZodType | null): object[] {
  if (query === null) return [];
  const { properties = {}, required = [] } = schemaOf(query, 'input');
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema,
  }));
}

interface ObjectSchema {
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly required?: readonly string[];
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): ObjectSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest as ObjectSchema;
}
