/**
 * When messages become visible or due: a binary heap by time, then by sequence number. A deadline that has been
 * overtaken stays until it is reached, or until more are stale than not.
 */
const STALE_FROM = 4096;

/** Whether a deadline still stands. */
export type IsLive = (sequence: number, dueAtMs: number) => boolean;

export class DeadlineHeap {
  #times: number[] = [];
  #sequences: number[] = [];
  #live = 0;
  readonly #isLive: IsLive;

  constructor(isLive: IsLive) {
    this.#isLive = isLive;
  }

  /** The earliest time at which something may be due; Infinity for none. */
  get earliestMs(): number {
    return this.#times[0] ?? Number.POSITIVE_INFINITY;
  }

  push(sequence: number, dueAtMs: number): void {
    this.#live++;
    this.#insert(sequence, dueAtMs);
  }

  /** A deadline that was pushed does not stand any more. */
  onStale(): void {
    this.#live--;
    if (this.#times.length > 2 * this.#live + STALE_FROM) this.#rebuild();
  }

  /** Takes the first that is due; -1 if there is none. */
  takeDue(nowMs: number): number {
    while (this.#times.length > 0 && (this.#times[0] as number) <= nowMs) {
      const dueAtMs = this.#times[0] as number;
      const sequence = this.#sequences[0] as number;
      this.#removeFirst();
      if (!this.#isLive(sequence, dueAtMs)) continue;
      this.#live--;
      return sequence;
    }
    return -1;
  }

  #insert(sequence: number, dueAtMs: number): void {
    const times = this.#times;
    const sequences = this.#sequences;
    let at = times.length;
    times.push(dueAtMs);
    sequences.push(sequence);
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (!isBefore(dueAtMs, sequence, times[parent] as number, sequences[parent] as number)) break;
      times[at] = times[parent] as number;
      sequences[at] = sequences[parent] as number;
      at = parent;
    }
    times[at] = dueAtMs;
    sequences[at] = sequence;
  }

  #removeFirst(): void {
    const times = this.#times;
    const sequences = this.#sequences;
    const time = times.pop() as number;
    const sequence = sequences.pop() as number;
    const length = times.length;
    if (length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= length) break;
      const right = child + 1;
      if (
        right < length &&
        isBefore(times[right] as number, sequences[right] as number, times[child] as number, sequences[child] as number)
      ) {
        child = right;
      }
      if (!isBefore(times[child] as number, sequences[child] as number, time, sequence)) break;
      times[at] = times[child] as number;
      sequences[at] = sequences[child] as number;
      at = child;
    }
    times[at] = time;
    sequences[at] = sequence;
  }

  #rebuild(): void {
    const times = this.#times;
    const sequences = this.#sequences;
    this.#times = [];
    this.#sequences = [];
    for (const [index, sequence] of sequences.entries()) {
      const dueAtMs = times[index] as number;
      if (this.#isLive(sequence, dueAtMs)) this.#insert(sequence, dueAtMs);
    }
  }
}

function isBefore(time: number, sequence: number, otherTime: number, otherSequence: number): boolean {
  return time < otherTime || (time === otherTime && sequence < otherSequence);
}
