/** A client of {@link BrokerParts} whose front notes what it is sent, for tests that say step by step what happens. */
import type { Session } from '../../src/sessions/session.js';
import type { BrokerParts } from './broker-parts.js';
import { FakeFront, type Sent } from './fake-front.js';

export interface ConnectOptions {
  readonly receiveMaximum?: number;
  /** Seconds; 0 for a session that ends with its connection. */
  readonly expirySeconds?: number;
  readonly cleanStart?: boolean;
}

export class PartsClient {
  readonly session: Session;
  readonly isPresent: boolean;
  readonly front = new FakeFront();
  readonly #parts: BrokerParts;
  readonly #epoch: number;

  /** Connects, and settles that it has. */
  constructor(parts: BrokerParts, clientId: string, options: ConnectOptions = {}) {
    const { receiveMaximum = 100, expirySeconds = 3600, cleanStart = false } = options;
    this.#parts = parts;
    const { session, isPresent } = parts.sessions.open(clientId, cleanStart, expirySeconds, null);
    this.session = session;
    this.isPresent = isPresent;
    this.#epoch = session.attach(this.front, receiveMaximum);
    session.resume();
    this.settle();
  }

  disconnect(): void {
    this.#parts.sessions.close(this.session, this.#epoch, true);
  }

  /** Brings everything to the disk, and sends what has waited for that. */
  settle(): void {
    this.#parts.store.committer.flush();
    this.session.onSettled();
  }

  /** Acknowledges these, to the end, and takes what may follow. */
  acknowledge(sent: readonly Sent[]): void {
    for (const { qos, packetId } of sent) {
      if (qos === 1) this.session.onPuback(packetId, false);
      else if (qos === 2) {
        this.session.onPubrec(packetId);
        this.session.onPubcomp(packetId);
      }
    }
    this.session.pump();
    this.settle();
  }

  /** What has been sent since the last call. */
  take(): Sent[] {
    return this.front.sent.splice(0);
  }

  /** Takes and acknowledges everything that comes, also what has to be read first. @returns what came, in order */
  async drain(): Promise<Sent[]> {
    const all: Sent[] = [];
    for (;;) {
      this.settle();
      await new Promise((resolve) => setImmediate(resolve));
      const sent = this.take();
      if (sent.length === 0) return all;
      all.push(...sent);
      this.acknowledge(sent);
    }
  }
}

export function payloads(sent: readonly Sent[]): string[] {
  return sent.map(({ payload }) => payload);
}
