/**
 * Tells whether a topic has been asked for lately, without keeping it: two generations of a Bloom filter. When the young one has as
 * many topics as it has room for, it becomes the old one, which is forgotten. A topic that was noted is known until as many others
 * have been noted as a generation has room for; of those that were not, fewer than three in a hundred are taken for known.
 *
 * The hash needs no secret: whoever makes up topics of the same bits has them taken for known, and nobody's for unknown.
 */

/** With two of them set for each topic, an eighth is set at most. */
const BITS_PER_TOPIC = 16;
const BITS_PER_WORD = 32;
const SECOND_HASH_PRIME = 0x85ebca6b;

export class RecentTopics {
  readonly #topics: number;
  readonly #mask: number;
  #young: Int32Array;
  #old: Int32Array;
  #noted = 0;

  /** @param topics of a generation */
  constructor(topics: number) {
    this.#topics = topics;
    const bits = 2 ** Math.ceil(Math.log2(Math.max(BITS_PER_WORD, topics * BITS_PER_TOPIC)));
    this.#mask = bits - 1;
    this.#young = new Int32Array(bits / BITS_PER_WORD);
    this.#old = new Int32Array(bits / BITS_PER_WORD);
  }

  /** @param hash of the topic, 32 bits @returns whether it was known before */
  note(hash: number): boolean {
    const first = hash & this.#mask;
    const second = (Math.imul(hash ^ (hash >>> 15), SECOND_HASH_PRIME) >>> 7) & this.#mask;
    if (isSet(this.#young, first) && isSet(this.#young, second)) return true;
    const isKnown = isSet(this.#old, first) && isSet(this.#old, second);
    if (this.#noted >= this.#topics) this.#startGeneration();
    set(this.#young, first);
    set(this.#young, second);
    this.#noted++;
    return isKnown;
  }

  #startGeneration(): void {
    const oldest = this.#old;
    this.#old = this.#young;
    this.#young = oldest.fill(0);
    this.#noted = 0;
  }
}

function isSet(words: Int32Array, bit: number): boolean {
  return ((words[bit >>> 5] as number) & (1 << (bit & 31))) !== 0;
}

function set(words: Int32Array, bit: number): void {
  words[bit >>> 5] = (words[bit >>> 5] as number) | (1 << (bit & 31));
}
