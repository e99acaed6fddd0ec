/**
 * Keys that tokens are verified with. A key is good for the algorithms of its own kind and for no others: what is public
 * is never a shared secret, whatever a token says of itself.
 */
import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import type { JWK } from 'jose';

export const TOKEN_ALGORITHMS = [
  'HS256',
  'HS384',
  'HS512',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;

export type TokenAlgorithm = (typeof TOKEN_ALGORITHMS)[number];

export interface TokenKey {
  /** As tokens name it; undefined for a key without a name, which is tried for all. */
  readonly id: string | undefined;
  readonly algorithms: readonly TokenAlgorithm[];
  readonly key: KeyObject;
}

/** Continues what is said of the file or the server: "the key …". */
export class UnusableKey {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/** Above any set in use; a server does not make us keep more. */
const MOST_KEYS = 100;
const LEAST_RSA_BITS = 2048;
/** RFC 7518 section 3.2: not shorter than the hash. */
const LEAST_SECRET_BYTES = 32;

const CURVES: ReadonlyMap<string | undefined, TokenAlgorithm> = new Map([
  ['prime256v1', 'ES256'],
  ['secp384r1', 'ES384'],
  ['secp521r1', 'ES512'],
]);

export function secretKey(secret: Buffer, id?: string): TokenKey | UnusableKey {
  if (secret.length < LEAST_SECRET_BYTES)
    return new UnusableKey(`is shorter than ${LEAST_SECRET_BYTES} bytes (RFC 7518, section 3.2)`);
  const algorithms = (['HS256', 'HS384', 'HS512'] as const).filter(
    (name) => secret.length * 8 >= Number(name.slice(2)),
  );
  return { id, algorithms, key: createSecretKey(secret) };
}

/** @param text PEM with a public key or a certificate */
export function pemKey(text: string): TokenKey | UnusableKey {
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) {
    return new UnusableKey('is a private one: the broker needs the public one, and nobody but the issuer the other');
  }
  try {
    return publicKey(createPublicKey(text), undefined);
  } catch {
    return new UnusableKey('cannot be read');
  }
}

/** @returns the keys of a set that tokens can be verified with; others in it do not count */
export function keysOfSet(text: string): readonly TokenKey[] | UnusableKey {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return new UnusableKey('is no JSON');
  }
  if (typeof value !== 'object' || value === null) return new UnusableKey('is neither a JWK nor a set of them');
  const members = 'keys' in value ? value.keys : [value];
  if (!Array.isArray(members)) return new UnusableKey('has no list under keys');
  if (members.length > MOST_KEYS) return new UnusableKey(`has more than ${MOST_KEYS} keys`);
  const keys = members.map(keyOfJwk).filter((key): key is TokenKey => !(key instanceof UnusableKey));
  return keys.length === 0 ? new UnusableKey('has no key that tokens can be verified with') : keys;
}

function keyOfJwk(member: unknown): TokenKey | UnusableKey {
  if (typeof member !== 'object' || member === null) return new UnusableKey('is no map');
  const jwk = member as JWK;
  if (jwk.use !== undefined && jwk.use !== 'sig') return new UnusableKey('is not for signatures');
  if (jwk.key_ops !== undefined && !(Array.isArray(jwk.key_ops) && jwk.key_ops.includes('verify'))) {
    return new UnusableKey('is not for verifying');
  }
  const id = typeof jwk.kid === 'string' ? jwk.kid : undefined;
  const key = jwk.kty === 'oct' ? secretOfJwk(jwk, id) : publicKeyOfJwk(jwk, id);
  if (key instanceof UnusableKey || jwk.alg === undefined) return key;
  const algorithms = key.algorithms.filter((name) => name === jwk.alg);
  return algorithms.length === 0 ? new UnusableKey('has an algorithm that it cannot be for') : { ...key, algorithms };
}

function secretOfJwk({ k }: JWK, id: string | undefined): TokenKey | UnusableKey {
  return typeof k === 'string' ? secretKey(Buffer.from(k, 'base64url'), id) : new UnusableKey('has no k');
}

function publicKeyOfJwk(jwk: JWK, id: string | undefined): TokenKey | UnusableKey {
  try {
    return publicKey(createPublicKey({ key: jwk, format: 'jwk' }), id);
  } catch {
    return new UnusableKey('cannot be read');
  }
}

function publicKey(key: KeyObject, id: string | undefined): TokenKey | UnusableKey {
  const { asymmetricKeyType: type, asymmetricKeyDetails: { modulusLength = 0, namedCurve } = {} } = key;
  const curve = CURVES.get(namedCurve);
  if (type === 'ed25519') return { id, algorithms: ['EdDSA', 'Ed25519'], key };
  if (type === 'ec' && curve !== undefined) return { id, algorithms: [curve], key };
  if (type !== 'rsa')
    return new UnusableKey('is of a kind that is not supported: RSA, EC (P-256, P-384, P-521) or Ed25519');
  if (modulusLength < LEAST_RSA_BITS) return new UnusableKey(`has fewer than ${LEAST_RSA_BITS} bits`);
  return { id, algorithms: ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'], key };
}
