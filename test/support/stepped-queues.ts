/** Queues whose commits, reads and crashes happen when a model test says so, whatever they are stored in. */
import type { EnqueueOptions, EnqueueOutcome } from '../../src/queues/intake.js';
import type { Queue } from '../../src/queues/queue.js';
import type { QueueRegistry } from '../../src/queues/queue-registry.js';
import type { Ticket } from '../../src/store/ticket.js';
import type { ManualClock } from './manual-clock.js';

export const CRASH_ENDS = [
  /** What was being written has not got to the disk. */
  'lost',
  /** A part of it has. */
  'torn',
  /** It has, but nobody was told. */
  'written',
  /** No crash: stopped in order, with everything that was recorded on the disk. */
  'stopped',
] as const;
export type CrashEnd = (typeof CRASH_ENDS)[number];

export interface SteppedQueues {
  readonly clock: ManualClock;
  /** Another one after each crash. */
  readonly registry: QueueRegistry;
  readonly settledTicket: Ticket;
  /** Messages that some queue needs, as the log counts them. */
  readonly messages: number;
  /** Ids of the messages that a queue needs, as they were put into the log and taken from it. */
  idsOf(queue: number): Set<string>;
  /** The id of a message that some queue needs. */
  idOf(sequence: number): string | null;
  ensure(name: string, options: Parameters<QueueRegistry['ensure']>[1]): Queue;
  enqueue(queue: Queue, payload: string, options: EnqueueOptions): EnqueueOutcome;
  /** What has been recorded so far begins to be written, unless something is being written. */
  close(): Promise<void> | void;
  /** What is being written is on the disk. */
  settle(): Promise<void> | void;
  /** Everything that has been recorded is on the disk. */
  commit(): Promise<void> | void;
  /** Content has to be read from now on. */
  cool(): void;
  /** What somebody asked for has been read. */
  load(): Promise<void> | void;
  /** The process ends, and starts again after a while. */
  crash(end: CrashEnd, downMs: number): Promise<void> | void;
  /** Nothing will be asked of it any more. */
  dispose(): Promise<void> | void;
}
