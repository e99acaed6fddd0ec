/**
 * What a server keeps of a SCRAM password (RFC 5802 section 3): keys that check a proof and cannot make one. In text it is
 * the value of RFC 5803 in the form that PostgreSQL stores: `SCRAM-SHA-256$4096:SALT$STOREDKEY:SERVERKEY`.
 */
import { digest, hmac, type ScramMechanism, saltedPassword, saltedPasswordAside } from './scram-mechanism.js';

/** What RFC 7677 section 4 asks for at least: fewer make the stored keys cheap to guess from. */
export const MINIMUM_ITERATIONS = 4096;

/**
 * The least that RFC 7677 allows: a microcontroller takes about half a second for them, each time it connects. More make
 * it harder to guess a password from a stolen file, which counts for passwords that people choose; a device gets a random one.
 */
export const DEFAULT_ITERATIONS = MINIMUM_ITERATIONS;

/** Of what is made anew. */
export const SALT_BYTES = 16;

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
  return credentialOf(mechanism, saltedPassword(mechanism, password, salt, iterations), salt, iterations);
}

/** The same outside the event loop. */
export async function deriveCredentialAside(
  mechanism: ScramMechanism,
  password: string,
  salt: Buffer,
  iterations: number,
): Promise<ScramCredential> {
  return credentialOf(mechanism, await saltedPasswordAside(mechanism, password, salt, iterations), salt, iterations);
}

function credentialOf(mechanism: ScramMechanism, salted: Buffer, salt: Buffer, iterations: number): ScramCredential {
  const storedKey = digest(mechanism, hmac(mechanism, salted, 'Client Key'));
  return scramCredential(mechanism, { iterations, salt, storedKey, serverKey: hmac(mechanism, salted, 'Server Key') });
}
