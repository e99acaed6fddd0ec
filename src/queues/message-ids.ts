/** Gives out message ids: 24 characters, unique among all processes that began with another prefix. */
/** Of one byte each: to write a number out is what an id costs otherwise. */
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const IDS_PER_BLOCK = 2 ** 16;

export class MessageIds {
  readonly #prefix: string;
  #blockPrefix = '';
  #block = 0;
  #next = IDS_PER_BLOCK;

  /** @param random 9 bytes, drawn at each start */
  constructor(random: Buffer) {
    this.#prefix = random.toString('base64url');
  }

  next(): string {
    if (this.#next === IDS_PER_BLOCK) {
      this.#blockPrefix = this.#prefix + (this.#block++).toString(16).padStart(8, '0');
      this.#next = 0;
    }
    const number = this.#next++;
    return this.#blockPrefix + (HEX[number >> 8] as string) + (HEX[number & 0xff] as string);
  }
}
