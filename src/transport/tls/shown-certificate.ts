/** The certificate of a connected client, whose listener may cease to trust it. Holds nothing of it but what is asked for often. */
import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { ClientCertificate } from './client-certificate.js';
import type { ClientTrust } from './client-trust.js';

export class ShownCertificate implements ClientCertificate {
  readonly username: string | null;
  readonly subject: string;
  readonly fingerprint: string;
  readonly expiresAtMs: number;
  readonly #socket: TLSSocket;
  /** Node hands those that stand behind the certificate on once: with the first one that it is asked for. */
  readonly #issuer: X509Certificate | null;
  readonly #trust: ClientTrust;
  #judgedAtMs: number;

  /** @param judgedAtMs when its handshake began: what has been taken into use since has not been asked */
  constructor(
    certificate: X509Certificate,
    username: string | null,
    socket: TLSSocket,
    trust: ClientTrust,
    judgedAtMs: number,
  ) {
    this.username = username;
    this.subject = certificate.subject?.split('\n').join(', ') ?? '';
    this.fingerprint = certificate.fingerprint256;
    this.expiresAtMs = Date.parse(certificate.validTo);
    this.#socket = socket;
    this.#issuer = certificate.issuerCertificate ?? null;
    this.#trust = trust;
    this.#judgedAtMs = judgedAtMs;
  }

  get isWithdrawn(): boolean {
    if (!this.#trust.hasChangedSince(this.#judgedAtMs)) return false;
    const certificate = this.#socket.getPeerX509Certificate();
    // The connection is gone.
    if (certificate === undefined) return false;
    return !this.#trust.stillTrusts(certificate, this.#issuer, this.#judgedAtMs);
  }
}
