/** Clients that show a token as their password. The user name may be left out; one that is given has to be the token's. */
import type { ConnectRequest } from './authenticator.js';
import { askerOf, type CredentialJudge, type Verdict } from './credential-judge.js';
import { isToken, type TokenVerifier } from './token-verifier.js';

export class TokenJudge implements CredentialJudge {
  readonly name = 'jwt';
  readonly #verifier: TokenVerifier;

  constructor(verifier: TokenVerifier) {
    this.#verifier = verifier;
  }

  judge(request: ConnectRequest): Verdict | Promise<Verdict> {
    const { password } = request;
    if (!isToken(password)) return 'next';
    return this.#verifier.verify(password.toString('latin1'), request, askerOf(request));
  }
}
