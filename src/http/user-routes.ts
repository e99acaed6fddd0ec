/** `/api/v1/users`: the users of `auth.passwordFile` and `auth.scram`. What is kept of a password is told by its name alone. */
import type { Logger } from 'pino';
import { z } from 'zod';
import { LONGEST_PASSWORD, type UserAdministration } from '../auth/administration/user-administration.js';
import { MAXIMUM_ITERATIONS, PASSWORD_HASHES } from '../auth/password-hash.js';
import { pageParameters } from './page-parameters.js';
import { type Route, route } from './route.js';
import { deletedUser, userAnswer, userList } from './user-answers.js';

const USERS = '/api/v1/users';
const ONE = `${USERS}/{username}`;

const userBody = z.strictObject({
  password: z.string().min(1).max(LONGEST_PASSWORD),
  hash: z.enum(PASSWORD_HASHES).optional().meta({ description: 'Of auth.passwordFile; sha512-pbkdf2 unless given.' }),
  iterations: z
    .int()
    .min(1)
    .max(MAXIMUM_ITERATIONS)
    .optional()
    .meta({ description: 'Of sha512-pbkdf2; 1000 unless given.' }),
});

/** @param users once there are some: not before the broker serves clients */
export function userRoutes(users: () => UserAdministration, logger: Logger): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: USERS,
      summary: 'All users of the files that the configuration names',
      query: pageParameters(),
      answers: { 200: userList },
      handle: ({ query: { limit, cursor } }) => ({ status: 200, body: users().list(limit, cursor) }),
    }),
    route({
      method: 'GET',
      path: ONE,
      summary: 'One user',
      answers: { 200: userAnswer },
      handle: ({ parameter }) => ({ status: 200, body: users().describe(parameter('username')) }),
    }),
    route({
      method: 'PUT',
      path: ONE,
      summary: 'Create a user, or change the password of one, whose connections are ended',
      body: userBody,
      answers: { 200: userAnswer, 201: userAnswer },
      handle: async ({ parameter, body: { password, hash, iterations } }) => {
        const username = parameter('username');
        const { user, isNew } = await users().put(username, password, { hash, iterations });
        logger.info({ username }, isNew ? 'a user was created' : 'the password of a user was changed');
        return { status: isNew ? 201 : 200, body: user };
      },
    }),
    route({
      method: 'DELETE',
      path: ONE,
      summary: 'Delete a user, and end the connections of it',
      answers: { 200: deletedUser },
      handle: async ({ parameter }) => {
        const username = parameter('username');
        await users().delete(username);
        logger.info({ username }, 'a user was deleted');
        return { status: 200, body: { username } };
      },
    }),
  ];
}
