/** Queues on a log in memory: thousands of crashes a second. */
import type { EnqueueOptions, EnqueueOutcome } from '../../src/queues/intake.js';
import type { Queue } from '../../src/queues/queue.js';
import type { QueueOptions } from '../../src/queues/queue-options.js';
import type { QueueRegistry } from '../../src/queues/queue-registry.js';
import type { Ticket } from '../../src/store/ticket.js';
import type { ManualClock } from './manual-clock.js';
import { QueueWorld } from './queue-world.js';
import type { CrashEnd, SteppedQueues } from './stepped-queues.js';

export class MemorySteppedQueues implements SteppedQueues {
  readonly #world = new QueueWorld();

  get clock(): ManualClock {
    return this.#world.clock;
  }

  get registry(): QueueRegistry {
    return this.#world.registry;
  }

  get settledTicket(): Ticket {
    return this.#world.log.settledTicket;
  }

  get messages(): number {
    return this.#world.log.messages;
  }

  idsOf(queue: number): Set<string> {
    return this.#world.log.idsOf(queue);
  }

  idOf(sequence: number): string | null {
    return this.#world.log.idOf(sequence);
  }

  ensure(name: string, options: Partial<QueueOptions> = {}): Queue {
    return this.#world.queue(name, options);
  }

  enqueue(queue: Queue, payload: string, options: EnqueueOptions): EnqueueOutcome {
    return this.#world.enqueue(queue, payload, options);
  }

  close(): void {
    this.#world.log.close();
  }

  settle(): void {
    this.#world.log.settleClosed();
  }

  commit(): void {
    this.#world.log.commit();
  }

  cool(): void {
    this.#world.log.cool();
  }

  load(): void {
    this.#world.log.load();
  }

  crash(end: CrashEnd, downMs: number): void {
    if (end === 'stopped') this.#world.log.close();
    this.#world.crash(end === 'written' || end === 'stopped', downMs);
  }

  dispose(): void {
    this.#world.registry.stop();
  }
}
