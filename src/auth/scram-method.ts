/**
 * SCRAM-SHA-256 and SCRAM-SHA-512 (RFC 5802, RFC 7677) without channel binding. Neither side sends the password, and the broker has not
 * got it: the client proves that it knows it, the broker proves that it holds what was made from it.
 *
 * Who is asked for a user that does not exist answers as for one that does, with a salt of its own for each name, and
 * fails at the end: user names cannot be found out. Checking a proof costs a few hashes, whatever the iteration count.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import {
  type AuthenticationExchange,
  type AuthenticationMethod,
  type ExchangeStep,
  failure,
} from './authentication-method.js';
import { identityOf } from './identity.js';
import { saslprep, UnpreparedText } from './saslprep.js';
import { MINIMUM_ITERATIONS, type ScramCredential, type ScramKeys } from './scram-credential.js';
import { digest, hmac, type ScramMechanism } from './scram-mechanism.js';
import { type ClientFirst, InvalidScramMessage, parseClientFinal, parseClientFirst } from './scram-messages.js';
import { type KnownUser, type UsersInForce, UserTable } from './user-table.js';

/** As many random bits as a salt of 16 bytes has; a multiple of three bytes leaves no padding. */
const NONCE_BYTES = 18;
const SALT_BYTES = 16;
const SECRET_BYTES = 32;

export interface ScramOptions {
  /** A fresh nonce: printable ASCII without comma. Default: random. */
  readonly newNonce?: () => string;
  /** What the salts of unknown users are made from. Default: random, so that nobody can compute them. */
  readonly secret?: Buffer;
}

export class ScramMethod implements AuthenticationMethod {
  readonly name: string;
  readonly #mechanism: ScramMechanism;
  readonly #users: UserTable<ScramCredential>;
  readonly #newNonce: () => string;
  readonly #secret: Buffer;
  #usualIterations: number;

  /** @param users by name, as `saslprep` returns it */
  constructor(mechanism: ScramMechanism, users: ReadonlyMap<string, ScramCredential>, options: ScramOptions = {}) {
    this.name = mechanism.name;
    this.#mechanism = mechanism;
    this.#users = new UserTable(users);
    this.#newNonce = options.newNonce ?? (() => randomBytes(NONCE_BYTES).toString('base64'));
    this.#secret = options.secret ?? randomBytes(SECRET_BYTES);
    this.#usualIterations = mostFrequentIterations(users.values());
  }

  get users(): UsersInForce<ScramCredential> {
    return this.#users;
  }

  begin(): ScramExchange {
    return new ScramExchange(this.#mechanism, this.#newNonce(), (username) => this.#find(username));
  }

  /** Takes the place of those before. @returns how many users have lost what they were let in by */
  replaceUsers(users: ReadonlyMap<string, ScramCredential>): number {
    this.#usualIterations = mostFrequentIterations(users.values());
    return this.#users.replace(users);
  }

  #find(username: string): FoundUser {
    // Made for known users too, so that the time tells nothing.
    const standIn = this.#standIn(username);
    const known = this.#users.find(username) ?? null;
    return { username, known, keys: known?.credential ?? standIn };
  }

  /** Keys that no password has. The same salt for the same name, as a real user has. */
  #standIn(username: string): ScramKeys {
    const storedKey = hmac(this.#mechanism, this.#secret, `key:${username}`);
    const salt = hmac(this.#mechanism, this.#secret, `salt:${username}`).subarray(0, SALT_BYTES);
    return { iterations: this.#usualIterations, salt, storedKey, serverKey: storedKey };
  }
}

interface FoundUser {
  readonly username: string;
  /** Null for a name that is not there. */
  readonly known: KnownUser<ScramCredential> | null;
  readonly keys: ScramKeys;
}

interface Challenge {
  readonly user: FoundUser;
  readonly first: ClientFirst;
  /** The client's, and ours behind it. */
  readonly nonce: string;
  readonly serverFirst: string;
}

export class ScramExchange implements AuthenticationExchange {
  readonly #mechanism: ScramMechanism;
  readonly #serverNonce: string;
  readonly #find: (username: string) => FoundUser;
  #isAskedToBegin = false;
  #challenge: Challenge | null = null;

  constructor(mechanism: ScramMechanism, serverNonce: string, find: (username: string) => FoundUser) {
    this.#mechanism = mechanism;
    this.#serverNonce = serverNonce;
    this.#find = find;
  }

  next(data: Buffer | undefined): ExchangeStep {
    if (this.#challenge !== null) return this.#verify(this.#challenge, data ?? Buffer.alloc(0));
    if (data !== undefined && data.length > 0) return this.#begin(data);
    if (this.#isAskedToBegin) return failure('the client says nothing');
    // RFC 4422 section 5.1: a client that has sent nothing yet is asked to, by an empty challenge.
    this.#isAskedToBegin = true;
    return { outcome: 'continue', data: undefined };
  }

  #begin(data: Buffer): ExchangeStep {
    const first = parseClientFirst(data);
    if (first instanceof InvalidScramMessage) return failure(first.reason);
    const username = saslprep(first.username, 'query');
    if (username instanceof UnpreparedText) return failure(`the user name ${username.reason}`);
    const user = this.#find(username);
    const { salt, iterations } = user.keys;
    const nonce = first.nonce + this.#serverNonce;
    const serverFirst = `r=${nonce},s=${salt.toString('base64')},i=${iterations}`;
    this.#challenge = { user, first, nonce, serverFirst };
    return { outcome: 'continue', data: Buffer.from(serverFirst) };
  }

  #verify({ user, first, nonce, serverFirst }: Challenge, data: Buffer): ExchangeStep {
    const final = parseClientFinal(data, this.#mechanism.keyBytes);
    if (final instanceof InvalidScramMessage) return failure(final.reason);
    if (final.channelBinding !== first.gs2Header)
      return failure('the channel binding (c=) is not that of the beginning');
    if (final.nonce !== nonce) return failure('the nonce (r=) is not the one of this exchange');
    const mechanism = this.#mechanism;
    const { username, keys, known } = user;
    const signed = `${first.bare},${serverFirst},${final.withoutProof}`;
    const clientKey = exclusiveOr(final.proof, hmac(mechanism, keys.storedKey, signed));
    const isProven = timingSafeEqual(digest(mechanism, clientKey), keys.storedKey);
    const signature = hmac(mechanism, keys.serverKey, signed).toString('base64');
    if (known === null) return failure(`there is no user ${JSON.stringify(username)}`);
    if (!isProven) return failure(`wrong password for user ${JSON.stringify(username)}`);
    if (known.isWithdrawn) return failure(`user ${JSON.stringify(username)} has been changed meanwhile`);
    return { outcome: 'success', data: Buffer.from(`v=${signature}`), identity: identityOf(username, known) };
  }
}

/** A stand-in must not show by a number of its own. */
function mostFrequentIterations(users: Iterable<ScramCredential>): number {
  const counts = new Map<number, number>();
  let usual = MINIMUM_ITERATIONS;
  for (const { iterations } of users) {
    const count = (counts.get(iterations) ?? 0) + 1;
    counts.set(iterations, count);
    if (count > (counts.get(usual) ?? 0)) usual = iterations;
  }
  return usual;
}

function exclusiveOr(one: Buffer, other: Buffer): Buffer {
  return Buffer.from(one.map((byte, index) => byte ^ (other[index] as number)));
}
