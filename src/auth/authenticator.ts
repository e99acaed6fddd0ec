/** Who may connect. The broker asks one Authenticator at each CONNECT; the answer may come later. */
import type { Identity } from './identity.js';

/** What the client has proven by TLS, before it said anything in MQTT. */
export interface CertificateIdentity {
  /** By the rule of the listener; null if that takes no names from certificates. It is the request's user name then, too. */
  readonly username: string | null;
  readonly subject: string;
  /** SHA-256, hexadecimal. */
  readonly fingerprint: string;
}

export interface ConnectRequest {
  readonly clientId: string;
  readonly username: string | undefined;
  readonly password: Buffer | undefined;
  readonly remoteAddress: string;
  readonly listenerName: string;
  /** The listener can be reached from this machine alone. */
  readonly isLoopback: boolean;
  /** The certificate that the client has shown, verified; null if it has shown none. */
  readonly certificate: CertificateIdentity | null;
  /** Whether nobody waits for the answer any more: what has not been begun for it need not be. Default: somebody does. */
  readonly isGone?: () => boolean;
}

export interface RefusedConnect {
  readonly allowed: false;
  /**
   * `unidentified`: bad or missing credentials (0x86); `forbidden`: known, and not permitted (0x87); `busy`: too many are
   * being checked, try again (0x89); `unavailable`: whoever has to say cannot be asked (0x88).
   */
  readonly why: 'unidentified' | 'forbidden' | 'busy' | 'unavailable';
  /** For the client. */
  readonly message: string;
  /** For the operator's log, where it says more than the client is told. */
  readonly detail?: string;
}

export type ConnectDecision = { readonly allowed: true; readonly identity: Identity } | RefusedConnect;

export interface Authenticator {
  /** Must not throw; a rejected promise refuses the client as if the server were unavailable. */
  authenticate(request: ConnectRequest): ConnectDecision | Promise<ConnectDecision>;
}
