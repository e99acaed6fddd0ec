/**
 * Decides on clients of whom no source of credentials knows anything: everybody may connect, or nobody, or, while nothing
 * is configured at all, everybody from this machine. Safe by default: a listener that others can reach refuses
 * clients until the operator has said otherwise.
 *
 * A name that nobody has checked is nobody's: such a client has no user name, whatever it says.
 */
import type { ConnectDecision, ConnectRequest } from './authenticator.js';
import { unidentified } from './credential-judge.js';
import { identityOf } from './identity.js';

export class AnonymousRule {
  readonly name = 'anonymous';
  readonly #anonymous: boolean | undefined;
  readonly #areNamesJudged: boolean;
  readonly #hasCredentials: boolean;

  /**
   * @param anonymous `auth.anonymous` of the configuration; undefined if it is not set
   * @param areNamesJudged a source has been asked who the client is, and did not know the name
   * @param hasMethods clients can identify themselves by an authentication method
   */
  constructor(anonymous: boolean | undefined, areNamesJudged: boolean, hasMethods: boolean) {
    this.#anonymous = anonymous;
    this.#areNamesJudged = areNamesJudged;
    this.#hasCredentials = areNamesJudged || hasMethods;
  }

  decide({ username, listenerName, isLoopback }: ConnectRequest): ConnectDecision {
    if (username !== undefined && this.#areNamesJudged) {
      return unidentified(`nothing that is configured vouches for user ${JSON.stringify(username)}`);
    }
    if (this.#anonymous ?? (isLoopback && !this.#hasCredentials)) return { allowed: true, identity: identityOf(null) };
    return {
      allowed: false,
      why: 'forbidden',
      message: `anonymous clients are not allowed on listener "${listenerName}" (setting auth.anonymous)`,
    };
  }
}
