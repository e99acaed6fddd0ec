/**
 * What a listener trusts of its clients' certificates, to judge those who are connected when it changes: an authority is gone from the
 * file, or a list revokes more. New handshakes are judged by OpenSSL; it can be asked for nothing else, so this looks at the
 * certificates of a connection itself. In doubt a connection ends: its client comes back, and OpenSSL decides.
 */
import { X509Certificate } from 'node:crypto';
import { certificateKey, revokedKeys } from './der-reader.js';
import { pemBlocks } from './pem-block.js';
import type { TlsMaterial } from './tls-material.js';

/** Longer than any way to an authority. */
const LONGEST_WAY = 10;

export class ClientTrust {
  #authorities: readonly X509Certificate[];
  #lists: readonly string[];
  /** Made when it is first asked for. */
  #revoked: ReadonlySet<string> | null = null;
  #changedAtMs = Number.NEGATIVE_INFINITY;
  #authorityLostAtMs = Number.NEGATIVE_INFINITY;

  constructor({ ca, crl }: TlsMaterial) {
    this.#authorities = authoritiesIn(ca);
    this.#lists = crl;
  }

  /** Other files are in use. */
  replace({ ca, crl }: TlsMaterial, nowMs: number): void {
    const authorities = authoritiesIn(ca);
    const kept = new Set(authorities.map(({ fingerprint256 }) => fingerprint256));
    if (this.#authorities.some(({ fingerprint256 }) => !kept.has(fingerprint256))) this.#authorityLostAtMs = nowMs;
    this.#authorities = authorities;
    this.#lists = crl;
    this.#revoked = null;
    this.#changedAtMs = nowMs;
  }

  /** Something has changed since a certificate was judged. */
  hasChangedSince(judgedAtMs: number): boolean {
    return judgedAtMs <= this.#changedAtMs;
  }

  /**
   * @param issuer the one that the client has shown behind it, with those behind that; null if it has shown none
   * @param judgedAtMs when it was found to be good
   */
  stillTrusts(certificate: X509Certificate, issuer: X509Certificate | null, judgedAtMs: number): boolean {
    this.#revoked ??= revokedIn(this.#lists);
    const shown = [...wayFrom(issuer)];
    const isRevoked = ({ raw }: X509Certificate): boolean => this.#revoked?.has(certificateKey(raw)) === true;
    if (isRevoked(certificate) || shown.some(isRevoked)) return false;
    return judgedAtMs > this.#authorityLostAtMs || this.#leadsToAuthority(certificate, shown, LONGEST_WAY);
  }

  #leadsToAuthority(certificate: X509Certificate, shown: readonly X509Certificate[], left: number): boolean {
    if (certificate.checkIssued(certificate)) {
      return this.#authorities.some(({ fingerprint256 }) => fingerprint256 === certificate.fingerprint256);
    }
    if (left === 0) return false;
    return [...this.#authorities, ...shown].some(
      (issuer) =>
        certificate.checkIssued(issuer) &&
        certificate.verify(issuer.publicKey) &&
        this.#leadsToAuthority(issuer, shown, left - 1),
    );
  }
}

function authoritiesIn(ca: string | undefined): X509Certificate[] {
  return pemBlocks(ca ?? '').map(({ text }) => new X509Certificate(text));
}

function revokedIn(lists: readonly string[]): ReadonlySet<string> {
  const base64 = lists.flatMap((text) => pemBlocks(text)).map(({ text }) => text.replaceAll(/-----[^-]+-----|\s/g, ''));
  return new Set(base64.flatMap((text) => revokedKeys(Buffer.from(text, 'base64'))));
}

/** The certificate and those behind it. */
function* wayFrom(certificate: X509Certificate | null): Generator<X509Certificate> {
  let next = certificate;
  for (let left = LONGEST_WAY; next !== null && left > 0; left--) {
    yield next;
    next = next.issuerCertificate ?? null;
  }
}
