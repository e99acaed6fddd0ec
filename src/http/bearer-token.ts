/** The secret that opens the administration, compared in a time that does not depend on how much of it was guessed. */
import { createHash, timingSafeEqual } from 'node:crypto';

/** What a bearer token may be made of: the `token68` of RFC 7235, section 2.1. */
export const TOKEN_PATTERN = /^[A-Za-z0-9._~+/-]+=*$/;

/** Shorter ones could be guessed. */
export const MINIMUM_TOKEN_CHARACTERS = 16;

/** Longer ones would not fit into a header. */
export const MAXIMUM_TOKEN_CHARACTERS = 1024;

export function isUsableToken(text: string): boolean {
  const { length } = text;
  return length >= MINIMUM_TOKEN_CHARACTERS && length <= MAXIMUM_TOKEN_CHARACTERS && TOKEN_PATTERN.test(text);
}

export class BearerToken {
  /** Digests have one length, which the comparison needs; and the token itself is in no heap dump. */
  readonly #digest: Buffer;

  constructor(token: string) {
    this.#digest = digestOf(token);
  }

  /** @param authorization the header field, `Bearer …` */
  isGivenBy(authorization: string | undefined): boolean {
    const given = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    return given !== undefined && timingSafeEqual(digestOf(given), this.#digest);
  }
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
