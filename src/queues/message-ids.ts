/** Gives out message ids: 24 characters, unique among all processes that began with another prefix. */
export class MessageIds {
  readonly #prefix: string;
  #next = 0;

  /** @param random 9 bytes, drawn at each start */
  constructor(random: Buffer) {
    this.#prefix = random.toString('base64url');
  }

  next(): string {
    return this.#prefix + (this.#next++).toString(16).padStart(12, '0');
  }
}
