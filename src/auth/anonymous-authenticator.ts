/**
 * The rule of a broker without configured credentials: everybody may connect, or everybody from this machine, or nobody.
 * Safe by default: a listener that others can reach refuses clients until the operator has said otherwise. A client whose
 * certificate says its user name is not anonymous.
 */
import type { Authenticator, ConnectDecision, ConnectRequest } from './authenticator.js';
import { identityOf } from './identity.js';

export class AnonymousAuthenticator implements Authenticator {
  readonly #anonymous: boolean | undefined;

  /** @param anonymous `auth.anonymous` of the configuration; undefined allows loopback listeners only */
  constructor(anonymous: boolean | undefined) {
    this.#anonymous = anonymous;
  }

  authenticate(request: ConnectRequest): ConnectDecision {
    const certified = request.certificate?.username ?? null;
    if (certified !== null || (this.#anonymous ?? request.isLoopback)) {
      return { allowed: true, identity: identityOf(request.username ?? null) };
    }
    return {
      allowed: false,
      why: 'forbidden',
      message: `anonymous clients are not allowed on listener "${request.listenerName}" (setting auth.anonymous)`,
    };
  }
}
