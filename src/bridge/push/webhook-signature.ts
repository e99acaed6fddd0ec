/**
 * Signatures of the Standard Webhooks specification (https://www.standardwebhooks.com): HMAC-SHA256 over id, time and body, in base64. With
 * several secrets there are several signatures, one of which the receiver knows how to check: that is how secrets are exchanged.
 */
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';

const PREFIX = 'whsec_';
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** "The secret should be between 24 bytes (192 bits) and 64 bytes (512 bits)." */
export const MINIMUM_SECRET_BYTES = 24;
export const MAXIMUM_SECRET_BYTES = 64;

/** @param text `whsec_` and base64 @returns null for what is no secret */
export function parseWebhookSecret(text: string): Buffer | null {
  const encoded = text.startsWith(PREFIX) ? text.slice(PREFIX.length) : '';
  if (!BASE64.test(encoded)) return null;
  const secret = Buffer.from(encoded, 'base64');
  // What base64 leaves out silently would make another secret of it.
  if (secret.toString('base64').replace(/=+$/, '') !== encoded.replace(/=+$/, '')) return null;
  return secret.length >= MINIMUM_SECRET_BYTES && secret.length <= MAXIMUM_SECRET_BYTES ? secret : null;
}

export class WebhookSigner {
  readonly #keys: readonly KeyObject[];

  /** @param secrets the one that receivers should move to comes first */
  constructor(secrets: readonly Buffer[]) {
    this.#keys = secrets.map((secret) => createSecretKey(secret));
  }

  /** Without a secret nothing is signed. */
  get isSigning(): boolean {
    return this.#keys.length > 0;
  }

  /** @param timestampSeconds since the epoch @returns the value of `webhook-signature` */
  sign(id: string, timestampSeconds: number, body: Uint8Array): string {
    const head = `${id}.${timestampSeconds}.`;
    return this.#keys
      .map((key) => `v1,${createHmac('sha256', key).update(head).update(body).digest('base64')}`)
      .join(' ');
  }
}
