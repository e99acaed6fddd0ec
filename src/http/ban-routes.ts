/** `/api/v1/bans`: who is banned while the broker runs. */
import type { Logger } from 'pino';
import { z } from 'zod';
import type { BanAdministration } from './ban-administration.js';
import { BAN_KINDS, type BanKindAnswer, banAnswer, banList } from './ban-answers.js';
import { pageParameters } from './page-parameters.js';
import { Problem } from './problem.js';
import { type Route, route } from './route.js';

const BANS = '/api/v1/bans';
const ONE = `${BANS}/{kind}/{value}`;

/** A hundred years: what is meant to last for longer needs no end. */
const LONGEST_BAN_MS = 100 * 365 * 24 * 3_600_000;

const banBody = z.strictObject({
  reason: z.string().max(1000).optional().meta({ description: 'For those who look at the list, and for the log.' }),
  forMs: z
    .int()
    .min(1)
    .max(LONGEST_BAN_MS)
    .optional()
    .meta({ description: 'How long; until it is lifted unless given.' }),
});

export function banRoutes(bans: () => BanAdministration, logger: Logger): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: BANS,
      summary: 'All bans that are in force',
      query: pageParameters(),
      answers: { 200: banList },
      handle: ({ query: { limit, cursor } }) => ({ status: 200, body: bans().list(limit, cursor) }),
    }),
    route({
      method: 'PUT',
      path: ONE,
      summary: 'Ban a client id, a user or an address, and end the connections that it is about; or change such a ban',
      body: banBody,
      answers: { 200: banAnswer, 201: banAnswer },
      handle: async ({ parameter, body }) => {
        const { ban, isNew } = await bans().put({
          kind: kindOf(parameter('kind')),
          value: parameter('value'),
          ...body,
        });
        return { status: isNew ? 201 : 200, body: ban };
      },
    }),
    route({
      method: 'DELETE',
      path: ONE,
      summary: 'Lift a ban',
      answers: { 200: banAnswer },
      handle: async ({ parameter }) => {
        const answer = await bans().delete(kindOf(parameter('kind')), parameter('value'));
        logger.info({ kind: answer.kind, value: answer.value }, 'a ban was lifted');
        return { status: 200, body: answer };
      },
    }),
  ];
}

function kindOf(text: string): BanKindAnswer {
  const kind = BAN_KINDS.find((each) => each === text);
  if (kind !== undefined) return kind;
  throw new Problem(400, 'invalid-parameter', `kind: expected one of ${BAN_KINDS.join(', ')}`);
}
