/**
 * Publishes numbered messages as fast as its window lets it, and enters into the ledger what became of each. Sequence
 * numbers run through all its topics and QoS, so that gaps and disorder show wherever they are.
 */
import type { RunBook } from './run-book.js';
import { SessionClient } from './session-client.js';

export interface PublisherPlan {
  readonly clientId: string;
  readonly version: 4 | 5;
  /** Messages under way at a time. */
  readonly window: number;
  readonly qos: readonly (1 | 2)[];
  /** Topics `data/<clientId>/<n>`. */
  readonly topics: number;
  /** MQTT 5: an expiry for some of the messages. */
  readonly expirySeconds?: readonly number[];
  /** Its session holds a subscription, and so must survive; otherwise nothing may make it durable before a PUBREC. */
  readonly isSubscribed: boolean;
  /** Its connection breaks now and then. */
  readonly comesAndGoes?: boolean;
}

const SESSION_EXPIRY_SECONDS = 86_400;

/** Sizes as telemetry has them, and now and then one that fills more than a block of the store. */
const USUAL_BYTES = 400;
const LARGE_BYTES = 100_000;
const LARGE_CHANCE = 0.003;

export class Publisher {
  readonly plan: PublisherPlan;
  readonly client: SessionClient;
  readonly #book: RunBook;
  #isLoading = false;
  #sequence = 0;

  constructor(plan: PublisherPlan, book: RunBook) {
    this.plan = plan;
    this.#book = book;
    const { ledger } = book;
    this.client = new SessionClient(
      { clientId: plan.clientId, version: plan.version, sessionExpirySeconds: SESSION_EXPIRY_SECONDS },
      book.events({
        onAccepted: ({ key }) => {
          ledger.recordAcknowledged(key);
          book.recordAccepted();
        },
        onCompleted: ({ key }, reasonCode) => {
          if (reasonCode >= 0x80) ledger.recordRefused(key);
          this.#fill();
        },
        onSentAgain: ({ key }) => ledger.recordSentAgain(key),
        onAbandoned: ({ key }) => ledger.recordAbandoned(key),
      }),
    );
  }

  async connect(port: number): Promise<void> {
    await this.client.connect(port);
    this.#fill();
  }

  async subscribe(): Promise<void> {
    if (this.plan.isSubscribed) await this.client.subscribe(`control/${this.plan.clientId}`, 1);
  }

  /** Publishes from now on, over reconnects, until told to pause. */
  load(): void {
    this.#isLoading = true;
    this.#fill();
  }

  pause(): void {
    this.#isLoading = false;
  }

  /** One message on each topic at each QoS: what comes after everything else. */
  publishLast(): void {
    for (let topic = 0; topic < this.plan.topics; topic++) {
      for (const qos of this.plan.qos) this.#publish(topic, qos, undefined);
    }
  }

  #fill(): void {
    const { random } = this.#book;
    while (this.#isLoading && this.client.underWay < this.plan.window && this.client.room > 0) {
      const expires = this.plan.expirySeconds !== undefined && random.chance(0.3);
      const expirySeconds = expires ? random.pick(this.plan.expirySeconds) : undefined;
      this.#publish(random.integer(0, this.plan.topics - 1), random.pick(this.plan.qos), expirySeconds);
    }
  }

  #publish(topicNumber: number, qos: 1 | 2, expirySeconds: number | undefined): void {
    const { random, ledger } = this.#book;
    const { clientId: sender } = this.plan;
    const sequence = this.#sequence++;
    const key = `${sender}:${sequence}`;
    const topic = `data/${sender}/${topicNumber}`;
    const bytes = random.integer(0, random.chance(LARGE_CHANCE) ? LARGE_BYTES : USUAL_BYTES);
    const payload = Buffer.from(`${key} ${'x'.repeat(bytes)}`);
    const expiry = expirySeconds === undefined ? {} : { expirySeconds };
    ledger.recordSent({ key, sender, sequence, topic, qos, ...expiry });
    this.client.publish({ key, topic, payload, qos, ...expiry });
  }
}
