/** The backlog of a session that ends with its connection: the messages, in memory. */
import type { Qos } from '../core/message.js';
import type { Publication } from '../core/publication.js';
import type { MessageQueue } from '../store/message-queue.js';
import { type Backlog, emptyTakenMessage, type TakeOutcome } from './backlog.js';

export class MemoryBacklog implements Backlog {
  readonly taken = emptyTakenMessage();
  readonly refusal = 'queue-full';
  readonly #queue: MessageQueue;

  constructor(queue: MessageQueue) {
    this.#queue = queue;
  }

  get length(): number {
    return this.#queue.length;
  }

  get bytes(): number {
    return this.#queue.bytes;
  }

  get maximumBytes(): number {
    return this.#queue.maximumBytes;
  }

  offer(publication: Publication, qos: Qos, retain: boolean, identifiers: readonly number[] | null): boolean {
    return this.#queue.offer({ message: publication.keep(), qos, retain, identifiers });
  }

  dropOldest(): boolean {
    return this.#queue.take() !== undefined;
  }

  take(): TakeOutcome {
    const entry = this.#queue.take();
    if (entry === undefined) return 'empty';
    this.taken.message = entry.message;
    this.taken.qos = entry.qos;
    this.taken.retain = entry.retain;
    this.taken.identifiers = entry.identifiers;
    return 'taken';
  }

  clear(): number {
    return this.#queue.clear();
  }
}
