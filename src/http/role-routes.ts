/** `/api/v1/roles`: the roles of `access.rolesFile`, their rules, and who has them. */
import type { Logger } from 'pino';
import type { Grantee } from '../auth/access/role-document.js';
import type { RoleAdministration } from '../auth/administration/role-administration.js';
import { pageParameters } from './page-parameters.js';
import { deletedRole, roleAnswer, roleBody, roleList, roleUserList } from './role-answers.js';
import { type Route, type RouteRequest, route } from './route.js';

const ROLES = '/api/v1/roles';
const ONE = `${ROLES}/{role}`;

/** @param roles once there are some: not before the broker serves clients */
export function roleRoutes(roles: () => RoleAdministration, logger: Logger): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: ROLES,
      summary: 'All roles, with their rules',
      query: pageParameters(),
      answers: { 200: roleList },
      handle: ({ query: { limit, cursor } }) => ({ status: 200, body: roles().list(limit, cursor) }),
    }),
    route({
      method: 'GET',
      path: ONE,
      summary: 'One role',
      answers: { 200: roleAnswer },
      handle: ({ parameter }) => ({ status: 200, body: roles().describe(parameter('role')) }),
    }),
    route({
      method: 'PUT',
      path: ONE,
      summary: 'Create a role, or give one other rules; they hold at once for everybody who has it',
      body: roleBody,
      answers: { 200: roleAnswer, 201: roleAnswer },
      handle: async ({ parameter, body: { rules } }) => {
        const { role, isNew } = await roles().put(parameter('role'), rules);
        logger.info({ role: role.role, rules: role.rules.length }, isNew ? 'a role was created' : 'a role was changed');
        return { status: isNew ? 201 : 200, body: role };
      },
    }),
    route({
      method: 'DELETE',
      path: ONE,
      summary: 'Delete a role that nobody has',
      answers: { 200: deletedRole },
      handle: async ({ parameter }) => {
        const role = parameter('role');
        await roles().delete(role);
        logger.info({ role }, 'a role was deleted');
        return { status: 200, body: { role } };
      },
    }),
    route({
      method: 'GET',
      path: `${ONE}/users`,
      summary: 'The users who have a role by their name',
      query: pageParameters(),
      answers: { 200: roleUserList },
      handle: ({ parameter, query: { limit, cursor } }) => ({
        status: 200,
        body: roles().usersOf(parameter('role'), limit, cursor),
      }),
    }),
    ...grantRoutes(roles, logger, `${ONE}/users/{username}`, 'a user', ({ parameter }) => ({
      kind: 'user',
      username: parameter('username'),
    })),
    ...grantRoutes(roles, logger, `${ONE}/everybody`, 'all clients', () => ({ kind: 'everybody' })),
    ...grantRoutes(roles, logger, `${ONE}/anonymous`, 'clients without a user name', () => ({ kind: 'anonymous' })),
  ];
}

function grantRoutes(
  roles: () => RoleAdministration,
  logger: Logger,
  path: string,
  whom: string,
  granteeOf: (request: RouteRequest) => Grantee,
): readonly Route[] {
  return [
    route({
      method: 'PUT',
      path,
      summary: `Give a role to ${whom}`,
      answers: { 200: roleAnswer },
      handle: async (request) => {
        const [role, grantee] = [request.parameter('role'), granteeOf(request)];
        await roles().grant(role, grantee);
        logger.info({ role, to: grantee }, 'a role was given');
        return { status: 200, body: roles().describe(role) };
      },
    }),
    route({
      method: 'DELETE',
      path,
      summary: `Take a role from ${whom}`,
      answers: { 200: roleAnswer },
      handle: async (request) => {
        const [role, grantee] = [request.parameter('role'), granteeOf(request)];
        await roles().revoke(role, grantee);
        logger.info({ role, from: grantee }, 'a role was taken away');
        return { status: 200, body: roles().describe(role) };
      },
    }),
  ];
}
