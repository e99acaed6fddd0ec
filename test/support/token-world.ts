/** Issuers of tokens, and verifiers of them, for tests. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { type JWTPayload, SignJWT } from 'jose';
import { pino } from 'pino';
import { CheckLane } from '../../src/auth/check-lane.js';
import { pemKey, secretKey, type TokenKey, UnusableKey } from '../../src/auth/token-key.js';
import { FileTokenKeys, type TokenKeys } from '../../src/auth/token-keys.js';
import { type TokenRules, TokenVerifier } from '../../src/auth/token-verifier.js';
import type { Clock } from '../../src/core/clock.js';
import { NoticeLimit } from '../../src/core/notice-limit.js';

export const SECRET = Buffer.from('a secret of more than thirty-two bytes');

const RULES: TokenRules = {
  algorithms: undefined,
  issuer: undefined,
  audience: [],
  clockToleranceMs: 0,
  isExpiryRequired: true,
  usernameClaim: 'sub',
  rolesClaim: 'roles',
  rulesClaim: 'acl',
  maximumRemembered: 100,
};

export const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
export const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
export const ed25519 = generateKeyPairSync('ed25519');

export function publicPem({ publicKey }: { readonly publicKey: KeyObject }): string {
  return publicKey.export({ type: 'spki', format: 'pem' }).toString();
}

export function usable(key: TokenKey | UnusableKey): TokenKey {
  if (key instanceof UnusableKey) throw new TypeError(`the key ${key.reason}`);
  return key;
}

export const secretKeys = new FileTokenKeys([usable(secretKey(SECRET))]);

export function keysOf(...pairs: readonly { readonly publicKey: KeyObject }[]): FileTokenKeys {
  return new FileTokenKeys(pairs.map((pair) => usable(pemKey(publicPem(pair)))));
}

export interface Verifying {
  readonly clock: Clock;
  readonly lines: string[];
  readonly lane: CheckLane;
  readonly verifier: TokenVerifier;
}

export function verifying(clock: Clock, keys: TokenKeys = secretKeys, rules: Partial<TokenRules> = {}): Verifying {
  const lines: string[] = [];
  const logger = pino({ level: 'debug' }, { write: (line) => lines.push(line) });
  const lane = new CheckLane({ concurrency: 1, maximumWaiting: 1000, maximumWaitMs: 5000 }, clock);
  const surroundings = { clock, timeOfDayMs: () => clock.now(), logger, notices: new NoticeLimit(clock) };
  const verifier = new TokenVerifier(keys, { ...RULES, ...rules }, lane, surroundings);
  return { clock, lines, lane, verifier };
}

export interface Issued {
  readonly algorithm?: string;
  readonly key?: KeyObject | Uint8Array;
  readonly id?: string;
  /** From the clock's now; null for a token that does not expire. */
  readonly expiresInSeconds?: number | null;
}

export async function issue(clock: Clock, claims: JWTPayload, options: Issued = {}): Promise<string> {
  const { algorithm = 'HS256', key = SECRET, id, expiresInSeconds = 60 } = options;
  const token = new SignJWT(claims).setProtectedHeader({ alg: algorithm, ...(id === undefined ? {} : { kid: id }) });
  if (expiresInSeconds !== null) token.setExpirationTime(Math.floor(clock.now() / 1000) + expiresInSeconds);
  return await token.sign(key);
}

/** A token with any header, signed by nobody or by who is given. */
export function forge(
  header: object,
  claims: object,
  signature: Buffer | ((signed: Buffer) => Buffer) = Buffer.alloc(0),
): string {
  const signed = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const bytes = typeof signature === 'function' ? signature(Buffer.from(signed)) : signature;
  return `${signed}.${bytes.toString('base64url')}`;
}

export const signRs256 = (signed: Buffer): Buffer => sign('sha256', signed, rsa.privateKey);
