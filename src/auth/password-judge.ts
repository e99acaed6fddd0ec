/**
 * Clients with user name and password, by the users of a password file. A user who is not in it takes as long as
 * one who is, where nobody else will be asked: names cannot be found out by the time.
 */
import type { Clock } from '../core/clock.js';
import type { ConnectRequest } from './authenticator.js';
import { BUSY, type Busy, type CheckLane } from './check-lane.js';
import { askerOf, busy, type CredentialJudge, unidentified, type Verdict } from './credential-judge.js';
import { identityOf } from './identity.js';
import type { PasswordHash } from './password-hash.js';
import { RememberedChecks } from './remembered-checks.js';
import { type KnownUser, type UsersInForce, UserTable } from './user-table.js';

export interface PasswordJudgeOptions {
  /** How long a password that was right need not be checked again, ms. */
  readonly rememberMs: number;
  readonly maximumRemembered: number;
  /** No other source is asked for users that are not in the file. */
  readonly isLast: boolean;
}

export class PasswordJudge implements CredentialJudge {
  readonly name = 'password';
  readonly #users: UserTable<PasswordHash>;
  readonly #checks: RememberedChecks<boolean>;
  readonly #clock: Clock;
  readonly #options: PasswordJudgeOptions;
  #standIn: PasswordHash | null;

  constructor(users: ReadonlyMap<string, PasswordHash>, lane: CheckLane, clock: Clock, options: PasswordJudgeOptions) {
    this.#users = new UserTable(users);
    this.#checks = new RememberedChecks(lane, options.rememberMs === 0 ? 0 : options.maximumRemembered, clock);
    this.#clock = clock;
    this.#options = options;
    this.#standIn = standInFor(users);
  }

  get users(): UsersInForce<PasswordHash> {
    return this.#users;
  }

  judge(request: ConnectRequest): Verdict | Promise<Verdict> {
    const { username, password } = request;
    if (username === undefined || password === undefined) return 'next';
    const user = this.#users.find(username);
    if (user === undefined) return this.#onUnknown(request, password);
    const key = this.#checks.keyOf(username, user.credential.text, password);
    if (this.#checks.find(key) === true) return { allowed: true, identity: identityOf(username, user) };
    return this.#verify(request, user, password, key);
  }

  /** Takes the place of those before. @returns how many users have lost what they were let in by */
  replaceUsers(users: ReadonlyMap<string, PasswordHash>): number {
    this.#standIn = standInFor(users);
    const withdrawn = this.#users.replace(users);
    // Whoever is left is known by the same hash: a user more must not cost a fleet the checks that are remembered.
    if (withdrawn > 0) this.#checks.clear();
    return withdrawn;
  }

  *figures(): Generator<readonly [topic: string, value: number]> {
    yield ['authentication/password/remembered', this.#checks.hits];
  }

  #verify(request: ConnectRequest, user: KnownUser<PasswordHash>, password: Buffer, key: string): Promise<Verdict> {
    return this.#check(request, user.credential, password, key).then((isRight) => {
      const username = request.username as string;
      // The file has changed meanwhile: what it says now counts.
      if (user.isWithdrawn) return this.judge(request);
      if (isRight === BUSY) return busy('too many passwords are being checked');
      if (isRight) return { allowed: true, identity: identityOf(username, user) };
      return unidentified(`wrong password for user ${JSON.stringify(username)}`);
    });
  }

  #onUnknown(request: ConnectRequest, password: Buffer): Verdict | Promise<Verdict> {
    const standIn = this.#standIn;
    if (!this.#options.isLast || standIn === null) return 'next';
    const key = this.#checks.keyOf(request.username as string, password);
    return this.#check(request, standIn, password, key).then((outcome) =>
      outcome === BUSY ? busy('too many passwords are being checked') : 'next',
    );
  }

  #check(request: ConnectRequest, hash: PasswordHash, password: Buffer, key: string): Promise<boolean | Busy> {
    return this.#checks.check(key, askerOf(request), async () => {
      const outcome = await hash.verify(password);
      const rememberUntilMs = outcome ? this.#clock.now() + this.#options.rememberMs : 0;
      return { outcome, rememberUntilMs, isWrong: !outcome };
    });
  }
}

/** At the cost that most users have; null if there are none. */
function standInFor(users: ReadonlyMap<string, PasswordHash>): PasswordHash | null {
  const counts = new Map<string, number>();
  let usual: PasswordHash | null = null;
  for (const hash of users.values()) {
    const count = (counts.get(hash.cost) ?? 0) + 1;
    counts.set(hash.cost, count);
    if (usual === null || count > (counts.get(usual.cost) ?? 0)) usual = hash;
  }
  return usual?.standIn() ?? null;
}
