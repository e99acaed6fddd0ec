/** A persistent session that is subscribed once and then only reconnects; enters into the ledger what it gets. */
import type { RunBook } from './run-book.js';
import { SessionClient } from './session-client.js';

export interface SubscriberPlan {
  readonly clientId: string;
  readonly version: 4 | 5;
  readonly filters: readonly { readonly filter: string; readonly qos: 1 | 2 }[];
  /** Always there; there with interruptions; there only to fetch what has gathered. */
  readonly habit: 'stays' | 'comes and goes' | 'stays away';
  /** Name of the shared group whose messages count as received by any member. */
  readonly group?: string;
  readonly receiveMaximum?: number;
  readonly heldAnswers?: number;
}

export class Subscriber {
  readonly plan: SubscriberPlan;
  readonly client: SessionClient;
  /** Name in the ledger. */
  readonly receiver: string;
  readonly #book: RunBook;

  constructor(plan: SubscriberPlan, book: RunBook) {
    const { clientId, version, receiveMaximum, heldAnswers } = plan;
    this.plan = plan;
    this.#book = book;
    this.receiver = plan.group ?? clientId;
    book.ledger.addReceiver(this.receiver, plan.group === undefined ? 'session' : 'group');
    this.client = new SessionClient(
      {
        clientId,
        version,
        sessionExpirySeconds: 86_400,
        ...(receiveMaximum === undefined ? {} : { receiveMaximum }),
        ...(heldAnswers === undefined ? {} : { heldAnswers }),
      },
      book.events({ onDelivery: (delivery) => book.recordArrival(this.receiver, delivery) }),
    );
  }

  async connect(port: number): Promise<void> {
    await this.client.connect(port);
  }

  async subscribe(): Promise<void> {
    const { ledger } = this.#book;
    for (const { filter, qos } of this.plan.filters) {
      const subscription = ledger.recordSubscribing(this.receiver, filter, qos);
      const granted = await this.client.subscribe(filter, qos);
      if (granted === qos) ledger.recordSubscribed(subscription);
      else ledger.recordViolation(`${this.plan.clientId} asked for ${filter} at QoS ${qos} and was granted ${granted}`);
    }
  }
}
