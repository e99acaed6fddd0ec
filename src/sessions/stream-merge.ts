/**
 * Reads several streams as one, in the order of the log: a message that stands in more than one comes once. A heap of
 * stream positions; built when a session begins to read on, from what is there then.
 */
import type { MessageStream } from '../core/message-stream.js';

/** One of the streams, and from where it is read. */
export interface MergeSource {
  readonly stream: MessageStream;
  /** Entries with this number or a smaller one are passed over. */
  readonly after: number;
}

interface Cursor<S extends MergeSource> {
  readonly source: S;
  /** Of the next entry, counted from the stream's beginning: stays right when the stream is trimmed. */
  ordinal: number;
  /** Of the next entry. */
  sequence: number;
}

export class StreamMerge<S extends MergeSource> {
  /** The entry that was read last. */
  sequence = 0;
  bytes = 0;
  /** Where it stood. */
  readonly sources: S[] = [];
  readonly #heap: Cursor<S>[] = [];
  /** Number of the last message that is read: later ones may be in streams that have been left out. */
  readonly last: number;

  constructor(sources: Iterable<S>, last: number) {
    this.last = last;
    for (const source of sources) {
      const { stream } = source;
      const index = stream.indexAfter(source.after);
      if (index === stream.length) continue;
      this.#heap.push({ source, ordinal: stream.trimmed + index, sequence: stream.sequenceAt(index) });
    }
    for (let at = (this.#heap.length >> 1) - 1; at >= 0; at--) this.#sink(at);
  }

  /** Goes on to the next entry. @returns false if there is none */
  advance(): boolean {
    const first = this.#heap[0];
    if (first === undefined || first.sequence > this.last) return false;
    this.sequence = first.sequence;
    const { stream } = first.source;
    this.bytes = stream.bytesAt(first.ordinal - stream.trimmed);
    this.sources.length = 0;
    let top: Cursor<S> | undefined = first;
    while (top !== undefined && top.sequence === this.sequence) {
      this.sources.push(top.source);
      this.#step(top);
      top = this.#heap[0];
    }
    return true;
  }

  /** Moves the topmost cursor on by one. */
  #step(top: Cursor<S>): void {
    const { stream } = top.source;
    const index = ++top.ordinal - stream.trimmed;
    if (index < stream.length) {
      top.sequence = stream.sequenceAt(index);
    } else {
      const last = this.#heap.pop() as Cursor<S>;
      if (this.#heap.length === 0) return;
      this.#heap[0] = last;
    }
    this.#sink(0);
  }

  #sink(from: number): void {
    const heap = this.#heap;
    const cursor = heap[from] as Cursor<S>;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && (heap[child + 1] as Cursor<S>).sequence < (heap[child] as Cursor<S>).sequence)
        child++;
      if ((heap[child] as Cursor<S>).sequence >= cursor.sequence) break;
      heap[at] = heap[child] as Cursor<S>;
      at = child;
    }
    heap[at] = cursor;
  }
}
