/**
 * Records the queues: what each is, as bytes that only queues understand, and its chunks, a journal whose beginning is
 * removed as it gets old. Each verb puts its change into the open group, and returns that group's ticket.
 */
import { chunkKey, queueKey } from './catalogue-keys.js';
import type { CommittedLevel } from './committed-level.js';
import type { Ticket } from './ticket.js';

export class QueueCatalogue {
  readonly #level: CommittedLevel;
  /** Numbers of the chunks that each queue has, in order. */
  readonly #chunks = new Map<number, number[]>();

  constructor(level: CommittedLevel) {
    this.#level = level;
  }

  /** A chunk stands in the store. Told of each, in order, before anything is recorded. */
  noteChunk(queue: number, chunk: number): void {
    const chunks = this.#chunks.get(queue);
    if (chunks === undefined) this.#chunks.set(queue, [chunk]);
    else if (chunk > (chunks.at(-1) as number)) chunks.push(chunk);
    else if (!chunks.includes(chunk))
      chunks.splice(
        chunks.findIndex((other) => other > chunk),
        0,
        chunk,
      );
  }

  saved(queue: number, bytes: Buffer): Ticket {
    return this.#level.putNow(queueKey(queue), bytes);
  }

  /** Removes the chunks too. */
  removed(queue: number): Ticket {
    this.chunksRemoved(queue, Number.POSITIVE_INFINITY);
    return this.#level.delNow(queueKey(queue));
  }

  chunkSaved(queue: number, chunk: number, bytes: Buffer): Ticket {
    this.noteChunk(queue, chunk);
    return this.#level.putNow(chunkKey(queue, chunk), bytes);
  }

  /** Not synced by itself: what a crash brings back is old. */
  chunksRemoved(queue: number, below: number): Ticket {
    const chunks = this.#chunks.get(queue) ?? [];
    const kept = chunks.findIndex((chunk) => chunk >= below);
    for (const chunk of chunks.splice(0, kept === -1 ? chunks.length : kept)) {
      this.#level.delNow(chunkKey(queue, chunk), false);
    }
    if (chunks.length === 0) this.#chunks.delete(queue);
    return this.#level.requireCommit(false);
  }
}
