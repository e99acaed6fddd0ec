/** Where the keys come from that tokens are verified with. */
import type { Grounds } from './identity.js';
import type { TokenAlgorithm, TokenKey } from './token-key.js';

/** Instead of keys: they are elsewhere, and cannot be had. */
export const UNAVAILABLE = Symbol('unavailable');
export type Unavailable = typeof UNAVAILABLE;

export interface TokenKeys {
  /** Those that a token may have been signed with, by what it says. */
  find(
    algorithm: TokenAlgorithm,
    id: string | undefined,
  ): readonly KnownKey[] | Promise<readonly KnownKey[] | Unavailable>;
}

/** A key in use: who was let in by it knows when it is gone. */
export class KnownKey implements Grounds {
  readonly key: TokenKey;
  #isWithdrawn = false;

  constructor(key: TokenKey) {
    this.key = key;
  }

  get isWithdrawn(): boolean {
    return this.#isWithdrawn;
  }

  withdraw(): void {
    this.#isWithdrawn = true;
  }
}

/** The keys of a file, or of a server, which may be replaced while clients are connected. */
export class KeyTable {
  #keys: readonly KnownKey[] = [];

  get size(): number {
    return this.#keys.length;
  }

  candidates(algorithm: TokenAlgorithm, id: string | undefined): readonly KnownKey[] {
    return this.#keys.filter(
      ({ key }) => key.algorithms.includes(algorithm) && (id === undefined || key.id === undefined || key.id === id),
    );
  }

  /** @returns how many keys are gone: a key that only stands in another place, or in another form, is still there */
  replace(keys: readonly TokenKey[]): number {
    const before = this.#keys;
    this.#keys = keys.map((key) => before.find((known) => isSame(known.key, key)) ?? new KnownKey(key));
    const kept = new Set(this.#keys);
    const gone = before.filter((known) => !kept.has(known));
    for (const known of gone) known.withdraw();
    return gone.length;
  }
}

function isSame(one: TokenKey, other: TokenKey): boolean {
  if (one.id !== other.id || one.algorithms.join() !== other.algorithms.join()) return false;
  return one.key.type === other.key.type && one.key.equals(other.key);
}

/** Keys that stand in files, and may be replaced. */
export class FileTokenKeys implements TokenKeys {
  readonly #keys = new KeyTable();

  constructor(keys: readonly TokenKey[]) {
    this.#keys.replace(keys);
  }

  find(algorithm: TokenAlgorithm, id: string | undefined): readonly KnownKey[] {
    return this.#keys.candidates(algorithm, id);
  }

  /** @returns how many keys are gone */
  replace(keys: readonly TokenKey[]): number {
    return this.#keys.replace(keys);
  }
}
