/** `/api/v1/history`, and that of one queue: messages are searched for, those included that have left. */
import { z } from 'zod';
import type { TraceQuery } from '../queues/history/trace-query.js';
import { numberParameter } from './number-parameter.js';
import { payloadBytesParameter } from './payload-bytes-parameter.js';
import type { QueueAdministration } from './queue-administration.js';
import { type Route, route } from './route.js';
import { traceAnswer } from './trace-answer.js';

/** As for a look at messages; of each there may be two hundred events beside. */
const MOST_MESSAGES = 100;
const DEFAULT_MESSAGES = 20;

/** Enough to know it by: what is asked for is what happened to it. */
const DEFAULT_PAYLOAD_BYTES = 1024;

const ORDERS = ['newest-first', 'oldest-first'] as const;

const wantedTime = { error: 'expected a time such as 2026-03-01T12:00:00Z; the + of a time zone is %2B in an address' };

const time = z.iso.datetime({ offset: true, ...wantedTime }).transform((text) => Date.parse(text));
const term = z.string().min(1, { error: 'is empty' }).max(65_535);

const parameters = z.strictObject({
  id: term.optional().meta({ description: 'Of the message. It stays the same in every queue that it comes to.' }),
  key: term.optional().meta({ description: 'As the rule, or whoever enqueued the message, has set it.' }),
  topic: term.optional().meta({ description: 'To which the message was published, or a filter with + and #.' }),
  from: time.optional().meta({ description: 'It came into the queue then or later,' }),
  to: time.optional().meta({ description: 'and before this time.' }),
  order: z
    .enum(ORDERS, { error: `expected one of ${ORDERS.join(', ')}` })
    .default('newest-first')
    .meta({ description: 'By when messages came into the queue.' }),
  limit: numberParameter(1, MOST_MESSAGES, DEFAULT_MESSAGES),
  cursor: z.string().max(80).optional().meta({ description: 'Of the page before, with everything else as it was.' }),
  payloadBytes: payloadBytesParameter(DEFAULT_PAYLOAD_BYTES),
});

const searchQuery = parameters.refine(({ from, to }) => from === undefined || to === undefined || from < to, {
  path: ['from'],
  error: 'has to be before to',
});

export function historyRoutes(queues: () => QueueAdministration): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/v1/history',
      summary: 'Search the history of all queues for messages, and show what happened to each',
      query: searchQuery,
      answers: { 200: traceAnswer },
      handle: async ({ query }) => ({
        status: 200,
        body: await queues().search(traceQueryOf(query), query.payloadBytes),
      }),
    }),
    route({
      method: 'GET',
      path: '/api/v1/queues/{queue}/history',
      summary:
        'Search the history of one queue for messages, and show what happened to each; also of a queue that is gone',
      query: searchQuery,
      answers: { 200: traceAnswer },
      handle: async ({ parameter, query }) => {
        const ofQueue = { ...traceQueryOf(query), queue: parameter('queue') };
        return { status: 200, body: await queues().search(ofQueue, query.payloadBytes) };
      },
    }),
  ];
}

function traceQueryOf({ id, key, topic, from, to, order, limit, cursor }: z.output<typeof searchQuery>): TraceQuery {
  return {
    order,
    limit,
    ...(id === undefined ? {} : { id }),
    ...(key === undefined ? {} : { key }),
    ...(topic === undefined ? {} : { topic }),
    ...(from === undefined ? {} : { fromMs: from }),
    ...(to === undefined ? {} : { toMs: to }),
    ...(cursor === undefined ? {} : { cursor }),
  };
}
