/** `/api/v1/queues`: what can be asked of queues and done to them, by HTTP. */
import type { Logger } from 'pino';
import { z } from 'zod';
import { messagePage } from './message-answer.js';
import { numberParameter } from './number-parameter.js';
import { pageParameters } from './page-parameters.js';
import { payloadBytesParameter } from './payload-bytes-parameter.js';
import type { QueueAdministration } from './queue-administration.js';
import { purgeAnswer, queueDetail, queueList, redriveAnswer } from './queue-answers.js';
import { type Route, route } from './route.js';

const QUEUES = '/api/v1/queues';
const ONE = `${QUEUES}/{queue}`;

/** Fast enough to be done soon, slow enough for workers that have just failed on the same messages. */
const DEFAULT_REDRIVE_RATE = 100;

/** Most payloads of devices are shorter, and a page of longer ones is still read by people. */
const DEFAULT_PAYLOAD_BYTES = 64 * 1024;
const MOST_MESSAGES = 100;

const wantedCursor = { error: 'expected a cursor that a page before has given' };

const peekQuery = z.strictObject({
  limit: numberParameter(1, MOST_MESSAGES, 10),
  cursor: z
    .string()
    .regex(/^\d{1,15}$/, wantedCursor)
    .optional(),
  state: z.enum(['ready', 'in-flight', 'delayed'], { error: 'expected one of ready, in-flight, delayed' }).optional(),
  group: z.string().optional(),
  payloadBytes: payloadBytesParameter(DEFAULT_PAYLOAD_BYTES),
});

const MOST_CHOSEN = 1000;

const redriveBody = z.strictObject({
  ids: z
    .array(z.string().min(1).max(1024))
    .min(1)
    .max(MOST_CHOSEN)
    .optional()
    .meta({ description: 'Only the messages with these ids; all that are ready unless given.' }),
  target: z.string().min(1).max(80).optional().meta({
    description: 'Queue that gets all the messages. Unless given, each goes to where it came from.',
  }),
  perSecond: z
    .number()
    .positive()
    .max(1_000_000)
    .default(DEFAULT_REDRIVE_RATE)
    .meta({ description: 'Messages moved in a second at most.' }),
});

/** @param queues once there are some: not before the store has been read */
export function queueRoutes(queues: () => QueueAdministration, logger: Logger): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: QUEUES,
      summary: 'All queues, with what is in them',
      query: pageParameters(),
      answers: { 200: queueList },
      handle: ({ query: { limit, cursor } }) => ({ status: 200, body: queues().list(limit, cursor) }),
    }),
    route({
      method: 'GET',
      path: ONE,
      summary: 'One queue: its options, what is in it, what has become of its messages',
      answers: { 200: queueDetail },
      handle: ({ parameter }) => ({ status: 200, body: queues().describe(parameter('queue')) }),
    }),
    route({
      method: 'GET',
      path: `${ONE}/messages`,
      summary: 'Look at messages in order of their numbers, and take none',
      query: peekQuery,
      answers: { 200: messagePage },
      handle: async ({ parameter, query: { limit, cursor, state, group, payloadBytes } }) => {
        const options = {
          max: limit,
          ...(cursor === undefined ? {} : { afterSequence: Number(cursor) }),
          ...(state === undefined ? {} : { state }),
          ...(group === undefined ? {} : { group }),
        };
        return { status: 200, body: await queues().peek(parameter('queue'), options, payloadBytes) };
      },
    }),
    route({
      method: 'POST',
      path: `${ONE}/purge`,
      summary: 'Give up all messages of a queue, those in flight included',
      answers: { 200: purgeAnswer },
      handle: async ({ parameter }) => {
        const answer = await queues().purge(parameter('queue'));
        logger.info(answer, 'a queue was purged');
        return { status: 200, body: answer };
      },
    }),
    route({
      method: 'POST',
      path: `${ONE}/redrive`,
      summary: 'Begin to bring dead letters back',
      body: redriveBody,
      answers: { 202: redriveAnswer },
      handle: async ({ parameter, body }) => {
        const queue = parameter('queue');
        const { target, ids, perSecond } = body;
        const answer = await queues().startRedrive(queue, {
          perSecond,
          ...(target === undefined ? {} : { target }),
          ...(ids === undefined ? {} : { ids }),
        });
        logger.info({ queue, ...answer }, 'a redrive was started');
        return { status: 202, body: answer };
      },
    }),
    route({
      method: 'GET',
      path: `${ONE}/redrive`,
      summary: 'How far the redrive has come that is running, or how the last one ended',
      answers: { 200: redriveAnswer },
      handle: ({ parameter }) => ({ status: 200, body: queues().redrive(parameter('queue')) }),
    }),
    route({
      method: 'DELETE',
      path: `${ONE}/redrive`,
      summary: 'Cancel the redrive that is running; what has been moved stays moved',
      answers: { 200: redriveAnswer },
      handle: ({ parameter }) => {
        const queue = parameter('queue');
        const answer = queues().cancelRedrive(queue);
        logger.info({ queue, ...answer }, 'a redrive was cancelled');
        return { status: 200, body: answer };
      },
    }),
  ];
}
