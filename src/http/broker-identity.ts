/**
 * By this a program of the same user knows that it has reached the very broker whose address it has read, and not a process that got the
 * port after it, before it shows the token there. The secret stands beside the address, for the owner alone; whoever
 * listens proves that he knows it, and does not tell it.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** What may be asked for a proof of. */
export const CHALLENGE_PATTERN = /^[A-Za-z0-9_-]{16,128}$/;

const SECRET_BYTES = 32;
const CHALLENGE_BYTES = 24;

export class BrokerIdentity {
  readonly secret: string;

  /** @param secret of the broker that is meant; of a new one unless given */
  constructor(secret = randomBytes(SECRET_BYTES).toString('base64url')) {
    this.secret = secret;
  }

  static challenge(): string {
    return randomBytes(CHALLENGE_BYTES).toString('base64url');
  }

  prove(challenge: string): string {
    return createHmac('sha256', this.secret).update(challenge).digest('base64url');
  }

  isProvenBy(proof: string, challenge: string): boolean {
    const [given, wanted] = [Buffer.from(proof), Buffer.from(this.prove(challenge))];
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  }
}
