/**
 * The certificates that a listener serves with, as OpenSSL wants them: read at the start, and read again when their files change. What
 * cannot be used is never taken into use.
 */
import { constants, randomBytes } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { TlsUnusable } from '../../core/errors.js';
import {
  type LoadedCertificate,
  nameOf,
  readTlsFiles,
  readTlsFilesUnless,
  type TlsMaterial,
  type TlsProblem,
} from './tls-material.js';
import type { TlsOptions } from './tls-options.js';

/** The usual ones, with forward secrecy and authenticated encryption; in TLS 1.2 by elliptic curves alone. */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

/** A device that sleeps for an hour still comes back by a short handshake. */
const TICKET_LIFETIME_SECONDS = 2 * 3600;
const TICKET_KEY_BYTES = 48;

const DAY_MS = 24 * 3600 * 1000;
/** With every usual tool, a certificate has been renewed long before. */
const EXPIRES_SOON_DAYS = 14;

export interface ExpiryNotice {
  readonly text: string;
  readonly file: string;
  readonly certificate: string;
  readonly validFrom: string;
  readonly validTo: string;
}

export class ServedCertificates {
  readonly #options: TlsOptions;
  readonly #sessionIdContext = randomBytes(16).toString('hex');
  #material: TlsMaterial;
  /** In the order of the certificates; empty if there is but one. */
  #contexts: readonly SecureContext[];
  #ticketKeys = randomBytes(TICKET_KEY_BYTES);
  /** Of the files when they were read last, and what was wrong with them then. */
  #fingerprint: string;
  #problems: readonly TlsProblem[] = [];

  /** @param listener its name @throws TlsUnusable with every problem in its message */
  constructor(listener: string, options: TlsOptions) {
    const { material, problems, fingerprint } = readTlsFiles(options);
    if (material === undefined) {
      throw new TlsUnusable(`TLS of "${listener}" cannot be used: ${problems.map(problemText).join('; ')}`);
    }
    this.#options = options;
    this.#material = material;
    this.#fingerprint = fingerprint;
    this.#contexts = this.#contextsOf(material);
  }

  /** What is served with. */
  get material(): TlsMaterial {
    return this.#material;
  }

  /** What is wrong with the files; those before are in use then. */
  get problems(): readonly string[] {
    return this.#problems.map(problemText);
  }

  get names(): readonly string[] {
    return this.#material.certificates.map(({ leaf }) => nameOf(leaf));
  }

  /** When the first of them expires. */
  get expiresAtMs(): number {
    return Math.min(...this.#material.certificates.map(({ validToMs }) => validToMs));
  }

  /** For the server itself: of the first certificate, and with the keys of session tickets, which are the server's. */
  contextOptions(): SecureContextOptions & { readonly ticketKeys: Buffer } {
    // Without the keys, Node makes new ones with each context, and every device does a full handshake after each renewal.
    return { ...this.#contextOptionsOf(this.#material, 0), ticketKeys: this.#ticketKeys };
  }

  /** By the name that the client calls us; the first certificate is for names that are in none. */
  contextFor(name: string): SecureContext | undefined {
    const { certificates } = this.#material;
    const exact = certificates.findIndex(({ leaf }) => leaf.checkHost(name, { wildcards: false }) !== undefined);
    const found = exact === -1 ? certificates.findIndex(({ leaf }) => leaf.checkHost(name) !== undefined) : exact;
    return this.#contexts[Math.max(0, found)];
  }

  /**
   * Reads the files, and takes them into use if they differ from what was read last and are sound.
   * @returns `bad` if they differ and are not; `trust` if other clients than before are trusted with them
   */
  reload(): 'same' | 'changed' | 'trust' | 'bad' {
    const read = readTlsFilesUnless(this.#fingerprint, this.#options);
    if (read === null) return 'same';
    const { material, problems, fingerprint } = read;
    this.#fingerprint = fingerprint;
    this.#problems = problems;
    if (material === undefined) return 'bad';
    // A ticket stands for a client that was checked: by other authorities or lists it might not be let in. A new certificate of
    // our own is no such reason.
    const isTrustChanged = material.trustFingerprint !== this.#material.trustFingerprint;
    if (isTrustChanged) this.#ticketKeys = randomBytes(TICKET_KEY_BYTES);
    this.#contexts = this.#contextsOf(material);
    this.#material = material;
    return isTrustChanged ? 'trust' : 'changed';
  }

  /** What an operator should know of those that clients will not take, now or soon. */
  expiryNotices(nowMs: number): ExpiryNotice[] {
    return this.#material.certificates.flatMap((certificate) => {
      const { files, leaf } = certificate;
      const text = expiryText(certificate, nowMs);
      if (text === null) return [];
      const { validFrom, validTo } = leaf;
      return [{ text, file: files.certificate, certificate: nameOf(leaf), validFrom, validTo }];
    });
  }

  #contextsOf(material: TlsMaterial): SecureContext[] {
    if (material.certificates.length === 1) return [];
    return material.certificates.map((_, index) => createSecureContext(this.#contextOptionsOf(material, index)));
  }

  #contextOptionsOf({ certificates, ca, crl }: TlsMaterial, index: number): SecureContextOptions {
    const { certificate, key } = certificates[index] as LoadedCertificate;
    return {
      cert: certificate,
      key,
      ...(ca === undefined ? {} : { ca }),
      ...(crl.length === 0 ? {} : { crl: [...crl] }),
      minVersion: this.#options.minimumVersion ?? 'TLSv1.2',
      maxVersion: 'TLSv1.3',
      ciphers: CIPHERS,
      sessionIdContext: this.#sessionIdContext,
      sessionTimeout: TICKET_LIFETIME_SECONDS,
      // A client without fast AES says so by naming ChaCha20 first.
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_PRIORITIZE_CHACHA,
    };
  }
}

/** @returns null if there is nothing to be said */
export function expiryText({ validFromMs, validToMs }: LoadedCertificate, nowMs: number): string | null {
  if (validToMs <= nowMs) return 'the certificate has expired: clients that check it will not connect';
  if (validFromMs > nowMs) return 'the certificate is not valid yet: clients that check it will not connect';
  return validToMs - nowMs < EXPIRES_SOON_DAYS * DAY_MS ? 'the certificate expires soon' : null;
}

function problemText({ where, message }: TlsProblem): string {
  return `${where}: ${message}`;
}
