/** The redrives of all queues: at most one is running for each, and how far it has come, or the last one came, is on record with the queue. */
import type { Clock } from '../core/clock.js';
import type { Ticket } from '../store/ticket.js';
import type { Queue } from './queue.js';
import { RedriveRunning } from './queue-errors.js';
import { Redrive, type RedriveOptions, type RedriveProgress } from './redrive.js';

export class Redrives {
  readonly #clock: Clock;
  readonly #save: (queue: Queue) => Ticket;
  readonly #running = new Map<Queue, Redrive>();
  /** How the last one of each queue ended. */
  readonly #ended = new Map<Queue, RedriveProgress>();

  /** @param save has the queue's record written, with {@link progressOf} */
  constructor(clock: Clock, save: (queue: Queue) => Ticket) {
    this.#clock = clock;
    this.#save = save;
  }

  /** @throws RedriveRunning @throws InvalidQueueOption */
  start(queue: Queue, options: RedriveOptions): Ticket {
    if (this.#running.has(queue)) throw new RedriveRunning(`A redrive of ${queue.name} is running`);
    const redrive = new Redrive(queue, options, this.#clock, () => {
      this.#running.delete(queue);
      this.#ended.set(queue, redrive.progress);
      this.#save(queue);
    });
    this.#running.set(queue, redrive);
    return this.#save(queue);
  }

  /** @returns false if none is running */
  cancel(queue: Queue): boolean {
    const redrive = this.#running.get(queue);
    redrive?.cancel();
    return redrive !== undefined;
  }

  /** Of the redrive that is running, or the last one; null if there was none. */
  progressOf(queue: Queue): RedriveProgress | null {
    return this.#running.get(queue)?.progress ?? this.#ended.get(queue) ?? null;
  }

  /** The messages that it is about are given up. */
  stop(queue: Queue): void {
    this.#running.get(queue)?.stop();
  }

  /** The queue is given up. */
  forget(queue: Queue): void {
    this.stop(queue);
    this.#ended.delete(queue);
  }

  /** For recovery. */
  restore(queue: Queue, ended: RedriveProgress): void {
    this.#ended.set(queue, ended);
  }

  /** The process is about to end. */
  stopAll(): void {
    for (const redrive of [...this.#running.values()]) redrive.stop();
  }
}
