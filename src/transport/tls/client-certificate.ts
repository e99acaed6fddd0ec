/** Who a client is by its certificate, which has been verified when this is asked. */
import type { X509Certificate } from 'node:crypto';
import type { CertificateUsername } from './tls-options.js';

export interface ClientCertificate {
  /** The name that the listener takes user names from; null if it takes none. */
  readonly username: string | null;
  /** The subject as RFC 4514 has it, without escapes; for logs. */
  readonly subject: string;
  /** SHA-256 of the certificate, in hexadecimal digits with colons; empty if it was a proxy that it was shown to. */
  readonly fingerprint: string;
  /** When it ceases to be valid, ms on the broker's clock; Infinity if nobody has said so. */
  readonly expiresAtMs: number;
  /** Its authority is trusted no more, or has revoked it, since the client was let in by it. */
  readonly isWithdrawn: boolean;
}

/** A user name in MQTT is at most so long. */
const LONGEST_NAME = 65_535;

const PREFIXES = { dns: 'DNS:', email: 'email:', uri: 'URI:' } as const;

/**
 * The name that `kind` asks for.
 * @returns undefined if there is none, or more than one: whichever were taken, another could be meant
 */
export function usernameIn(certificate: X509Certificate, kind: CertificateUsername): string | undefined {
  const names = kind === 'common-name' ? commonNames(certificate) : alternativeNames(certificate, PREFIXES[kind]);
  const [name] = names;
  return names.length === 1 && name !== undefined && isUsableName(name) ? name : undefined;
}

function commonNames(certificate: X509Certificate): string[] {
  // In `subject` itself the values are escaped, and could look like further parts.
  const { subject } = certificate.toLegacyObject() as { readonly subject?: { readonly CN?: string | string[] } };
  return subject?.CN === undefined ? [] : [subject.CN].flat();
}

function alternativeNames({ subjectAltName }: X509Certificate, prefix: string): string[] {
  // A value that could be mistaken for the next name stands in the quotes of JSON.
  const parts = subjectAltName?.match(/[^,:]+:(?:"(?:[^"\\]|\\.)*"|[^,"]*)/g) ?? [];
  return parts
    .map((part) => part.trim())
    .filter((part) => part.startsWith(prefix))
    .map((part) => part.slice(prefix.length))
    .map((value) => (value.startsWith('"') ? unquoted(value) : value));
}

function unquoted(value: string): string {
  try {
    return String(JSON.parse(value));
  } catch {
    return '';
  }
}

/** Whether a name out of a certificate can be a user name. */
export function isUsableName(name: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for
  return name !== '' && Buffer.byteLength(name) <= LONGEST_NAME && !/[\u0000-\u001f\u007f-\u009f\ufffd]/.test(name);
}
