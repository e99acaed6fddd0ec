/** Sets, replaces and clears retained messages on topics of its own, and tells the book of retained messages. */
import type { RunBook } from './run-book.js';
import { SessionClient } from './session-client.js';

export interface RetainedPublisherPlan {
  readonly clientId: string;
  readonly version: 4 | 5;
  readonly qos: 1 | 2;
  readonly window: number;
  /** Topics `retained/<clientId>/<n>`. */
  readonly topics: number;
}

const CLEAR_CHANCE = 0.25;

export class RetainedPublisher {
  readonly plan: RetainedPublisherPlan;
  readonly client: SessionClient;
  readonly #book: RunBook;
  #isLoading = false;
  #sequence = 0;

  constructor(plan: RetainedPublisherPlan, book: RunBook) {
    this.plan = plan;
    this.#book = book;
    this.client = new SessionClient(
      { clientId: plan.clientId, version: plan.version, sessionExpirySeconds: 86_400 },
      book.events({
        onAccepted: ({ topic, key }) => {
          book.retained.recordAcknowledged(topic, key);
          book.recordAccepted();
        },
        onCompleted: ({ key }, reasonCode) => {
          if (reasonCode >= 0x80) book.ledger.recordViolation(`${key}, retained, was refused with ${reasonCode}`);
          this.#fill();
        },
        onSentAgain: ({ topic, key }) => book.retained.recordSentAgain(topic, key),
      }),
    );
  }

  async connect(port: number): Promise<void> {
    await this.client.connect(port);
    this.#fill();
  }

  async subscribe(): Promise<void> {
    await this.client.subscribe(`control/${this.plan.clientId}`, 1);
  }

  load(): void {
    this.#isLoading = true;
    this.#fill();
  }

  pause(): void {
    this.#isLoading = false;
  }

  #fill(): void {
    const { random, retained } = this.#book;
    while (this.#isLoading && this.client.underWay < this.plan.window && this.client.room > 0) {
      const topic = `retained/${this.plan.clientId}/${random.integer(0, this.plan.topics - 1)}`;
      const key = `${this.plan.clientId}:${this.#sequence++}`;
      const value = random.chance(CLEAR_CHANCE) ? undefined : key;
      retained.recordSent(topic, key, value);
      this.client.publish({ key, topic, payload: Buffer.from(value ?? ''), qos: this.plan.qos, retain: true });
    }
  }
}
