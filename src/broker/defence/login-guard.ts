/**
 * Slows down who guesses passwords. A failure counts against the pair of address and user, which has to wait then, longer each time;
 * and against the address, which has to wait as a whole after many more. What counts against a user alone only makes answers
 * slow: or else anybody could lock a device out by failing in its name.
 *
 * Attempts that have to wait are not looked at, and count for nothing: one device with a wrong password does not lock out
 * the others of its site.
 */
import { addressKey } from '../../core/address-key.js';
import { AgeingMap } from '../../core/ageing-map.js';
import type { Clock } from '../../core/clock.js';
import type { DefenceOptions } from './defence-options.js';

/** Some 10 MiB for each of the three. */
const KEPT = 32_768;

interface Failures {
  count: number;
  lastAtMs: number;
  waitsUntilMs: number;
}

export class LoginGuard {
  readonly #options: DefenceOptions;
  readonly #clock: Clock;
  readonly #pairs = new AgeingMap<Failures>(KEPT);
  readonly #addresses = new AgeingMap<Failures>(KEPT);
  readonly #users = new AgeingMap<Failures>(KEPT);

  constructor(options: DefenceOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  /** @returns how long the client has to wait before it may try, ms; 0 if it may */
  waitMs(address: string, user: string | null): number {
    if (this.#options.loginAttempts === 0) return 0;
    const nowMs = this.#clock.now();
    const key = addressKey(address);
    const untilMs = Math.max(
      user === null ? 0 : (this.#current(this.#pairs, pairOf(key, user), nowMs)?.waitsUntilMs ?? 0),
      this.#current(this.#addresses, key, nowMs)?.waitsUntilMs ?? 0,
    );
    return Math.max(0, untilMs - nowMs);
  }

  /** @returns how long to think about it before the client is answered, ms */
  delayMs(user: string | null): number {
    const { loginAttempts, loginAttemptsPerUser, loginUserDelayMs } = this.#options;
    if (loginAttempts === 0 || user === null) return 0;
    const failures = this.#current(this.#users, user, this.#clock.now());
    return failures !== undefined && failures.count >= loginAttemptsPerUser ? loginUserDelayMs : 0;
  }

  /** The client could not say who it is. @returns how long it has to wait now, ms */
  onFailure(address: string, user: string | null): number {
    const { loginAttempts, loginAttemptsPerAddress } = this.#options;
    if (loginAttempts === 0) return 0;
    const key = addressKey(address);
    const waitMs = this.#fail(this.#addresses, key, loginAttemptsPerAddress);
    // Who says no name in CONNECT says it in the exchange: one address may be of many users.
    if (user === null) return waitMs;
    this.#fail(this.#users, user, Number.POSITIVE_INFINITY);
    return Math.max(waitMs, this.#fail(this.#pairs, pairOf(key, user), loginAttempts));
  }

  /** The client is who it says. Its address is not forgiven: whoever has one password would guess on with it. */
  onSuccess(address: string, user: string | null): void {
    if (this.#options.loginAttempts === 0 || user === null) return;
    this.#pairs.delete(pairOf(addressKey(address), user));
    const failures = this.#users.get(user);
    if (failures !== undefined) failures.count = Math.floor(failures.count / 2);
  }

  #fail(table: AgeingMap<Failures>, key: string, allowed: number): number {
    const nowMs = this.#clock.now();
    const failures = this.#current(table, key, nowMs) ?? { count: 0, lastAtMs: nowMs, waitsUntilMs: 0 };
    failures.count++;
    failures.lastAtMs = nowMs;
    table.set(key, failures);
    if (failures.count < allowed) return 0;
    const { loginFirstWaitMs, loginLongestWaitMs } = this.#options;
    const waitMs = Math.min(loginLongestWaitMs, loginFirstWaitMs * 2 ** Math.min(30, failures.count - allowed));
    failures.waitsUntilMs = nowMs + waitMs;
    return waitMs;
  }

  #current(table: AgeingMap<Failures>, key: string, nowMs: number): Failures | undefined {
    const failures = table.get(key);
    if (failures === undefined) return undefined;
    const forgottenAtMs = Math.max(failures.lastAtMs, failures.waitsUntilMs) + this.#options.loginForgetAfterMs;
    if (nowMs < forgottenAtMs) return failures;
    table.delete(key);
    return undefined;
  }
}

/** An address has no blank. */
function pairOf(address: string, user: string): string {
  return `${address} ${user}`;
}
