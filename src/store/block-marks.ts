/**
 * What has become of a block's messages in their queues, as far as it does not follow from nobody needing them any more:
 * a message that only a queue needed is settled when it is released, without a bit of its own. Messages go by their
 * offset: sequence number less the block's first.
 */
import { Bitmap } from './bitmap.js';

export class BlockMarks {
  /** They have changed in the commit that is open. */
  isDirty = false;
  /** They stand in the store, or will with the open commit. */
  isStored = false;
  /** Those that have something to say. */
  #queues: MarksOfQueue[] = [];

  get queues(): readonly MarksOfQueue[] {
    return this.#queues;
  }

  isSettled(queue: number, offset: number): boolean {
    return this.#find(queue)?.settled?.has(offset) ?? false;
  }

  /** For a message that others need still. @param room numbers of messages that the block has now */
  noteSettled(queue: number, offset: number, room: number): void {
    const marks = this.#ensure(queue);
    marks.settled ??= new Bitmap(room);
    marks.settled.add(offset);
    marks.withState?.delete(offset);
  }

  noteState(queue: number, offset: number, room: number): void {
    const marks = this.#ensure(queue);
    marks.withState ??= new Bitmap(room);
    marks.withState.add(offset);
  }

  /** Leaves out the queues that have nothing to say. */
  prune(): void {
    if (this.#queues.some(isEmpty)) this.#queues = this.#queues.filter((marks) => !isEmpty(marks));
  }

  /** The queue is no more. */
  forget(queue: number): void {
    this.#queues = this.#queues.filter((marks) => marks.queue !== queue);
  }

  #find(queue: number): MarksOfQueue | undefined {
    for (let at = 0; at < this.#queues.length; at++) {
      if (this.#queues[at]?.queue === queue) return this.#queues[at];
    }
    return undefined;
  }

  #ensure(queue: number): MarksOfQueue {
    const found = this.#find(queue);
    if (found !== undefined) return found;
    const marks = new MarksOfQueue(queue);
    this.#queues.push(marks);
    return marks;
  }
}

export class MarksOfQueue {
  readonly queue: number;
  settled: Bitmap | null = null;
  withState: Bitmap | null = null;

  constructor(queue: number) {
    this.queue = queue;
  }
}

function isEmpty({ settled, withState }: MarksOfQueue): boolean {
  return (settled?.isEmpty ?? true) && (withState?.isEmpty ?? true);
}
