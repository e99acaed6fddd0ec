/**
 * Queues whose definition could not be understood at start. Their messages are kept as they are, under a number that is not used again, until
 * somebody has mended the definition, so that a later start finds them with what is known of each; or until somebody gives the queue up.
 */
export interface QuarantinedQueue {
  readonly number: number;
  readonly messages: number;
}

interface Kept {
  readonly sequences: number[];
  /** By sequence number: marks are written anew as a whole, and must not lose them. */
  readonly states: Map<number, Buffer>;
}

export class QuarantinedQueues {
  readonly #byNumber = new Map<number, Kept>();

  add(number: number): void {
    this.#byNumber.set(number, { sequences: [], states: new Map() });
  }

  list(): QuarantinedQueue[] {
    return [...this.#byNumber].map(([number, { sequences }]) => ({ number, messages: sequences.length }));
  }

  /** @returns false if no such queue is kept */
  restoreMessage(number: number, sequence: number, state: Buffer | null): boolean {
    const kept = this.#byNumber.get(number);
    if (kept === undefined) return false;
    kept.sequences.push(sequence);
    // A copy: what was read is let go.
    if (state !== null) kept.states.set(sequence, Buffer.from(state));
    return true;
  }

  /** The queue is given up. @returns its messages, or undefined if no such queue is kept */
  take(number: number): readonly number[] | undefined {
    const kept = this.#byNumber.get(number);
    this.#byNumber.delete(number);
    return kept?.sequences;
  }

  encodeState(number: number, sequence: number): Buffer | null {
    return this.#byNumber.get(number)?.states.get(sequence) ?? null;
  }
}
