/** Who a client is: what its credentials have shown, whichever way they were checked. */

/** A rule that credentials bring along, beside those that the broker knows of. */
export interface GrantedRule {
  readonly effect: 'allow' | 'deny';
  readonly action: 'publish' | 'subscribe' | 'all';
  /** A topic filter. */
  readonly filter: string;
}

export interface Identity {
  /** Null for a client that is nobody in particular. */
  readonly username: string | null;
  /** Roles that the credentials name, beside those that the broker knows for the user. */
  readonly roles: readonly string[];
  readonly rules: readonly GrantedRule[];
  /** When the credentials run out, milliseconds since the epoch; Infinity if they don't. */
  readonly expiresAtMs: number;
}

/** An identity of which nothing is known but the name. */
export function identityOf(username: string | null): Identity {
  return { username, roles: [], rules: [], expiresAtMs: Number.POSITIVE_INFINITY };
}
