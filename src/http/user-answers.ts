/** What is told of users. */
import { z } from 'zod';

export const userAnswer = z.object({
  username: z.string(),
  credentials: z.array(z.string()).meta({
    description: 'What is kept of the password: sha512-pbkdf2, sha512, argon2id, SCRAM-SHA-256, SCRAM-SHA-512.',
  }),
  roles: z.array(z.string()).meta({ description: 'Given to the user by name in access.rolesFile.' }),
});

export const userList = z.object({
  users: z.array(userAnswer),
  cursor: z.string().nullable().meta({ description: 'For the next page; null if there is none.' }),
});

export const deletedUser = z.object({ username: z.string() });

export type UserAnswer = z.output<typeof userAnswer>;
