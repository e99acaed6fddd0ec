/**
 * The authentication method `JWT`: the client's token is its Authentication Data, and that is all there is to say. By re-authentication
 * (section 4.12.1) a client shows a fresh token before the one that it has shown expires, and stays connected.
 */

import {
  type AuthenticationExchange,
  type AuthenticationMethod,
  type ExchangeClient,
  type ExchangeStep,
  failure,
} from './authentication-method.js';
import type { ConnectDecision } from './authenticator.js';
import { isToken, type TokenVerifier } from './token-verifier.js';

export const TOKEN_METHOD = 'JWT';

export class TokenMethod implements AuthenticationMethod {
  readonly name = TOKEN_METHOD;
  readonly #verifier: TokenVerifier;

  constructor(verifier: TokenVerifier) {
    this.#verifier = verifier;
  }

  begin(client: ExchangeClient): AuthenticationExchange {
    let isAskedToBegin = false;
    const asker = { address: client.remoteAddress ?? '', isWanted: () => !client.isGone() };
    return {
      next: (data) => {
        if (data === undefined || data.length === 0) {
          if (isAskedToBegin) return failure('the client says nothing');
          // RFC 4422 section 5.1: a client that has sent nothing yet is asked to, by an empty challenge.
          isAskedToBegin = true;
          return { outcome: 'continue', data: undefined };
        }
        if (!isToken(data)) return failure('what the client says is no token');
        const decision = this.#verifier.verify(data.toString('latin1'), client, asker);
        return decision instanceof Promise ? decision.then(stepOf) : stepOf(decision);
      },
    };
  }
}

function stepOf(decision: ConnectDecision): ExchangeStep {
  if (decision.allowed) return { outcome: 'success', data: undefined, identity: decision.identity };
  return failure(decision.detail ?? decision.message, decision.why);
}
