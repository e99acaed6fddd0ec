/** The client's side of SCRAM (RFC 5802 section 3), for tests: it says what it is told to say, right or wrong. */
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { deriveCredential, type ScramCredential } from '../../src/auth/scram-credential.js';
import { SCRAM_SHA_256, type ScramMechanism } from '../../src/auth/scram-mechanism.js';

/** Users with these passwords, as the broker knows them. */
export function scramUsers(
  passwords: Readonly<Record<string, string>>,
  mechanism = SCRAM_SHA_256,
): Map<string, ScramCredential> {
  return new Map(
    Object.entries(passwords).map(([user, password]) => [
      user,
      deriveCredential(mechanism, password, Buffer.from(user.padEnd(16)), 4096),
    ]),
  );
}

export class ScramClient {
  readonly #password: string;
  readonly #gs2Header: string;
  readonly #bare: string;
  readonly #mechanism: ScramMechanism;
  #serverSignature = '';

  constructor(
    user: string,
    password: string,
    nonce = 'rOprNGfwEbeRWgbNEkqO',
    gs2Header = 'n,,',
    mechanism = SCRAM_SHA_256,
  ) {
    this.#mechanism = mechanism;
    this.#password = password;
    this.#gs2Header = gs2Header;
    this.#bare = `n=${user.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${nonce}`;
  }

  get first(): Buffer {
    return Buffer.from(this.#gs2Header + this.#bare);
  }

  /** What the server has to say at the end. */
  get expectedEnd(): string {
    return this.#serverSignature;
  }

  /** Answers the server-first-message. */
  final(serverFirst: Buffer | undefined): Buffer {
    const challenge = String(serverFirst);
    const [, nonce = '', salt = '', iterations = ''] = /^r=([^,]*),s=([^,]*),i=(\d+)$/.exec(challenge) ?? [];
    const { hash, keyBytes } = this.#mechanism;
    const hmac = (key: Buffer, text: string): Buffer => createHmac(hash, key).update(text).digest();
    const withoutProof = `c=${Buffer.from(this.#gs2Header).toString('base64')},r=${nonce}`;
    const salted = pbkdf2Sync(this.#password, Buffer.from(salt, 'base64'), Number(iterations), keyBytes, hash);
    const signed = `${this.#bare},${challenge},${withoutProof}`;
    const clientKey = hmac(salted, 'Client Key');
    const signature = hmac(createHash(hash).update(clientKey).digest(), signed);
    const proof = Buffer.from(clientKey.map((byte, index) => byte ^ (signature[index] as number)));
    this.#serverSignature = `v=${hmac(hmac(salted, 'Server Key'), signed).toString('base64')}`;
    return Buffer.from(`${withoutProof},p=${proof.toString('base64')}`);
  }
}
