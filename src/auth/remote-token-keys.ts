/**
 * A set of keys that a server publishes (JWKS). It is fetched when it is first needed, whenever it has become old, and when a
 * token names a key that is not in it; not more often than the cooldown allows, whatever tokens say. While it cannot be
 * fetched, the keys that are there go on being used.
 */
import type { Logger } from 'pino';
import type { CancelTimer, Clock } from '../core/clock.js';
import { boundedFetch, NoAnswer } from './bounded-fetch.js';
import { keysOfSet, type TokenAlgorithm, type TokenKey, UnusableKey } from './token-key.js';
import { KeyTable, type KnownKey, type TokenKeys, UNAVAILABLE, type Unavailable } from './token-keys.js';

export interface RemoteKeysOptions {
  readonly url: string;
  readonly timeoutMs: number;
  /** Between two requests at least. */
  readonly cooldownMs: number;
  /** From which on the set is fetched again. */
  readonly maximumAgeMs: number;
}

/** A hundred RSA keys with their certificates. */
const LARGEST_SET_BYTES = 512 * 1024;

export class RemoteTokenKeys implements TokenKeys {
  readonly #options: RemoteKeysOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #onChanged: (gone: number) => void;
  readonly #keys = new KeyTable();
  #hasKeys = false;
  #cancelRefresh: CancelTimer | null = null;
  #isClosed = false;
  #text = '';
  #fetchedAtMs = Number.NEGATIVE_INFINITY;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #fetching: Promise<void> | null = null;
  #failures = 0;
  #isFailureTold = false;

  /** @param onChanged the keys are others than before, and so many are gone */
  constructor(options: RemoteKeysOptions, clock: Clock, logger: Logger, onChanged: (gone: number) => void) {
    this.#options = options;
    this.#clock = clock;
    this.#logger = logger;
    this.#onChanged = onChanged;
  }

  find(
    algorithm: TokenAlgorithm,
    id: string | undefined,
  ): readonly KnownKey[] | Promise<readonly KnownKey[] | Unavailable> {
    const found = this.#keys.candidates(algorithm, id);
    const isOld = this.#clock.now() - this.#fetchedAtMs >= this.#options.maximumAgeMs;
    if (found.length > 0 && !isOld) return found;
    const fetching = this.#fetch();
    if (found.length > 0) return found;
    return fetching.then(() => (this.#hasKeys ? this.#keys.candidates(algorithm, id) : UNAVAILABLE));
  }

  /** From now on nothing is fetched unless it is asked for. */
  close(): void {
    this.#isClosed = true;
    this.#cancelRefresh?.();
  }

  *figures(): Generator<readonly [topic: string, value: number]> {
    yield ['authentication/jwt/keys', this.#keys.size];
    yield ['authentication/jwt/failed key requests', this.#failures];
  }

  /** Never rejects. */
  #fetch(): Promise<void> {
    if (this.#fetching !== null) return this.#fetching;
    if (this.#clock.now() - this.#askedAtMs < this.#options.cooldownMs) return Promise.resolve();
    this.#askedAtMs = this.#clock.now();
    this.#fetching = this.#fetchNow().finally(() => {
      this.#fetching = null;
      this.#refreshLater();
    });
    return this.#fetching;
  }

  /** Who is connected by a key that is gone has nobody connect to have that noticed. */
  #refreshLater(): void {
    if (this.#isClosed) return;
    this.#cancelRefresh?.();
    const delayMs = Math.max(this.#options.maximumAgeMs, this.#options.cooldownMs);
    this.#cancelRefresh = this.#clock.schedule(delayMs, () => void this.#fetch());
  }

  async #fetchNow(): Promise<void> {
    const { url, timeoutMs } = this.#options;
    const headers = { accept: 'application/jwk-set+json, application/json' };
    const request = { method: 'GET', headers, timeoutMs, maximumBytes: LARGEST_SET_BYTES } as const;
    const answer = await boundedFetch(url, request, this.#clock);
    if (answer instanceof NoAnswer) return this.#onFailure(answer.reason);
    if (answer.status !== 200) return this.#onFailure(`it has answered ${answer.status}`);
    const keys = publicKeysIn(answer.text);
    if (keys instanceof UnusableKey) return this.#onFailure(`its answer ${keys.reason}`);
    this.#fetchedAtMs = this.#clock.now();
    this.#isFailureTold = false;
    if (answer.text === this.#text) return;
    this.#text = answer.text;
    const gone = this.#keys.replace(keys);
    this.#hasKeys = true;
    this.#logger.info({ url: new URL(url).origin, keys: keys.length }, 'keys for tokens have been fetched');
    this.#onChanged(gone);
  }

  #onFailure(reason: string): void {
    this.#failures++;
    // Once for each time that it is down.
    if (this.#isFailureTold) return;
    this.#isFailureTold = true;
    const about = { url: new URL(this.#options.url).origin, reason };
    if (!this.#hasKeys) this.#logger.error(about, 'keys for tokens cannot be fetched: no token can be verified');
    else this.#logger.warn(about, 'keys for tokens cannot be fetched: those before stay in use');
  }
}

/** What everybody can fetch is no secret, and nothing signed with it proves anything. */
function publicKeysIn(text: string): readonly TokenKey[] | UnusableKey {
  const keys = keysOfSet(text);
  if (keys instanceof UnusableKey) return keys;
  const publicKeys = keys.filter(({ key }) => key.type === 'public');
  return publicKeys.length === 0 ? new UnusableKey('has no public key') : publicKeys;
}
