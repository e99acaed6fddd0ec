/**
 * A persistent session whose subscriptions change while messages flow and the broker dies: what was acknowledged, a
 * SUBSCRIBE or an UNSUBSCRIBE, must still hold after the crash; what was not may have happened or not.
 */
import type { LedgerSubscription } from './ledger.js';
import type { RunBook } from './run-book.js';
import { ConnectionLost, SessionClient } from './session-client.js';

export class ChangingSubscriber {
  readonly client: SessionClient;
  readonly receiver: string;
  readonly #book: RunBook;
  readonly #filters: readonly string[];
  /** Every subscription that may exist at the broker, by filter. */
  readonly #subscriptions = new Map<string, LedgerSubscription[]>();
  #isChanging = false;

  constructor(clientId: string, version: 4 | 5, filters: readonly string[], book: RunBook) {
    this.#book = book;
    this.#filters = filters;
    this.receiver = clientId;
    book.ledger.addReceiver(clientId);
    this.client = new SessionClient(
      { clientId, version, sessionExpirySeconds: 86_400 },
      book.events({ onDelivery: (delivery) => book.recordArrival(clientId, delivery) }),
    );
  }

  async connect(port: number): Promise<void> {
    await this.client.connect(port);
  }

  async subscribe(): Promise<void> {
    for (const filter of this.#filters) await this.#subscribe(filter);
  }

  /** Takes one filter out or in. Does nothing while the last change is under way. */
  change(): void {
    if (this.#isChanging || !this.client.isConnected) return;
    const filter = this.#book.random.pick(this.#filters);
    const isThere = (this.#subscriptions.get(filter) ?? []).length > 0;
    this.#isChanging = true;
    (isThere ? this.#unsubscribe(filter) : this.#subscribe(filter))
      .catch((error: unknown) => {
        // Whether it has happened is not known: the subscription stays in the book, as asked for or as leaving.
        if (!(error instanceof ConnectionLost)) this.#book.changes.fail(error as Error);
      })
      .finally(() => {
        this.#isChanging = false;
      });
  }

  async #subscribe(filter: string): Promise<void> {
    const { ledger, random } = this.#book;
    const qos = random.pick([1, 2] as const);
    const subscription = ledger.recordSubscribing(this.receiver, filter, qos);
    const known = this.#subscriptions.get(filter) ?? [];
    this.#subscriptions.set(filter, [...known, subscription]);
    if ((await this.client.subscribe(filter, qos)) === qos) ledger.recordSubscribed(subscription);
  }

  async #unsubscribe(filter: string): Promise<void> {
    const { ledger } = this.#book;
    const subscriptions = this.#subscriptions.get(filter) ?? [];
    for (const subscription of subscriptions) ledger.recordUnsubscribing(subscription);
    await this.client.unsubscribe(filter);
    for (const subscription of subscriptions) ledger.recordUnsubscribed(subscription);
    this.#subscriptions.delete(filter);
  }
}
