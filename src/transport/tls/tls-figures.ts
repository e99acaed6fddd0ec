/** What one listener's TLS has done and refused, for whoever watches it. */
import { HANDSHAKE_FAILURES, type HandshakeFailure } from './handshake-failure.js';

export class TlsFigures {
  /** Handshakes that came to their end, the resumed ones among them. */
  completed = 0;
  resumed = 0;
  /** Times that other files were taken into use, and that changed files could not be. */
  reloads = 0;
  failedReloads = 0;
  readonly #failures = new Map<HandshakeFailure, number>(HANDSHAKE_FAILURES.map((reason) => [reason, 0]));

  countFailure(reason: HandshakeFailure): void {
    this.#failures.set(reason, this.failuresOf(reason) + 1);
  }

  failuresOf(reason: HandshakeFailure): number {
    return this.#failures.get(reason) ?? 0;
  }

  failures(): ReadonlyMap<HandshakeFailure, number> {
    return this.#failures;
  }
}
