/** What is told of bans. */
import { z } from 'zod';
import { moment } from './moment.js';

/** Whom a ban is about. */
export const BAN_KINDS = ['client', 'user', 'address'] as const;

export const banAnswer = z.object({
  kind: z.enum(BAN_KINDS),
  value: z.string().meta({ description: 'A client id, a user name, or an address or range of them.' }),
  origin: z.enum(['configuration', 'administration', 'flapping']).meta({
    description:
      'configuration: it alone can lift the ban. flapping: set by the broker itself, and forgotten with the process.',
  }),
  reason: z.string().nullable(),
  since: moment.nullable().meta({ description: 'null for one of the configuration.' }),
  until: moment.nullable().meta({ description: 'null if it has no end.' }),
});

export const banList = z.object({
  bans: z.array(banAnswer),
  cursor: z.string().nullable().meta({ description: 'For the next page; null if there is none.' }),
});

export type BanKindAnswer = (typeof BAN_KINDS)[number];
export type BanAnswer = z.output<typeof banAnswer>;
export type BanListAnswer = z.output<typeof banList>;
