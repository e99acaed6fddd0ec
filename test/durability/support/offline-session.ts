/**
 * The plainest case of durability: one persistent session that is subscribed and away, and publishers that fill its
 * queue. What they have an acknowledgement for must be there when it comes back.
 */
import { randomBytes } from 'node:crypto';
import { Changes } from './changes.js';
import { Ledger } from './ledger.js';
import { ConnectionLost, keyOf, type OutboundMessage, SessionClient } from './session-client.js';

export interface PublishOptions {
  readonly clientId: string;
  /** Name in the ledger, if not the client's: then it has taken over the session of an earlier one of that name. */
  readonly sender?: string;
  readonly version: 4 | 5;
  readonly qos: 1 | 2;
  /** Messages under way at a time. */
  readonly window: number;
  readonly bytes?: number;
}

const FILTER = 'offline/#';
const HEAD_BYTES = 200;

export class OfflineSession {
  readonly ledger = new Ledger(Date.now);
  readonly changes = new Changes();
  /** What was found when it came back. */
  wasPresent: boolean | undefined;
  readonly #client: SessionClient;

  constructor(clientId = 'away') {
    this.ledger.addReceiver(clientId);
    this.#client = new SessionClient(
      { clientId, version: 5, sessionExpirySeconds: 86_400 },
      {
        onDelivery: (delivery) => {
          const { clientId: session, payload, ...rest } = delivery;
          this.ledger.recordArrival(clientId, { ...rest, session, key: keyOf(payload) });
        },
        onViolation: (text) => this.ledger.recordViolation(text),
        onChange: () => this.changes.notify(),
      },
    );
  }

  get clientId(): string {
    return this.#client.options.clientId;
  }

  /** The first of what the ledger has found. */
  findings(): string[] {
    return this.ledger.verdict().slice(0, 10);
  }

  /** Connects, subscribes, leaves. */
  async subscribe(port: number): Promise<void> {
    await this.#client.connect(port);
    const subscription = this.ledger.recordSubscribing(this.clientId, FILTER, 2);
    await this.#client.subscribe(FILTER, 2);
    this.ledger.recordSubscribed(subscription);
    await this.leave();
  }

  /** A publisher whose messages are entered into the ledger. */
  publisher(options: PublishOptions): OfflinePublisher {
    return new OfflinePublisher(options, this);
  }

  /** Comes back and takes what it is owed, and stays. */
  async fetchWithoutEnd(port: number, patienceMs = 30_000): Promise<void> {
    await this.#client.connect(port);
    await this.changes.until(
      () => this.ledger.missing() === 0,
      () => `what is owed: ${this.ledger.describeMissing()}`,
      patienceMs,
    );
  }

  /**
   * Comes back and takes what there is. That there is no more is told by a message that is published now and comes last.
   */
  async fetch(port: number): Promise<void> {
    const { sessionPresent } = await this.#client.connect(port);
    this.wasPresent = sessionPresent;
    if (!sessionPresent) return;
    const last = this.publisher({ clientId: `last-${this.#client.connections}`, version: 5, qos: 1, window: 1 });
    await last.connect(port);
    await last.publish(1);
    await this.changes.until(
      () => last.hasArrived && this.#client.unreleased === 0,
      () => `the last message, and ${this.#client.unreleased} PUBREL; missing: ${this.ledger.describeMissing()}`,
    );
    last.client.disconnect();
  }

  async leave(): Promise<void> {
    this.#client.disconnect();
    await this.changes.until(
      () => this.#client.isClosed,
      () => 'the session to leave',
    );
  }

  destroy(): void {
    this.#client.destroy();
  }
}

export class OfflinePublisher {
  readonly client: SessionClient;
  /** Reason codes of the messages that were refused, and of the DISCONNECTs that were sent instead; MQTT 5. */
  readonly refusals: number[] = [];
  readonly disconnections: number[] = [];
  readonly #options: PublishOptions;
  readonly #session: OfflineSession;
  #port = 0;
  #isInsisting = false;
  #sequence = 0;
  #target = 0;
  #refusalLimit = Number.POSITIVE_INFINITY;
  #accepted = 0;
  #completed = 0;

  constructor(options: PublishOptions, session: OfflineSession) {
    this.#options = options;
    this.#session = session;
    const { ledger, changes } = session;
    this.client = new SessionClient(
      {
        clientId: options.clientId,
        version: options.version,
        sessionExpirySeconds: 86_400,
        takesOver: options.sender !== undefined,
      },
      {
        onAccepted: ({ key }) => {
          this.#accepted += 1;
          ledger.recordAcknowledged(key);
        },
        onCompleted: (message, reasonCode) => this.#onCompleted(message, reasonCode),
        onSentAgain: ({ key }) => ledger.recordSentAgain(key),
        onAbandoned: ({ key }) => ledger.recordAbandoned(key),
        onDisconnect: (reasonCode) => {
          this.disconnections.push(reasonCode);
          return this.#isInsisting;
        },
        onClosed: () => this.#comeBack(),
        onViolation: (text) => ledger.recordViolation(text),
        onChange: () => changes.notify(),
      },
    );
  }

  get #sender(): string {
    return this.#options.sender ?? this.#options.clientId;
  }

  async connect(port: number): Promise<void> {
    this.#port = port;
    await this.client.connect(port);
    this.#fill();
  }

  /** From now on, whenever the broker sends it away or only closes the connection, it comes back at once. */
  insist(): void {
    this.#isInsisting = true;
    this.client.expectLoss();
  }

  /** As a client that has given up until it is told to connect again. */
  giveUp(): void {
    this.#isInsisting = false;
    this.client.expectLoss();
  }

  get accepted(): number {
    return this.#accepted;
  }

  get sent(): number {
    return this.#sequence;
  }

  /** Its last message has come to the session. */
  get hasArrived(): boolean {
    return this.#session.ledger.hasArrived(this.#session.clientId, `${this.#sender}:${this.#sequence - 1}`);
  }

  /** Sends so many more, its window full all the time. Does not wait. */
  send(count: number): void {
    this.#target += count;
    this.#fill();
  }

  /** Sends, its window full all the time, until so many have been refused. Does not wait. */
  sendUntilRefused(refusals: number): void {
    this.#refusalLimit = this.refusals.length + refusals;
    this.send(Number.MAX_SAFE_INTEGER);
  }

  /** Sends no more than are under way already. */
  halt(): void {
    this.#target = this.#sequence;
  }

  /** Sends so many more and waits until the broker is through with them. */
  async publish(count: number): Promise<void> {
    this.send(count);
    await this.#session.changes.until(
      () => this.#completed === this.#target,
      () => `${this.#target - this.#completed} messages of ${this.#options.clientId} to be answered`,
    );
  }

  /** Sends one message after the other until one is taken. @throws when the patience is over */
  async publishUntilTaken(patienceMs = 30_000): Promise<void> {
    const before = this.#accepted;
    const deadline = Date.now() + patienceMs;
    while (this.#accepted === before) {
      if (Date.now() > deadline) throw new Error(`${this.#options.clientId} is still refused: ${this.refusals.at(-1)}`);
      await this.publish(1);
    }
  }

  #comeBack(): void {
    if (!this.#isInsisting) return;
    this.connect(this.#port)
      .then(() => this.client.expectLoss())
      .catch((error: unknown) => {
        if (!(error instanceof ConnectionLost)) this.#session.changes.fail(error as Error);
      });
  }

  #onCompleted({ key }: OutboundMessage, reasonCode: number): void {
    this.#completed += 1;
    if (reasonCode >= 0x80) {
      this.refusals.push(reasonCode);
      this.#session.ledger.recordRefused(key);
      if (this.refusals.length === this.#refusalLimit) this.halt();
    }
    this.#fill();
  }

  #fill(): void {
    while (this.#sequence < this.#target && this.client.underWay < this.#options.window && this.client.room > 0) {
      const { qos, bytes = 20 } = this.#options;
      const sender = this.#sender;
      const sequence = this.#sequence++;
      const key = `${sender}:${sequence}`;
      const topic = `offline/${sender}`;
      // A head that names the message more than once, for who looks for it on the disk; behind it nothing that shrinks.
      const head = Buffer.from(`${key} `.padEnd(Math.min(bytes, HEAD_BYTES), `${key} `));
      const payload = Buffer.concat([head, randomBytes(Math.max(0, bytes - HEAD_BYTES))]);
      this.#session.ledger.recordSent({ key, sender, sequence, topic, qos });
      this.client.publish({ key, topic, payload, qos });
    }
  }
}
