/** What a listener with TLS needs: files, whose content may change while it is open, and rules, which stay. */

/** Files with PEM. */
export interface CertificateFiles {
  /** The certificate of the listener, then those that lead to its authority. */
  readonly certificate: string;
  /** Its private key, without a passphrase. */
  readonly key: string;
}

/** `request`: who has no certificate is let in without; one that is not valid is refused all the same. */
export type ClientCertificatePolicy = 'none' | 'request' | 'require';

/** Which name in a client's certificate is its user name: the CN of the subject, or the only name of a kind among the alternative ones. */
export type CertificateUsername = 'common-name' | 'dns' | 'email' | 'uri';

export type MinimumTlsVersion = 'TLSv1.2' | 'TLSv1.3';

export interface TlsOptions {
  /** The first is for clients that name no server, or one that is in none of them. */
  readonly certificates: readonly CertificateFiles[];
  /** Default: none. */
  readonly clientCertificate?: ClientCertificatePolicy;
  /** File with the certificates of the authorities of clients; needed unless those are not asked for a certificate. */
  readonly ca?: string | undefined;
  /** Files with the revocation lists of those authorities, all of them if any. */
  readonly crl?: readonly string[];
  /** Default: the user name is what CONNECT says. */
  readonly username?: CertificateUsername | undefined;
  /** Default: TLSv1.2. */
  readonly minimumVersion?: MinimumTlsVersion;
  /** From the connection to the end of the handshake. Default: {@link DEFAULT_HANDSHAKE_TIMEOUT_MS}. */
  readonly handshakeTimeoutMs?: number;
  /** Handshakes at a time. Default: {@link DEFAULT_MAXIMUM_HANDSHAKES}. */
  readonly maximumHandshakes?: number;
}

/** A core does some thousand handshakes a second: those of a fleet that comes back at once take a while. */
export const DEFAULT_HANDSHAKE_TIMEOUT_MS = 20_000;

/** Such a fleet; each takes some 50 KiB. */
export const DEFAULT_MAXIMUM_HANDSHAKES = 10_000;
