/** `/api/v1/identity`: the broker shows that it is the one whose address file says where it listens. Open: it is asked before a token is shown. */
import { z } from 'zod';
import { CHALLENGE_PATTERN } from './broker-identity.js';
import { type Route, route } from './route.js';

const wantedChallenge = { error: 'expected 16 to 128 letters, digits, - and _' };

const identityQuery = z.strictObject({
  challenge: z.string(wantedChallenge).regex(CHALLENGE_PATTERN, wantedChallenge).meta({
    description: 'Something random.',
  }),
});

export const identityAnswer = z.object({
  proof: z
    .string()
    .meta({ description: 'HMAC-SHA-256 of the challenge, by the secret in the address file; base64url.' }),
});

/** @param prove answers a challenge @throws Problem while there is no address file yet */
export function identityRoute(prove: (challenge: string) => string): Route {
  return route({
    method: 'GET',
    path: '/api/v1/identity',
    summary:
      'Prove to a program that has read the address file of the data directory that this is the broker which wrote it',
    isOpen: true,
    query: identityQuery,
    answers: { 200: identityAnswer },
    handle: ({ query }) => ({ status: 200, body: { proof: prove(query.challenge) } }),
  });
}
