/**
 * Verifies tokens (JWT, RFC 7519) and says who shows them: signature, times, issuer and audience by `jose`; the name, the
 * roles and the rules by the claims that the configuration names. A token that has been verified is remembered until it
 * expires. Tokens appear in no log and no answer.
 */
import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose';
import type { Logger } from 'pino';
import type { Clock } from '../core/clock.js';
import type { NoticeLimit } from '../core/notice-limit.js';
import type { ConnectDecision } from './authenticator.js';
import { type Asker, BUSY, type CheckLane } from './check-lane.js';
import { busy, unavailable, unidentified } from './credential-judge.js';
import { readRoles, readRules, UnusableClaim } from './granted-claims.js';
import type { Grounds } from './identity.js';
import { type Checked, RememberedChecks } from './remembered-checks.js';
import { TOKEN_ALGORITHMS, type TokenAlgorithm } from './token-key.js';
import { type KnownKey, type TokenKeys, UNAVAILABLE } from './token-keys.js';
import { isUsableName } from './usable-name.js';

export interface TokenRules {
  /** Those that are taken, as far as there are keys for them; undefined for all of these. */
  readonly algorithms: readonly TokenAlgorithm[] | undefined;
  readonly issuer: string | undefined;
  /** One of them has to be meant; empty for any. */
  readonly audience: readonly string[];
  /** By how much clocks may differ. */
  readonly clockToleranceMs: number;
  /** Whether a token has to expire. */
  readonly isExpiryRequired: boolean;
  /** Names of claims; parts of them are separated by dots where a claim lies in another. */
  readonly usernameClaim: string;
  readonly rolesClaim: string;
  readonly rulesClaim: string;
  readonly maximumRemembered: number;
}

/** Who shows the token, as far as it says so beside it. */
export interface TokenBearer {
  readonly clientId: string;
  readonly username: string | undefined;
}

export interface TokenSurroundings {
  readonly clock: Clock;
  /** The time of day, as issuers have it: the clock keeps the one that the process was started with. */
  readonly timeOfDayMs: () => number;
  readonly logger: Logger;
  readonly notices: NoticeLimit;
}

type TokenOutcome =
  | { readonly isValid: true; readonly claims: JWTPayload; readonly expiresAtMs: number; readonly grounds: Grounds }
  | { readonly isValid: false; readonly reason: string };

/** Of a token whose claims are remembered: what is longer is verified each time. */
const LONGEST_REMEMBERED = 8192;
/** A token that never expires is verified again now and then. */
const LONGEST_MEMORY_MS = 3_600_000;
/** Keys without a name that are tried for one token. */
const MOST_TRIED_KEYS = 8;

export class TokenVerifier {
  readonly #keys: TokenKeys;
  readonly #rules: TokenRules;
  readonly #checks: RememberedChecks<TokenOutcome>;
  readonly #surroundings: TokenSurroundings;

  constructor(keys: TokenKeys, rules: TokenRules, lane: CheckLane, surroundings: TokenSurroundings) {
    this.#keys = keys;
    this.#rules = rules;
    this.#checks = new RememberedChecks(lane, rules.maximumRemembered, surroundings.clock);
    this.#surroundings = surroundings;
  }

  /** The keys are others: what was verified with those before has to be verified again. */
  forget(): void {
    this.#checks.clear();
  }

  /** @param asker who waits for the answer */
  verify(token: string, bearer: TokenBearer, asker: Asker): ConnectDecision | Promise<ConnectDecision> {
    const key = this.#checks.keyOf(token);
    const known = this.#checks.find(key);
    return known === undefined ? this.#check(key, token, bearer, asker) : this.#decide(known, bearer);
  }

  *figures(): Generator<readonly [topic: string, value: number]> {
    yield ['authentication/jwt/remembered', this.#checks.hits];
  }

  async #check(key: string, token: string, bearer: TokenBearer, asker: Asker): Promise<ConnectDecision> {
    const header = headerOf(token);
    if (header === null) return unidentified('the token has no header with an algorithm that is known');
    const { algorithm, id } = header;
    if (this.#rules.algorithms?.includes(algorithm) === false) {
      return unidentified(`tokens with algorithm ${algorithm} are not taken`);
    }
    const keys = await this.#keys.find(algorithm, id);
    if (keys === UNAVAILABLE) return unavailable('there are no keys to verify tokens with');
    if (keys.length === 0)
      return unidentified(`there is no key for algorithm ${algorithm} and the key id of the token`);
    const outcome = await this.#checks.check(key, asker, () => this.#verifyWith(keys, algorithm, token));
    return outcome === BUSY ? busy('too many tokens are being verified') : this.#decide(outcome, bearer);
  }

  async #verifyWith(
    keys: readonly KnownKey[],
    algorithm: TokenAlgorithm,
    token: string,
  ): Promise<Checked<TokenOutcome>> {
    const { issuer, audience, clockToleranceMs, isExpiryRequired } = this.#rules;
    const { clock, timeOfDayMs } = this.#surroundings;
    const nowMs = timeOfDayMs();
    const options = {
      algorithms: [algorithm],
      currentDate: new Date(nowMs),
      clockTolerance: clockToleranceMs / 1000,
      ...(issuer === undefined ? {} : { issuer }),
      ...(audience.length === 0 ? {} : { audience: [...audience] }),
      ...(isExpiryRequired ? { requiredClaims: ['exp'] } : {}),
    };
    let reason = '';
    for (const grounds of keys.slice(0, MOST_TRIED_KEYS)) {
      try {
        const { payload: claims } = await jwtVerify(token, grounds.key.key, options);
        const leftMs =
          claims.exp === undefined ? Number.POSITIVE_INFINITY : claims.exp * 1000 + clockToleranceMs - nowMs;
        const expiresAtMs = clock.now() + leftMs;
        const rememberUntilMs =
          token.length > LONGEST_REMEMBERED ? 0 : clock.now() + Math.min(leftMs, LONGEST_MEMORY_MS);
        return { outcome: { isValid: true, claims, expiresAtMs, grounds }, rememberUntilMs, isWrong: false };
      } catch (error) {
        reason = reasonOf(error);
        // Another key may have signed it; what else is wrong with it stays so.
        if (!(error instanceof errors.JWSSignatureVerificationFailed)) break;
      }
    }
    return { outcome: { isValid: false, reason }, rememberUntilMs: 0, isWrong: true };
  }

  #decide(outcome: TokenOutcome, { clientId, username: given }: TokenBearer): ConnectDecision {
    if (!outcome.isValid) return unidentified(`the token is refused: ${outcome.reason}`);
    const { claims, expiresAtMs, grounds } = outcome;
    const { usernameClaim, rolesClaim, rulesClaim } = this.#rules;
    const username = claimAt(claims, usernameClaim);
    if (!isUsableName(username)) return this.#unusable(usernameClaim, 'is no user name');
    if (given !== undefined && given !== username) {
      return unidentified(`the token is for user ${JSON.stringify(username)}, not for ${JSON.stringify(given)}`);
    }
    const roles = readRoles(claimAt(claims, rolesClaim));
    if (roles instanceof UnusableClaim) return this.#unusable(rolesClaim, roles.reason, username);
    const rules = readRules(claimAt(claims, rulesClaim), { clientId, username });
    if (rules instanceof UnusableClaim) return this.#unusable(rulesClaim, rules.reason, username);
    return { allowed: true, identity: { username, roles, rules, expiresAtMs, grounds } };
  }

  /** Nobody but the operator can mend that. */
  #unusable(claim: string, reason: string, username?: string): ConnectDecision {
    const { logger, notices } = this.#surroundings;
    const keptBack = notices.offer(`unusable claim ${claim}`);
    if (keptBack !== null)
      logger.warn({ claim, username, reason, keptBack }, `a token is refused: its claim ${claim} ${reason}`);
    return unidentified(`the claim ${claim} of the token ${reason}`);
  }
}

/** Whether `password` is a token, good or bad: nobody's password looks so. */
export function isToken(password: Buffer | undefined): password is Buffer {
  if (password === undefined || password.length < 16 || password[0] !== 0x65) return false;
  return (
    /^[\w-]+\.[\w-]*\.[\w-]*$/.test(password.toString('latin1')) && headerTextOf(password.toString('latin1')) !== null
  );
}

function headerTextOf(token: string): { readonly alg?: unknown; readonly kid?: unknown } | null {
  try {
    return decodeProtectedHeader(token);
  } catch {
    return null;
  }
}

/** @returns null for an algorithm that is not known, `none` among them */
function headerOf(token: string): { readonly algorithm: TokenAlgorithm; readonly id: string | undefined } | null {
  const header = headerTextOf(token);
  const algorithm = TOKEN_ALGORITHMS.find((name) => name === header?.alg);
  if (algorithm === undefined) return null;
  return { algorithm, id: typeof header?.kid === 'string' ? header.kid : undefined };
}

/** The claim by its whole name, or down the parts of its name. */
function claimAt(claims: JWTPayload, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  let value: unknown = claims;
  for (const part of name.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string, unknown>)[part];
  }
  return value;
}

/** What `jose` says names claims and algorithms, and shows none of their values. */
function reasonOf(error: unknown): string {
  return error instanceof errors.JOSEError ? error.message : 'it cannot be read';
}
