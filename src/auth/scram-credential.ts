/**
 * What a server keeps of a SCRAM-SHA-256 password (RFC 5802 section 3): keys that check a proof and cannot make one.
 * In text it is the value of RFC 5803 in the form that PostgreSQL stores: `SCRAM-SHA-256$4096:SALT$STOREDKEY:SERVERKEY`.
 */
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';

export const SCRAM_SHA_256 = 'SCRAM-SHA-256';

/** Length of a SHA-256 digest, and so of every key. */
export const KEY_BYTES = 32;

/** What RFC 7677 section 4 asks for at least: fewer make the stored keys cheap to guess from. */
export const MINIMUM_ITERATIONS = 4096;

/** What Node and clients count in: a signed integer of 32 bits. */
export const MAXIMUM_ITERATIONS = 0x7fff_ffff;

export interface ScramCredential {
  readonly iterations: number;
  readonly salt: Buffer;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

/**
 * Derives the keys: the slow part, which the broker never does.
 * @param password as `saslprep` returns it
 */
export function deriveCredential(password: string, salt: Buffer, iterations: number): ScramCredential {
  const saltedPassword = pbkdf2Sync(password, salt, iterations, KEY_BYTES, 'sha256');
  return {
    iterations,
    salt,
    storedKey: sha256(hmac(saltedPassword, 'Client Key')),
    serverKey: hmac(saltedPassword, 'Server Key'),
  };
}

export function formatCredential({ iterations, salt, storedKey, serverKey }: ScramCredential): string {
  const [saltText, storedText, serverText] = [salt, storedKey, serverKey].map((bytes) => bytes.toString('base64'));
  return `${SCRAM_SHA_256}$${iterations}:${saltText}$${storedText}:${serverText}`;
}

export function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

export function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}
