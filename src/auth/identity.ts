/** Who a client is: what its credentials have shown, whichever way they were checked. */

/** A rule that credentials bring along, beside those that the broker knows of. */
export interface GrantedRule {
  readonly effect: 'allow' | 'deny';
  readonly action: 'publish' | 'subscribe' | 'all';
  /** A topic filter. */
  readonly filter: string;
}

/** What somebody was let in by, where that can be taken back: an entry of a file with users, a key that tokens are verified with. */
export interface Grounds {
  /** Becomes true when the entry is gone or another: who was let in by it is not to stay. */
  readonly isWithdrawn: boolean;
}

export interface Identity {
  /** Null for a client that is nobody in particular. */
  readonly username: string | null;
  /** Roles that the credentials name, beside those that the broker knows for the user. */
  readonly roles: readonly string[];
  readonly rules: readonly GrantedRule[];
  /** When the credentials run out, milliseconds on the broker's clock; Infinity if they don't. */
  readonly expiresAtMs: number;
  readonly grounds?: Grounds;
}

const NO_ROLES: readonly string[] = Object.freeze([]);
const NO_RULES: readonly GrantedRule[] = Object.freeze([]);
/** Most of those without credentials. */
const NOBODY: Identity = Object.freeze({
  username: null,
  roles: NO_ROLES,
  rules: NO_RULES,
  expiresAtMs: Number.POSITIVE_INFINITY,
});

/** An identity of which nothing is known but the name. */
export function identityOf(username: string | null, grounds?: Grounds): Identity {
  if (username === null && grounds === undefined) return NOBODY;
  const identity = { username, roles: NO_ROLES, rules: NO_RULES, expiresAtMs: Number.POSITIVE_INFINITY };
  return grounds === undefined ? identity : { ...identity, grounds };
}
