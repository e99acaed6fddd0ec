/**
 * Random work with queues that keep a history, on a database that is cut off at any moment, against a plain account of what happened: what was on
 * the disk is found in its true order, what was not is found in order as far as it got there or not at all, and
 * history and queue agree on which messages are left. MILLRACE_LONG=1 makes hundreds of runs.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Delivery } from '../../../src/queues/delivery.js';
import type { TracedMessage } from '../../../src/queues/history/trace-query.js';
import type { QueueOptions } from '../../../src/queues/queue-options.js';
import { LevelQueueWorld } from '../../support/stored-queue-world.js';

const RUNS = process.env['MILLRACE_LONG'] === '1' ? 300 : 20;
const VISIBILITY_MS = 1000;
const OPTIONS: Partial<QueueOptions> = {
  historyMs: 86_400_000,
  visibilityTimeoutMs: VISIBILITY_MS,
  retry: { delaysMs: [0] },
};

type Command =
  | { do: 'enqueue' | 'commit' }
  | { do: 'receive'; max: number }
  | { do: 'acknowledge' | 'refuse' | 'reject'; which: number }
  | { do: 'advance'; ms: number }
  | { do: 'crash'; downMs: number };

const which = fc.nat(20);
const commands: fc.Arbitrary<Command[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('enqueue' as const) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('commit' as const) }) },
    { weight: 5, arbitrary: fc.record({ do: fc.constant('receive' as const), max: fc.integer({ min: 1, max: 4 }) }) },
    { weight: 5, arbitrary: fc.record({ do: fc.constantFrom('acknowledge' as const, 'refuse' as const), which }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('reject' as const), which }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.constantFrom(10, 600, 1500) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('crash' as const), downMs: fc.constantFrom(0, 0, 5000) }) },
  ),
  { minLength: 10, maxLength: 50 },
);

/** A message, with what happened to it: `queue: what`. */
interface Account {
  readonly events: string[];
  /** So many of them are on the disk for certain. */
  sure: number;
  /** When its receive is over; 0 if it is not in flight. */
  dueAtMs: number;
}

class Run {
  #world: LevelQueueWorld;
  readonly #accounts = new Map<string, Account>();
  #deliveries: Delivery[] = [];

  constructor(world: LevelQueueWorld) {
    this.#world = world;
    this.#makeQueues();
  }

  async play(list: readonly Command[]): Promise<void> {
    for (const command of list) await this.#do(command);
    await this.#commit();
    await this.#check();
  }

  async #do(command: Command): Promise<void> {
    const queue = this.#world.queue('q');
    switch (command.do) {
      case 'enqueue': {
        const outcome = this.#world.enqueue(queue, 'x');
        if (outcome.status === 'enqueued') {
          this.#accounts.set(outcome.id, { events: ['q: enqueued'], sure: 0, dueAtMs: 0 });
        }
        return;
      }
      case 'commit':
        return await this.#commit();
      case 'receive':
        return await this.#receive(command.max);
      case 'advance':
        this.#world.clock.advance(command.ms);
        return this.#noteTimeouts();
      case 'crash':
        return await this.#crash(command.downMs);
      default:
        return this.#settle(command.do, command.which);
    }
  }

  async #receive(max: number): Promise<void> {
    const deliveries = await this.#world.take(this.#world.queue('q'), max);
    for (const delivery of deliveries) {
      const account = this.#accountOf(delivery.entry.id);
      account.events.push(`q: delivered ${delivery.attempt}`);
      account.dueAtMs = this.#world.clock.now() + VISIBILITY_MS;
    }
    this.#deliveries.push(...deliveries);
    // They were answered, so everything up to there is on the disk; with nothing to answer it need not be.
    if (deliveries.length > 0) this.#noteSure();
  }

  #settle(verb: 'acknowledge' | 'refuse' | 'reject', index: number): void {
    const [delivery] = this.#deliveries.splice(index % Math.max(1, this.#deliveries.length), 1);
    if (delivery === undefined) return;
    const account = this.#accountOf(delivery.entry.id);
    if (account.dueAtMs === 0 || account.events.at(-1) !== `q: delivered ${delivery.attempt}`) return;
    account.dueAtMs = 0;
    const queue = this.#world.queue('q');
    expect(queue[verb]([delivery.receiptHandle])).toEqual(['done']);
    if (verb === 'acknowledge') account.events.push('q: acknowledged');
    else if (verb === 'refuse') account.events.push('q: returned refused');
    else account.events.push('q: dead-lettered', 'dead: enqueued');
  }

  #noteTimeouts(): void {
    const nowMs = this.#world.clock.now();
    for (const account of this.#accounts.values()) {
      if (account.dueAtMs === 0 || account.dueAtMs > nowMs) continue;
      account.dueAtMs = 0;
      account.events.push('q: returned visibility-timeout');
    }
  }

  async #commit(): Promise<void> {
    await this.#world.commit();
    this.#noteSure();
  }

  #noteSure(): void {
    for (const account of this.#accounts.values()) account.sure = account.events.length;
  }

  /** What is not sure may have got to the disk, or not. */
  async #crash(downMs: number): Promise<void> {
    this.#world = await this.#world.crash(downMs);
    this.#deliveries = [];
    this.#makeQueues();
    await this.#world.commit();
    const nowMs = this.#world.clock.now();
    for (const [id, account] of this.#accounts) {
      const found = await this.#eventsOf(id);
      const happened = [...account.events];
      // Nobody was there when its time was over: the start has made up for it.
      if (account.dueAtMs !== 0 && account.dueAtMs <= nowMs) happened.push('q: returned visibility-timeout');
      expect(found.length).toBeGreaterThanOrEqual(account.sure);
      const isSettledLater = account.sure < account.events.length && found.length <= account.events.length;
      if (isSettledLater && found.at(-1) === 'q: returned visibility-timeout' && found.length - 1 === account.sure) {
        // What settled it had not got to the disk, so that its time was over after all.
        expect(found.slice(0, -1)).toEqual(happened.slice(0, found.length - 1));
      } else expect(found).toEqual(happened.slice(0, found.length));
      if (found.length === 0) this.#accounts.delete(id);
      account.events.splice(0, account.events.length, ...found);
      account.sure = found.length;
      if (account.events.at(-1)?.startsWith('q: delivered') !== true) account.dueAtMs = 0;
      else if (account.dueAtMs === 0) account.dueAtMs = Number.POSITIVE_INFINITY;
    }
    await this.#check();
    // The receipts are lost with the process: what is in flight comes back by itself.
    this.#world.clock.advance(VISIBILITY_MS);
    for (const account of this.#accounts.values()) {
      if (account.dueAtMs !== 0) account.events.push('q: returned visibility-timeout');
      account.dueAtMs = 0;
    }
    await this.#commit();
  }

  /** Everything is found as it happened, and the queues have what their history says is there. */
  async #check(): Promise<void> {
    for (const [id, { events }] of this.#accounts) expect(await this.#eventsOf(id)).toEqual(events);
    for (const name of ['q', 'dead']) {
      const { ready, inFlight, delayed } = this.#world.queue(name).statistics;
      const { messages } = await this.#world.registry.search({ queue: name, limit: 1000 });
      const left = messages.filter(({ leftAtMs }) => leftAtMs === null);
      expect([name, left.length]).toEqual([name, ready + inFlight + delayed]);
      expect(left.filter(({ state }) => state === 'in-flight')).toHaveLength(inFlight);
    }
  }

  async #eventsOf(id: string): Promise<string[]> {
    const { messages } = await this.#world.registry.search({ id, order: 'oldest-first' });
    return messages.flatMap((message) => describeEvents(message));
  }

  #accountOf(id: string): Account {
    const account = this.#accounts.get(id);
    if (account === undefined) throw new RangeError(`${id} was never enqueued`);
    return account;
  }

  #makeQueues(): void {
    this.#world.queue('dead', OPTIONS);
    this.#world.queue('q', { ...OPTIONS, deadLetter: { queue: 'dead', maxReceives: 1000 } });
  }
}

function describeEvents({ queue, events }: TracedMessage): string[] {
  return events.map((event) => {
    if (event.kind === 'delivered') return `${queue}: delivered ${event.attempt}`;
    if (event.kind === 'returned') return `${queue}: returned ${event.reason}`;
    return `${queue}: ${event.kind}`;
  });
}

it('the history of queues is true after every crash', { timeout: 240_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(commands, async (list) => {
      const world = await LevelQueueWorld.open();
      await new Run(world).play(list);
    }),
    { numRuns: RUNS },
  );
});
