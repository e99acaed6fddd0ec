/**
 * Decides on every CONNECT that names no authentication method: the sources of credentials are asked in turn, and the rule
 * for anonymous clients decides on those of whom no source knows anything.
 *
 *   certificate ─next▶ JWT ─next▶ password file ─next▶ HTTP ─next▶ anonymous rule
 *        │              │               │             │               │
 *        └──────────────┴── allow or deny: that is the decision ──────┘
 */
import { AnonymousRule } from './anonymous-rule.js';
import { AuthenticationCounters } from './authentication-counters.js';
import type { Authenticator, ConnectDecision, ConnectRequest } from './authenticator.js';
import { CertificateJudge } from './certificate-judge.js';
import type { CredentialJudge } from './credential-judge.js';

export interface ChainOptions {
  /** In the order in which they are asked; client certificates stand before them. Default: none. */
  readonly judges?: readonly CredentialJudge[];
  /** Clients can identify themselves in another way, by an authentication method. Default: no. */
  readonly hasMethods?: boolean;
  /** Default: nobody reads them. */
  readonly counters?: AuthenticationCounters;
}

const CERTIFICATES = new CertificateJudge();

export class AuthenticationChain implements Authenticator {
  readonly #judges: readonly CredentialJudge[];
  readonly #anonymousRule: AnonymousRule;
  readonly #counters: AuthenticationCounters;

  /** @param anonymous `auth.anonymous` of the configuration; undefined if it is not set */
  constructor(anonymous: boolean | undefined, options: ChainOptions = {}) {
    const { judges = [], hasMethods = false, counters = new AuthenticationCounters() } = options;
    this.#judges = [CERTIFICATES, ...judges];
    this.#anonymousRule = new AnonymousRule(anonymous, judges.length > 0, hasMethods);
    this.#counters = counters;
    for (const { name } of [...this.#judges, this.#anonymousRule]) counters.add(name);
  }

  authenticate(request: ConnectRequest): ConnectDecision | Promise<ConnectDecision> {
    return this.#ask(0, request);
  }

  #ask(first: number, request: ConnectRequest): ConnectDecision | Promise<ConnectDecision> {
    for (let at = first; at < this.#judges.length; at++) {
      const judge = this.#judges[at] as CredentialJudge;
      const verdict = judge.judge(request);
      if (verdict instanceof Promise) {
        return verdict.then((late) => (late === 'next' ? this.#ask(at + 1, request) : this.#settle(judge.name, late)));
      }
      if (verdict !== 'next') return this.#settle(judge.name, verdict);
    }
    return this.#settle(this.#anonymousRule.name, this.#anonymousRule.decide(request));
  }

  #settle(name: string, decision: ConnectDecision): ConnectDecision {
    this.#counters.count(name, decision.allowed);
    return decision;
  }
}
