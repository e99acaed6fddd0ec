/** The two hashes that SCRAM is offered with. All else is the same. */
import { createHash, createHmac, pbkdf2, pbkdf2Sync } from 'node:crypto';
import { promisify } from 'node:util';

const pbkdf2Async = promisify(pbkdf2);

export interface ScramMechanism {
  /** As clients name it, and as it stands in the file of users. */
  readonly name: 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
  readonly hash: 'sha256' | 'sha512';
  /** Length of a digest, and so of every key. */
  readonly keyBytes: number;
}

/** RFC 7677. */
export const SCRAM_SHA_256: ScramMechanism = { name: 'SCRAM-SHA-256', hash: 'sha256', keyBytes: 32 };

/** RFC 5802 with SHA-512, as the registry of SASL mechanisms and other brokers have it. */
export const SCRAM_SHA_512: ScramMechanism = { name: 'SCRAM-SHA-512', hash: 'sha512', keyBytes: 64 };

export const SCRAM_MECHANISMS: readonly ScramMechanism[] = [SCRAM_SHA_256, SCRAM_SHA_512];

/** HMAC() of RFC 5802. */
export function hmac({ hash }: ScramMechanism, key: Buffer, text: string): Buffer {
  return createHmac(hash, key).update(text).digest();
}

/** H() of RFC 5802. */
export function digest({ hash }: ScramMechanism, bytes: Buffer): Buffer {
  return createHash(hash).update(bytes).digest();
}

/** Hi() of RFC 5802: the slow part, which the broker never does in its event loop. */
export function saltedPassword(
  { hash, keyBytes }: ScramMechanism,
  password: string,
  salt: Buffer,
  iterations: number,
): Buffer {
  return pbkdf2Sync(password, salt, iterations, keyBytes, hash);
}

/** The same outside the event loop. */
export function saltedPasswordAside(
  { hash, keyBytes }: ScramMechanism,
  password: string,
  salt: Buffer,
  iterations: number,
): Promise<Buffer> {
  return pbkdf2Async(password, salt, iterations, keyBytes, hash);
}
