/**
 * One run: a fleet at work, a broker that is cut off at a random moment, again and again, and the verdict of the books.
 * How the broker is started and how it is cut off is the caller's: kill -9, or a loss of power.
 */
import type { BrokerProcess } from './broker-process.js';
import { Fleet } from './fleet.js';
import type { LedgerTotals } from './ledger.js';
import { readRetained } from './read-retained.js';
import { RunBook } from './run-book.js';

export interface CrashRunOptions {
  readonly rounds: number;
  readonly seed: number;
  /** Starts the broker on what the last one left behind. */
  start(): Promise<BrokerProcess>;
  /** Ends it without a warning; or, in a test of the fleet, only breaks the connections, by calling `sever`. */
  cut(broker: BrokerProcess, sever: () => void): Promise<void>;
  /** The number of a round that begins. */
  onRound?(round: number, totals: LedgerTotals): void;
}

export interface CrashRunResult {
  readonly violations: readonly string[];
  readonly totals: LedgerTotals;
  /** Messages taken, those to retained topics included. */
  readonly acceptances: number;
  /** The last broker's log. */
  readonly log: readonly string[];
}

/** Messages that the broker takes in one round before it is cut off. */
const SHORTEST_ROUND = 100;
const LONGEST_ROUND = 2500;
/** Those that it takes while some clients hear no answers. */
const LONGEST_DEAFNESS = 50;

export async function runCrashes(options: CrashRunOptions): Promise<CrashRunResult> {
  const book = new RunBook(options.seed);
  const fleet = new Fleet(book);
  const run = new CrashRun(options, book, fleet);
  try {
    await run.begin();
    for (let round = 1; round <= options.rounds; round++) await run.round(round);
    await run.end();
  } catch (error) {
    // What was found before explains more than the wait that was in vain.
    book.ledger.recordViolation(`the run could not go on: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    await run.stop();
  }
  return {
    violations: book.ledger.verdict(),
    totals: book.ledger.totals(),
    acceptances: book.acceptances,
    log: run.log,
  };
}

class CrashRun {
  readonly #options: CrashRunOptions;
  readonly #book: RunBook;
  readonly #fleet: Fleet;
  #broker: BrokerProcess | undefined;
  #isCutting = false;

  constructor(options: CrashRunOptions, book: RunBook, fleet: Fleet) {
    this.#options = options;
    this.#book = book;
    this.#fleet = fleet;
  }

  get log(): readonly string[] {
    return this.#broker?.log ?? [];
  }

  async begin(): Promise<void> {
    const { port } = await this.#start();
    await this.#fleet.setUp(port);
  }

  async round(round: number): Promise<void> {
    const { random, ledger } = this.#book;
    ledger.beginRound(round);
    this.#options.onRound?.(round, ledger.totals());
    // Some crashes meet sessions in the middle of fetching what has gathered for them.
    const fetchesMeanwhile = random.chance(0.4);
    this.#fleet.load();
    await this.#acceptMore(random.integer(SHORTEST_ROUND, LONGEST_ROUND));
    if (fetchesMeanwhile) {
      this.#fleet.beginFetching();
      await this.#acceptMore(random.integer(1, SHORTEST_ROUND));
    }
    if (random.chance(0.7)) {
      this.#fleet.deafenSome();
      await this.#acceptMore(random.integer(1, LONGEST_DEAFNESS));
    }
    await this.#cut();
    // A crash may follow on a crash, before anybody is back.
    if (random.chance(0.3)) {
      await this.#start();
      await this.#cut();
    }
    const { port } = await this.#start();
    await this.#checkRetained(port);
    await this.#fleet.reconnect(port);
    await this.#fleet.renewWills();
    if (random.chance(0.6)) {
      await this.#fleet.drain();
      await this.#fleet.sendAway();
    }
  }

  async end(): Promise<void> {
    await this.#fleet.finish();
    const port = this.#broker?.port ?? 0;
    await this.#checkRetained(port);
    const { arrivals } = this.#book.ledger.totals();
    await this.#fleet.visit(port);
    const again = this.#book.ledger.totals().arrivals - arrivals;
    if (again > 0) this.#book.ledger.recordViolation(`${again} messages came again after they had been answered`);
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
      this.#book.changes.fail(new Error(`the broker died (${signal ?? code}):\n${broker.log.slice(-20).join('\n')}`));
    });
    return broker;
  }

  async #cut(): Promise<void> {
    if (this.#broker === undefined) return;
    this.#isCutting = true;
    this.#fleet.recordCut();
    await this.#options.cut(this.#broker, () => this.#fleet.sever());
    await this.#fleet.waitUntilCut();
  }

  #acceptMore(count: number): Promise<void> {
    const target = this.#book.acceptances + count;
    return this.#book.changes.until(
      () => this.#book.acceptances >= target,
      () => `${target - this.#book.acceptances} more messages to be taken`,
    );
  }

  async #checkRetained(port: number): Promise<void> {
    const found = await readRetained(port, 'retained/#');
    for (const violation of this.#book.retained.verdict(found)) this.#book.ledger.recordViolation(violation);
  }
}
