/** Says who makes a request. */
import { ANYBODY, type Caller } from './caller.js';
import type { HttpRequest } from './http-request.js';
import { SqsError } from './sqs-error.js';

export interface Authenticator {
  /** @throws SqsError if nobody is to be served */
  authenticate(request: HttpRequest): Caller;
}

/** `name`, `name:port`, `[address]`, `[address]:port` */
const AUTHORITY = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:@/?#[\]]+))(?::\d{1,5})?$/;

/**
 * Serves everybody who can reach the endpoint, signed or not: for an address of this machine alone. A web page can have the user's browser send
 * requests there as well, which is nobody that we want to serve: browsers say so, or they name the host of the page, if that has
 * made its own name lead here.
 */
export class OpenAuthenticator implements Authenticator {
  readonly #isOurName: (host: string) => boolean;

  /** @param isOurName whether a host without its port can only mean this endpoint */
  constructor(isOurName: (host: string) => boolean) {
    this.#isOurName = isOurName;
  }

  authenticate({ headers }: HttpRequest): Caller {
    if (headers.origin !== undefined || (headers['sec-fetch-site'] ?? 'none') !== 'none') {
      throw new SqsError('AccessDeniedException', 'Requests of web pages are not served.');
    }
    const [, address, name = ''] = AUTHORITY.exec(headers.host ?? '') ?? [];
    if (!this.#isOurName(address ?? name)) {
      throw new SqsError('AccessDeniedException', 'Unsigned requests are served by address, or as localhost, only.');
    }
    return ANYBODY;
  }
}
