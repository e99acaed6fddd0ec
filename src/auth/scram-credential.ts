/**
 * What a server keeps of a SCRAM password (RFC 5802 section 3): keys that check a proof and cannot make one. In text it is
 * the value of RFC 5803 in the form that PostgreSQL stores: `SCRAM-SHA-256$4096:SALT$STOREDKEY:SERVERKEY`.
 */
import { digest, hmac, type ScramMechanism, saltedPassword } from './scram-mechanism.js';

/** What RFC 7677 section 4 asks for at least: fewer make the stored keys cheap to guess from. */
export const MINIMUM_ITERATIONS = 4096;

/** What Node and clients count in: a signed integer of 32 bits. */
export const MAXIMUM_ITERATIONS = 0x7fff_ffff;

export interface ScramKeys {
  readonly iterations: number;
  readonly salt: Buffer;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

export interface ScramCredential extends ScramKeys {
  readonly mechanism: ScramMechanism;
  /** As it stands in a file. */
  readonly text: string;
}

export function scramCredential(mechanism: ScramMechanism, keys: ScramKeys): ScramCredential {
  const [salt, stored, server] = [keys.salt, keys.storedKey, keys.serverKey].map((bytes) => bytes.toString('base64'));
  return { mechanism, ...keys, text: `${mechanism.name}$${keys.iterations}:${salt}$${stored}:${server}` };
}

/** @param password as `saslprep` returns it */
export function deriveCredential(
  mechanism: ScramMechanism,
  password: string,
  salt: Buffer,
  iterations: number,
): ScramCredential {
  const salted = saltedPassword(mechanism, password, salt, iterations);
  const storedKey = digest(mechanism, hmac(mechanism, salted, 'Client Key'));
  return scramCredential(mechanism, { iterations, salt, storedKey, serverKey: hmac(mechanism, salted, 'Server Key') });
}
