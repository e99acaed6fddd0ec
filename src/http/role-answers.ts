/** What is told of roles, and what is asked for. */
import { z } from 'zod';

const names = z.array(z.string());

const ruleAnswer = z.object({
  allow: names.optional(),
  deny: names.optional(),
  topic: names.optional(),
  queue: names.optional(),
});

export const roleAnswer = z.object({
  role: z.string(),
  rules: z.array(ruleAnswer).meta({ description: 'In order: the first one that is about it decides.' }),
  users: z.int().meta({ description: 'How many users have it by their name.' }),
  everybody: z.boolean().meta({ description: 'All clients have it.' }),
  anonymous: z.boolean().meta({ description: 'Clients without a user name have it.' }),
});

export const roleList = z.object({
  roles: z.array(roleAnswer),
  cursor: z.string().nullable().meta({ description: 'For the next page; null if there is none.' }),
});

export const roleUserList = z.object({
  users: names,
  cursor: z.string().nullable().meta({ description: 'For the next page; null if there is none.' }),
});

export const deletedRole = z.object({ role: z.string() });

const name = z.string().max(65_535);
const oneOrMore = z.union([name, z.array(name).max(1000)]).optional();

export const roleBody = z.strictObject({
  rules: z
    .array(
      z.strictObject({
        allow: oneOrMore.meta({ description: 'Actions; a rule has either this or deny.' }),
        deny: oneOrMore,
        topic: oneOrMore.meta({ description: 'Filters; a rule has either this or queue.' }),
        queue: oneOrMore.meta({ description: 'Names of queues, in which * stands for any characters.' }),
      }),
    )
    .max(10_000)
    .meta({ description: 'As in access.rolesFile.' }),
});

export type RoleAnswer = z.output<typeof roleAnswer>;
