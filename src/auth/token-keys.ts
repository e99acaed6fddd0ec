/** Where the keys come from that tokens are verified with. */
import type { TokenAlgorithm, TokenKey } from './token-key.js';

/** Instead of keys: they are elsewhere, and cannot be had. */
export const UNAVAILABLE = Symbol('unavailable');
export type Unavailable = typeof UNAVAILABLE;

export interface TokenKeys {
  /** Those that a token may have been signed with, by what it says. */
  find(
    algorithm: TokenAlgorithm,
    id: string | undefined,
  ): readonly TokenKey[] | Promise<readonly TokenKey[] | Unavailable>;
}

export function candidates(
  keys: readonly TokenKey[],
  algorithm: TokenAlgorithm,
  id: string | undefined,
): readonly TokenKey[] {
  return keys.filter(
    (key) => key.algorithms.includes(algorithm) && (id === undefined || key.id === undefined || key.id === id),
  );
}

/** Keys that stand in files, and may be replaced. */
export class FileTokenKeys implements TokenKeys {
  #keys: readonly TokenKey[];

  constructor(keys: readonly TokenKey[]) {
    this.#keys = keys;
  }

  find(algorithm: TokenAlgorithm, id: string | undefined): readonly TokenKey[] {
    return candidates(this.#keys, algorithm, id);
  }

  replace(keys: readonly TokenKey[]): void {
    this.#keys = keys;
  }
}
