/**
 * Publishers and workers of a run against work queues: publishers as the other runs have them, workers that do with messages all that
 * workers do: acknowledge, refuse, reject, say it on the control topic, say nothing, break off.
 */
import type { Changes } from './changes.js';
import type { RandomSource } from './random-source.js';
import { SessionClient } from './session-client.js';
import type { QueuePlan, WorkBook, WorkConnection } from './work-book.js';
import { type WorkAction, WorkerClient, type WorkItem } from './worker-client.js';

export const WORK_QUEUES: readonly QueuePlan[] = [
  { name: 'work', maxReceives: 4 },
  { name: 'line', isStrict: true },
  { name: 'later', delayMs: 200 },
];

export const DEAD_LETTERS = 'dead';

/** What the broker is started with, as YAML. */
export const WORK_CONFIGURATION = JSON.stringify({
  queues: {
    work: { deadLetter: { queue: DEAD_LETTERS, maxReceives: 4 }, retry: { delays: [0.02, 0.05] } },
    line: { type: 'fifo', ordering: 'strict', retry: { delays: [0.02] } },
    later: { delay: 0.2, retry: { delays: [0.02] } },
    [DEAD_LETTERS]: {},
  },
  bridge: {
    rules: [
      { name: 'work', topics: ['work/#', 'both/#'], queues: ['work'], group: 'clientId' },
      { name: 'line', topics: ['line/#', 'both/#'], queues: ['line'], group: 'topic' },
      { name: 'later', topics: ['later/#'], queues: ['later'] },
    ],
  },
  sys: { interval: 1 },
});

const QUEUES_OF = { work: ['work'], line: ['line'], later: ['later'], both: ['work', 'line'] } as const;
const KINDS = ['work', 'line', 'later', 'both'] as const;

interface WorkPublisherPlan {
  readonly clientId: string;
  readonly version: 4 | 5;
  readonly qos: readonly (1 | 2)[];
  readonly window: number;
}

const PUBLISHERS: readonly WorkPublisherPlan[] = [
  { clientId: 'p-old-1', version: 4, qos: [1], window: 10 },
  { clientId: 'p-old-2', version: 4, qos: [2], window: 10 },
  { clientId: 'p-new-1', version: 5, qos: [1], window: 30 },
  { clientId: 'p-new-2', version: 5, qos: [2], window: 20 },
];

const EVERY_QUEUE = WORK_QUEUES.map(({ name }) => name);
const WORKERS: readonly (readonly [clientId: string, version: 4 | 5, queues: readonly string[]])[] = [
  ['w-all-5', 5, EVERY_QUEUE],
  ['w-all-4', 4, EVERY_QUEUE],
  ['w-work-5', 5, ['work']],
  ['w-line-5', 5, ['line']],
  ['w-line-4', 4, ['line']],
  ['w-later-4', 4, ['later', 'work']],
];

const DAY_SECONDS = 86_400;
const PUBLISHER_BREAKS = 1 / 400;
const WORKER_BREAKS = 1 / 150;
const PAYLOAD_BYTES = 300;

const UNSPECIFIED = 0x80;
const PAYLOAD_INVALID = 0x99;
const QUOTA_EXCEEDED = 0x97;

class WorkPublisher {
  readonly client: SessionClient;
  readonly #plan: WorkPublisherPlan;
  readonly #book: WorkBook;
  readonly #random: RandomSource;
  #isLoading = false;
  #sequence = 0;

  constructor(plan: WorkPublisherPlan, book: WorkBook, random: RandomSource, onProgress: () => void) {
    this.#plan = plan;
    this.#book = book;
    this.#random = random;
    const { clientId, version } = plan;
    this.client = new SessionClient(
      { clientId, version, sessionExpirySeconds: DAY_SECONDS },
      {
        onAccepted: ({ key }) => {
          book.recordAccepted(key);
          onProgress();
        },
        onCompleted: ({ key }, reasonCode) => {
          if (reasonCode >= 0x80) book.recordViolation(`${key} was refused with ${reasonCode}`);
          this.#fill();
        },
        onSentAgain: ({ key }) => book.recordSentAgain(key),
        onAbandoned: ({ key }) => book.recordAbandoned(key),
        onViolation: (text) => book.recordViolation(text),
        onChange: onProgress,
      },
    );
  }

  /** A subscription lets its session outlive the broker, so that QoS 2 is exact. */
  async setUp(port: number): Promise<void> {
    await this.connect(port);
    await this.client.subscribe(`control/${this.#plan.clientId}`, 1);
  }

  async connect(port: number): Promise<void> {
    await this.client.connect(port);
    this.#fill();
  }

  load(isLoading: boolean): void {
    this.#isLoading = isLoading;
    this.#fill();
  }

  #fill(): void {
    const { clientId, qos, window } = this.#plan;
    while (this.#isLoading && this.client.room > 0 && this.client.underWay < window) {
      const kind = this.#random.pick(KINDS);
      const sequence = this.#sequence++;
      const key = `${clientId}:${sequence}`;
      const topic = `${kind}/${clientId}/${this.#random.integer(0, 1)}`;
      const chosen = this.#random.pick(qos);
      this.#book.recordSent(key, chosen, QUEUES_OF[kind], topic, sequence);
      const payload = Buffer.from(`${key} ${'x'.repeat(this.#random.integer(0, PAYLOAD_BYTES))}`);
      this.client.publish({ key, topic, payload, qos: chosen });
    }
  }
}

class Worker {
  readonly client: WorkerClient;
  readonly #queues: readonly string[];
  readonly #book: WorkBook;
  readonly #random: RandomSource;
  /** Of the connection; another one after each reconnect. */
  #connection: WorkConnection = { endedAtMs: Number.POSITIVE_INFINITY };
  #held: WorkItem[] = [];
  /** It does nothing any more but its work. */
  isGood = false;

  constructor(
    [clientId, version, queues]: (typeof WORKERS)[number],
    book: WorkBook,
    random: RandomSource,
    onChange: () => void,
  ) {
    this.#queues = queues;
    this.#book = book;
    this.#random = random;
    this.client = new WorkerClient(clientId, version, {
      onWork: (item) => {
        this.#onWork(item);
        onChange();
      },
      onClosed: () => {
        this.recordCut();
        this.#held = [];
        onChange();
      },
      onViolation: (text) => book.recordViolation(text),
    });
  }

  connect(port: number): Promise<boolean> {
    this.#connection = { endedAtMs: Number.POSITIVE_INFINITY };
    return this.client.connect(port, this.#queues);
  }

  recordCut(): void {
    this.#connection.endedAtMs = Math.min(this.#connection.endedAtMs, Date.now());
  }

  /** Acknowledges what it has, and from now on everything. */
  beGood(): void {
    this.isGood = true;
    for (const item of this.#held.splice(0)) this.#acknowledge(item);
  }

  #onWork(item: WorkItem): void {
    this.#book.recordDelivery(item);
    const choice = this.isGood ? 0 : this.#random.next();
    if (choice < 0.7) this.#acknowledge(item);
    else if (choice < 0.83) void this.#promise(item);
    else if (choice < 0.9) this.#refuse(item);
    else if (choice < 0.93) this.#reject(item);
    else if (choice < 0.96) this.#sendBack(item);
    // The rest stays with it until its connection ends.
    else this.#held.push(item);
  }

  #acknowledge(item: WorkItem): void {
    this.#book.recordAcknowledged(item, this.#connection, Date.now());
    this.client.puback(item);
  }

  /** Says that it is done where that is answered; its place is free with PUBACK. */
  async #promise(item: WorkItem): Promise<void> {
    const connection = this.#connection;
    this.#book.recordAckSent(item);
    const isAnswered = await this.client.command(item, 'ack');
    if (isAnswered) this.#book.recordPromised(item);
    if (connection !== this.#connection) return;
    if (isAnswered) this.client.puback(item);
    else this.#acknowledge(item);
  }

  #refuse(item: WorkItem): void {
    if (this.client.version === 5) this.client.puback(item, UNSPECIFIED);
    else this.#command(item, 'nack', 0.02);
  }

  /** Where there is a dead-letter queue; elsewhere it would be gone. */
  #reject(item: WorkItem): void {
    if (item.queue !== 'work') {
      this.#refuse(item);
      return;
    }
    this.#book.recordRejected(item);
    if (this.client.version === 5) this.client.puback(item, PAYLOAD_INVALID);
    else this.#command(item, 'reject');
  }

  #sendBack(item: WorkItem): void {
    if (this.client.version === 5) this.client.puback(item, QUOTA_EXCEEDED);
    else this.#acknowledge(item);
  }

  #command(item: WorkItem, action: WorkAction, delay?: number): void {
    void this.client.command(item, action, delay);
    this.client.puback(item);
  }
}

export class QueueFleet {
  readonly #book: WorkBook;
  readonly #random: RandomSource;
  readonly #changes: Changes;
  readonly #publishers: readonly WorkPublisher[];
  readonly #workers: readonly Worker[];
  #port = 0;
  #isUp = false;
  #breaksConnections = true;

  constructor(book: WorkBook, random: RandomSource, changes: Changes) {
    this.#book = book;
    this.#random = random;
    this.#changes = changes;
    const onProgress = () => this.#onProgress();
    this.#publishers = PUBLISHERS.map((plan) => new WorkPublisher(plan, book, random, onProgress));
    this.#workers = WORKERS.map((plan) => new Worker(plan, book, random, onProgress));
  }

  async setUp(port: number): Promise<void> {
    this.#port = port;
    await Promise.all(this.#publishers.map((publisher) => publisher.setUp(port)));
    await Promise.all(this.#workers.map((worker) => worker.connect(port)));
    // From now on connections break: not before everybody has subscribed.
    this.#isUp = true;
  }

  load(): void {
    for (const publisher of this.#publishers) publisher.load(true);
  }

  /** The broker dies in this very turn. */
  recordCut(): void {
    this.#isUp = false;
    for (const publisher of this.#publishers) {
      publisher.load(false);
      publisher.client.expectLoss();
    }
    for (const worker of this.#workers) {
      worker.recordCut();
      worker.client.expectLoss();
    }
  }

  async waitUntilCut(): Promise<void> {
    const everybody = [...this.#publishers, ...this.#workers];
    await this.#changes.until(
      () => everybody.every(({ client }) => client.isClosed),
      () => 'connections to end',
    );
  }

  async reconnect(port: number): Promise<void> {
    this.#port = port;
    this.#isUp = true;
    await Promise.all(this.#publishers.map((publisher) => publisher.connect(port)));
    await Promise.all(this.#workers.map((worker) => worker.connect(port)));
  }

  /** Publishers come to an end; workers do nothing but their work. */
  async finish(): Promise<void> {
    this.#breaksConnections = false;
    for (const publisher of this.#publishers) publisher.load(false);
    await this.#changes.until(
      () => [...this.#publishers, ...this.#workers].every(({ client }) => client.isConnected),
      () => 'everybody to be back',
    );
    for (const worker of this.#workers) worker.beGood();
    await this.#changes.until(
      () => this.#publishers.every(({ client }) => client.isConnected && client.underWay === 0),
      () => 'the last messages to be taken',
    );
  }

  /** Everybody leaves in order. */
  async leave(): Promise<void> {
    this.#isUp = false;
    for (const { client } of [...this.#publishers, ...this.#workers]) client.disconnect();
    await this.waitUntilCut();
  }

  #onProgress(): void {
    this.#changes.notify();
    if (!this.#isUp || !this.#breaksConnections) return;
    if (this.#random.chance(PUBLISHER_BREAKS)) this.#break(this.#random.pick(this.#publishers));
    if (this.#random.chance(WORKER_BREAKS)) this.#break(this.#random.pick(this.#workers));
  }

  /** It comes back as soon as it is gone. */
  #break(member: WorkPublisher | Worker): void {
    // Nobody who is about to come back.
    if (!member.client.isConnected) return;
    member.client.destroy();
    void this.#changes
      .until(
        () => member.client.isClosed,
        () => 'a connection to end',
      )
      .then(async () => {
        if (this.#isUp && member.client.isClosed) await member.connect(this.#port);
      })
      .catch((error: unknown) => {
        if (this.#isUp) this.#book.recordViolation(`could not come back: ${String(error)}`);
      });
  }
}
