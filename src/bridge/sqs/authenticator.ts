/** Says who makes a request. */
import { ANYBODY, type Caller } from './caller.js';
import type { HttpRequest } from './http-request.js';
import { SqsError } from './sqs-error.js';

export interface Authenticator {
  /** @throws SqsError if nobody is to be served */
  authenticate(request: HttpRequest): Caller;
}

/**
 * Serves everybody who can reach the endpoint, signed or not: for an address of this machine alone. A web page can have the user's browser send
 * requests there as well, which is nobody that we want to serve; browsers say so.
 */
export const openAuthenticator: Authenticator = {
  authenticate({ headers }) {
    if (headers.origin !== undefined || (headers['sec-fetch-site'] ?? 'none') !== 'none') {
      throw new SqsError('AccessDeniedException', 'Requests of web pages are not served.');
    }
    return ANYBODY;
  },
};
