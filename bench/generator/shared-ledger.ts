/**
 * The account of messages of which each goes to one member of a shared subscription, whichever that is: one bit for each message says
 * whether it has come. Order is asked of each member by itself: what it gets of one publisher has to come in the order of sending;
 * of what another member got it knows nothing.
 */
import type { DeliveryAccount } from './delivery-account.js';

const FIRST_WORDS = 64;

export class SharedLedger implements DeliveryAccount {
  readonly #publishers: number;
  /** By publisher: the messages that have come. */
  readonly #come: Uint32Array[];
  readonly #comeCount: Float64Array;
  /** By member and publisher: the sequence number after the highest that has come. */
  readonly #next: Uint32Array;
  delivered = 0;
  duplicated = 0;
  reordered = 0;
  foreign = 0;

  constructor(members: number, publishers: number) {
    this.#publishers = publishers;
    this.#come = Array.from({ length: publishers }, () => new Uint32Array(FIRST_WORDS));
    this.#comeCount = new Float64Array(publishers);
    this.#next = new Uint32Array(members * publishers);
  }

  record(stream: number, sequence: number, sent: number): boolean {
    if (sequence >= sent) {
      this.foreign++;
      return false;
    }
    const publisher = stream % this.#publishers;
    const words = this.#wordsFor(publisher, sequence);
    const word = words[sequence >>> 5] as number;
    const bit = 1 << (sequence & 31);
    if ((word & bit) !== 0) {
      this.duplicated++;
      return false;
    }
    words[sequence >>> 5] = word | bit;
    this.#comeCount[publisher] = (this.#comeCount[publisher] as number) + 1;
    if (sequence < (this.#next[stream] as number)) this.reordered++;
    else this.#next[stream] = sequence + 1;
    this.delivered++;
    return true;
  }

  recordForeign(): void {
    this.foreign++;
  }

  missing(sent: readonly number[]): number {
    return sent.reduce((sum, count, publisher) => sum + count - (this.#comeCount[publisher] as number), 0);
  }

  #wordsFor(publisher: number, sequence: number): Uint32Array {
    const words = this.#come[publisher] as Uint32Array;
    if (sequence >>> 5 < words.length) return words;
    const longer = new Uint32Array(Math.max(words.length * 2, (sequence >>> 5) + 1));
    longer.set(words);
    this.#come[publisher] = longer;
    return longer;
  }
}
