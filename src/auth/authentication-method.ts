/**
 * Enhanced authentication (section 4.12 of MQTT 5): client and broker prove in several steps who they are. The broker
 * begins an exchange at each CONNECT that names the method, and at each re-authentication; it keeps the exchange within
 * bounds of rounds, bytes and time, so that a method only has to judge what it is given.
 *
 *   client   CONNECT ───▶           AUTH 0x18 ───▶
 *   exchange        next ▶ continue          next ▶ success
 *   broker                 ◀── AUTH 0x18            ◀── CONNACK, or AUTH 0x00
 */
import type { RefusedConnect } from './authenticator.js';
import type { Identity } from './identity.js';

/** One way to authenticate, for all clients. */
export interface AuthenticationMethod {
  /** As clients name it in the Authentication Method; the case counts. */
  readonly name: string;
  /** Begins an exchange. It may be dropped at any time, without being told. Must not throw. */
  begin(client: ExchangeClient): AuthenticationExchange;
}

/** Who wants to authenticate, as far as it has said so in CONNECT. */
export interface ExchangeClient {
  readonly clientId: string;
  /** That of the certificate, where the listener takes names from there. */
  readonly username: string | undefined;
  /** Where it comes from; undefined for one that has been let in, and shows anew who it is. */
  readonly remoteAddress?: string;
  /** Whether nobody waits for the outcome any more: what has not been begun for it need not be. */
  isGone(): boolean;
}

/** The state of one client's authentication. */
export interface AuthenticationExchange {
  /**
   * Takes what the client says next; not called again after success or failure, nor before it has answered. Must not throw,
   * whatever is said; a rejected promise ends the exchange as if the server were unavailable.
   * @param data the Authentication Data, undefined if the packet has none
   */
  next(data: Buffer | undefined): ExchangeStep | Promise<ExchangeStep>;
}

export type ExchangeStep =
  /** The client has to answer. `data` is for it. */
  | { readonly outcome: 'continue'; readonly data: Buffer | undefined }
  /** `data` is the last word to the client. */
  | { readonly outcome: 'success'; readonly data: Buffer | undefined; readonly identity: Identity }
  /** `reason` is for the operator's log alone: the client learns that it failed, and nothing that helps it to guess. */
  | { readonly outcome: 'failure'; readonly reason: string; readonly why: RefusedConnect['why'] };

/** The outcome that ends an exchange badly. */
export function failure(reason: string, why: RefusedConnect['why'] = 'unidentified'): ExchangeStep {
  return { outcome: 'failure', reason, why };
}
