/** What all clients of one run write into and draw from. */
import { Changes } from './changes.js';
import { Ledger } from './ledger.js';
import { RandomSource } from './random-source.js';
import { RetainedLedger } from './retained-ledger.js';
import { type Delivery, keyOf, type SessionEvents } from './session-client.js';

export class RunBook {
  readonly random: RandomSource;
  readonly changes = new Changes();
  readonly ledger = new Ledger(Date.now);
  readonly retained = new RetainedLedger();
  #acceptances = 0;
  /** Called with every message that the broker has taken: the clock of the run. */
  onAccepted: (() => void) | null = null;

  constructor(seed: number) {
    this.random = new RandomSource(seed);
  }

  /** Messages that the broker has taken: PUBACK or PUBREC, retained ones too. */
  get acceptances(): number {
    return this.#acceptances;
  }

  /** What every client reports in the same way; a client adds what is its own. */
  events(own: SessionEvents): SessionEvents {
    return {
      onViolation: (text) => this.ledger.recordViolation(text),
      onChange: () => this.changes.notify(),
      ...own,
    };
  }

  recordAccepted(): void {
    this.#acceptances += 1;
    this.onAccepted?.();
  }

  recordArrival(receiver: string, delivery: Delivery): void {
    const { clientId: session, connection, version, payload, topic, qos, isDuplicate, expirySeconds } = delivery;
    const key = keyOf(payload);
    this.ledger.recordArrival(receiver, { session, connection, version, key, topic, qos, isDuplicate, expirySeconds });
  }
}
