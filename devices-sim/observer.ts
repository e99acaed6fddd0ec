/**
 * The other end of the run: one connection that subscribes to everything the fleet sends and writes each arrival into
 * the ledger. It subscribes before the first device connects, so that no reading can be early.
 */
import { closeConnection, type OpenConnection, openConnection, publishWithinTime } from './broker-connection.js';
import type { Clock } from './clock.js';
import { BrokerRefused } from './errors.js';
import type { Ledger } from './ledger.js';
import type { SimulatorOptions } from './options.js';
import { decodeStamp } from './reading-message.js';
import type { TopicLayout } from './topic-layout.js';

export class Observer {
  readonly #topics: TopicLayout;
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  #connection: OpenConnection | undefined;
  #connectionLosses = 0;

  constructor(topics: TopicLayout, ledger: Ledger, clock: Clock) {
    this.#topics = topics;
    this.#ledger = ledger;
    this.#clock = clock;
  }

  /** How often the observer's own connection broke: what was published meanwhile counts as lost, rightly or not. */
  get connectionLosses(): number {
    return this.#connectionLosses;
  }

  /** @throws BrokerUnreachable or BrokerRefused */
  async open(options: SimulatorOptions): Promise<void> {
    this.#connection = await openConnection(options.url, {
      clientId: this.#topics.observerClientId,
      protocolVersion: options.protocol === '4' ? 4 : 5,
    });
    const { client } = this.#connection;
    client.on('message', (_topic, payload) => this.#onMessage(payload));
    client.on('close', () => {
      this.#connectionLosses += 1;
    });
    // QoS 1 even for readings of QoS 0: the broker delivers with the lower of the two
    const qos = options.qos === 2 ? 2 : 1;
    const granted = await client.subscribeAsync(this.#topics.allReadings, { qos }).catch((cause: Error) => {
      throw this.#subscriptionRefused(cause);
    });
    if (granted.some((grant) => grant.qos === 128)) throw this.#subscriptionRefused();
  }

  /**
   * Removes retained status messages by publishing empty ones.
   * @returns how many could not be removed
   */
  async clearRetained(topics: readonly string[]): Promise<number> {
    const client = this.#connection?.client;
    if (client === undefined) return topics.length;
    const cleared = await Promise.all(
      topics.map((topic) => publishWithinTime(client, topic, '', { retain: true }, this.#clock)),
    );
    return cleared.filter((done) => !done).length;
  }

  async close(): Promise<void> {
    const client = this.#connection?.client;
    if (client === undefined) return;
    await closeConnection(client, this.#clock);
  }

  #onMessage(payload: Uint8Array): void {
    const receivedAt = this.#clock.now();
    const stamp = decodeStamp(payload);
    if (stamp === undefined) this.#ledger.recordUnexpected();
    else this.#ledger.recordReceived(stamp.device, stamp.sequence, receivedAt - stamp.sentAt);
  }

  #subscriptionRefused(cause?: Error): BrokerRefused {
    return new BrokerRefused(`The broker refused the subscription to ${this.#topics.allReadings}.`, { cause });
  }
}
