/**
 * One run against work queues: publishers and workers at work, a broker that is cut off at a random moment, again and again, then
 * everything is taken, dead letters too, and the books are compared. How the broker is started and cut off is the caller's.
 */
import type { BrokerProcess } from './broker-process.js';
import { Changes } from './changes.js';
import { DEAD_LETTERS, QueueFleet, WORK_QUEUES } from './queue-fleet.js';
import { RandomSource } from './random-source.js';
import { WorkBook, type WorkTotals } from './work-book.js';
import { WorkQueueFigures } from './work-queue-figures.js';
import { WorkerClient } from './worker-client.js';

export interface QueueCrashRunOptions {
  readonly rounds: number;
  readonly seed: number;
  /** Starts the broker on what the last one left behind. */
  start(): Promise<BrokerProcess>;
  /** Ends it without a warning. */
  cut(broker: BrokerProcess): Promise<void>;
  onRound?(round: number, totals: WorkTotals): void;
}

export interface QueueCrashRunResult {
  readonly violations: readonly string[];
  readonly totals: WorkTotals;
  readonly log: readonly string[];
}

/** Messages that the broker takes, and then deliveries that workers get, in one round before it is cut off. */
const SHORTEST_ROUND = 100;
const LONGEST_ROUND = 1500;
const MOST_DELIVERIES = 500;

export async function runQueueCrashes(options: QueueCrashRunOptions): Promise<QueueCrashRunResult> {
  const random = new RandomSource(options.seed);
  const changes = new Changes();
  const book = new WorkBook(WORK_QUEUES);
  const run = new QueueCrashRun(options, book, random, changes);
  try {
    await run.begin();
    for (let round = 1; round <= options.rounds; round++) await run.round(round);
    await run.end();
  } catch (error) {
    book.recordViolation(`the run could not go on: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    await run.stop();
  }
  return { violations: book.verdict(), totals: book.totals(), log: run.log };
}

class QueueCrashRun {
  readonly #options: QueueCrashRunOptions;
  readonly #book: WorkBook;
  readonly #random: RandomSource;
  readonly #changes: Changes;
  readonly #fleet: QueueFleet;
  #broker: BrokerProcess | undefined;
  #isCutting = false;

  constructor(options: QueueCrashRunOptions, book: WorkBook, random: RandomSource, changes: Changes) {
    this.#options = options;
    this.#book = book;
    this.#random = random;
    this.#changes = changes;
    this.#fleet = new QueueFleet(book, random, changes);
  }

  get log(): readonly string[] {
    return this.#broker?.log ?? [];
  }

  async begin(): Promise<void> {
    const { port } = await this.#start();
    await this.#fleet.setUp(port);
  }

  async round(round: number): Promise<void> {
    this.#options.onRound?.(round, this.#book.totals());
    this.#fleet.load();
    await this.#until('acknowledged', this.#random.integer(SHORTEST_ROUND, LONGEST_ROUND));
    await this.#until('deliveries', this.#random.integer(1, MOST_DELIVERIES));
    await this.#cut();
    // A crash may follow on a crash, before anybody is back.
    if (this.#random.chance(0.3)) {
      await this.#start();
      await this.#cut();
    }
    const { port } = await this.#start();
    await this.#checkFigures(port, (figures) => figures.missing === 0, 'nothing missing');
    await this.#fleet.reconnect(port);
  }

  async end(): Promise<void> {
    const port = this.#broker?.port ?? 0;
    await this.#fleet.finish();
    const names = WORK_QUEUES.map(({ name }) => name);
    await this.#checkFigures(port, (figures) => names.every((name) => figures.left(name) === 0), 'empty queues');
    await this.#takeDeadLetters(port);
    await this.#checkFigures(port, ({ missing, total }) => missing === 0 && total === 0, 'nothing left or missing');
    await this.#fleet.leave();
  }

  async stop(): Promise<void> {
    this.#isCutting = true;
    this.#fleet.recordCut();
    await this.#broker?.kill();
  }

  async #start(): Promise<BrokerProcess> {
    const broker = await this.#options.start();
    this.#broker = broker;
    this.#isCutting = false;
    void broker.exited.then(({ code, signal }) => {
      if (this.#isCutting || broker !== this.#broker) return;
      this.#changes.fail(new Error(`the broker died (${signal ?? code}):\n${broker.log.slice(-20).join('\n')}`));
    });
    return broker;
  }

  async #cut(): Promise<void> {
    if (this.#broker === undefined) return;
    this.#isCutting = true;
    this.#fleet.recordCut();
    await this.#options.cut(this.#broker);
    await this.#fleet.waitUntilCut();
  }

  #until(what: 'acknowledged' | 'deliveries', more: number): Promise<void> {
    const target = this.#book[what] + more;
    return this.#changes.until(
      () => this.#book[what] >= target,
      () => `${target - this.#book[what]} more ${what}`,
    );
  }

  async #checkFigures(port: number, isRight: (figures: WorkQueueFigures) => boolean, what: string): Promise<void> {
    const figures = await WorkQueueFigures.read(port, isRight);
    if (!isRight(figures)) this.#book.recordViolation(`the broker does not say ${what}: ${figures}`);
  }

  /** A dead letter is worth no more than any other message: it is there until a worker has acknowledged it. */
  async #takeDeadLetters(port: number): Promise<void> {
    const worker: WorkerClient = new WorkerClient('w-dead', 5, {
      onWork: (item) => {
        this.#book.recordDelivery(item);
        worker.puback(item);
      },
      onClosed: () => this.#changes.notify(),
      onViolation: (text) => this.#book.recordViolation(text),
    });
    await worker.connect(port, [DEAD_LETTERS]);
    await this.#checkFigures(port, (figures) => figures.left(DEAD_LETTERS) === 0, 'no dead letters left');
    worker.disconnect();
    await this.#changes.until(
      () => worker.isClosed,
      () => 'the end of a connection',
    );
  }
}
