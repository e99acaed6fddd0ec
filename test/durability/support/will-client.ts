/**
 * A client whose will is waited for. Each connection carries a will of its own, which is entered into the ledger as a
 * message; when the connection is cut, by the client's death or the broker's, it becomes owed.
 *
 * CONNACK alone promises nothing about the disk. The will counts as stored once a QoS 1 message that the same client
 * published after CONNACK has been acknowledged, for commits keep their order.
 */
import type { RunBook } from './run-book.js';
import { SessionClient, type Will } from './session-client.js';

export interface WillPlan {
  readonly clientId: string;
  readonly version: 4 | 5;
  /** 0 ends the session with the connection. */
  readonly sessionExpirySeconds: number;
  readonly qos: 1 | 2;
  /** MQTT 5. */
  readonly delaySeconds?: number;
  /** Cut with the broker; dead before it; or back within the delay, so that the will must never come. */
  readonly fate: 'cut' | 'dies' | 'returns';
}

/** Wills go to `will/<clientId>`. */
const TOPIC = 'will';

export class WillClient {
  readonly plan: WillPlan;
  readonly client: SessionClient;
  readonly #book: RunBook;
  #sequence = 0;
  /** Of the present connection. */
  #will: string | undefined;
  /** Of the last one, which has been cut. */
  #owed: string | undefined;
  #barrier: string | undefined;

  constructor(plan: WillPlan, book: RunBook) {
    this.plan = plan;
    this.#book = book;
    const { clientId, version, sessionExpirySeconds } = plan;
    this.client = new SessionClient(
      { clientId, version, sessionExpirySeconds },
      book.events({
        onAccepted: ({ key }) => {
          book.ledger.recordAcknowledged(key);
          if (key === this.#barrier) this.#barrier = undefined;
        },
        onSentAgain: ({ key }) => book.ledger.recordSentAgain(key),
        onAbandoned: ({ key }) => book.ledger.recordAbandoned(key),
      }),
    );
  }

  /** Connects with the next will and resolves once that is stored. */
  async connect(port: number): Promise<void> {
    const { clientId, qos, delaySeconds, fate } = this.plan;
    const sequence = this.#sequence++;
    const key = `${clientId}:${sequence}`;
    const topic = `${TOPIC}/${clientId}`;
    const delay = delaySeconds === undefined ? {} : { properties: { willDelayInterval: delaySeconds } };
    const will: Will = { topic, payload: Buffer.from(`${key} will`), qos, retain: false, ...delay };
    this.#book.ledger.recordSent({ key, sender: clientId, sequence, topic, qos });
    if (fate === 'returns') this.#book.ledger.recordWithdrawn(key);
    await this.client.connect(port, will);
    this.#will = key;
    this.#owed = undefined;
    await this.#storeBarrier(sequence);
  }

  /**
   * The broker is being cut off, and the connection with it: from now on the will is owed. One that was owed already may
   * have been published, and delivered at QoS 1, and that not been stored: then it is published anew.
   */
  recordCut(): void {
    if (this.#owed !== undefined) this.#book.ledger.recordSentAgain(this.#owed);
    this.#becomeOwed();
  }

  die(): void {
    this.#becomeOwed();
    this.client.destroy();
  }

  /** Takes the will back in good order. */
  disconnect(): void {
    if (this.#will !== undefined) this.#book.ledger.recordWithdrawn(this.#will);
    this.#will = undefined;
    this.client.disconnect();
  }

  #becomeOwed(): void {
    if (this.#will === undefined) return;
    const isStored = this.#barrier === undefined;
    if (isStored && this.plan.fate !== 'returns') this.#book.ledger.recordAcknowledged(this.#will);
    this.#owed = this.#will;
    this.#will = undefined;
  }

  async #storeBarrier(sequence: number): Promise<void> {
    const { ledger, changes } = this.#book;
    const sender = `${this.plan.clientId}-data`;
    const key = `${sender}:${sequence}`;
    const topic = `data/${sender}/0`;
    this.#barrier = key;
    ledger.recordSent({ key, sender, sequence, topic, qos: 1 });
    this.client.publish({ key, topic, payload: Buffer.from(`${key} barrier`), qos: 1 });
    await changes.until(
      () => this.#barrier === undefined,
      () => `PUBACK for ${key}`,
    );
  }
}
