/**
 * What a full queue has refused, as ranges of sequence numbers: a kept session's queue is what its streams hold, so
 * what is not to come must be said. Owned by StreamBacklog, which has none until something is refused.
 */
export class BacklogHoles {
  /** Pairs: the first number that was refused, and the first that was taken again. */
  readonly #pairs: number[];
  /** The first number that was refused, while everything is; 0 while messages are taken. */
  #closedFrom = 0;
  /** The last pair may be that of a number which no message got. */
  #hasSkipped = false;

  constructor(pairs: readonly number[] = []) {
    this.#pairs = [...pairs];
  }

  /** From the number that was refused first on, everything is refused until {@link reopen}. */
  get isClosed(): boolean {
    return this.#closedFrom !== 0;
  }

  get isEmpty(): boolean {
    return this.#closedFrom === 0 && this.#pairs.length === 0;
  }

  /** @param next the number that is refused first */
  close(next: number): void {
    this.#closedFrom = next;
  }

  /** @param next the number that is taken first */
  reopen(next: number): void {
    this.#pairs.push(this.#closedFrom, next);
    this.#closedFrom = 0;
  }

  /** One number is refused. */
  skip(next: number): void {
    this.#pairs.push(next, next + 1);
    this.#hasSkipped = true;
  }

  /** What was refused and went to nobody else got no number: the next message has it. */
  dropUnused(next: number): void {
    if (!this.#hasSkipped) return;
    this.#hasSkipped = false;
    const pairs = this.#pairs;
    while (pairs.length > 0 && (pairs[pairs.length - 2] as number) >= next) pairs.length -= 2;
  }

  has(sequence: number): boolean {
    if (this.#closedFrom !== 0 && sequence >= this.#closedFrom) return true;
    const pairs = this.#pairs;
    for (let at = 0; at < pairs.length; at += 2) {
      if (sequence >= (pairs[at] as number) && sequence < (pairs[at + 1] as number)) return true;
    }
    return false;
  }

  /** Everything up to `position` is done with. */
  forgetThrough(position: number): void {
    while (this.#pairs.length > 0 && (this.#pairs[1] as number) <= position + 1) this.#pairs.splice(0, 2);
  }

  /** As it is stored. @param next the number that the next message gets */
  pairsUntil(next: number): readonly number[] {
    this.dropUnused(next);
    return this.#closedFrom === 0 ? this.#pairs : [...this.#pairs, this.#closedFrom, next];
  }
}
