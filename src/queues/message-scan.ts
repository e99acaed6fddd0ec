/**
 * Finds the numbers of the messages of a queue that come after a given one, lowest first, so many at most. A lane is looked at from there
 * on only, so that it costs a search for each group and a look at each message in flight, delayed or back, whatever waits;
 * it is done a slice at a time, while the queue goes on.
 *
 * Nothing is missed: lanes are looked at before what is tracked, a message goes from the one to the other and never back (it may be
 * seen twice, and is listed once), and those that come meanwhile have higher numbers than {@link FoundMessages.upTo}.
 */
import { LowestNumbers } from './lowest-numbers.js';
import type { MessageIndex } from './message-index.js';
import type { TrackedMessage, TrackedState } from './tracked-message.js';

/** Groups and messages that are looked at before the event loop gets its turn. */
const STEPS_PER_SLICE = 4000;

export interface ScanOptions {
  /** Messages with higher numbers are looked for. */
  readonly after: number;
  readonly most: number;
  /** Of one group only; of all unless given. */
  readonly group?: string | undefined;
  /** Of those that were received or delayed, the ones in this state; all messages unless given. */
  readonly tracked?: TrackedState | undefined;
}

/** All messages of the queue with numbers above `after`, up to `upTo`; some of them may be gone by now. */
export interface FoundMessages {
  readonly index: MessageIndex;
  readonly after: number;
  readonly upTo: number;
  readonly sequences: readonly number[];
  /** There may be more above `upTo`. */
  readonly isCut: boolean;
}

export class MessageScan {
  readonly #index: MessageIndex;
  readonly #options: ScanOptions;
  readonly #lowest: LowestNumbers;
  readonly #lastSequence: number;
  readonly #steps: Iterator<void>;

  constructor(index: MessageIndex, options: ScanOptions) {
    this.#index = index;
    this.#options = options;
    this.#lowest = new LowestNumbers(options.most);
    this.#lastSequence = index.lastSequence;
    this.#steps = this.#walk();
  }

  /** @returns null if it has to go on later */
  goOn(): FoundMessages | null {
    for (let left = STEPS_PER_SLICE; left > 0; left--) if (this.#steps.next().done === true) return this.#end();
    return null;
  }

  #end(): FoundMessages {
    const sequences = this.#lowest.take();
    const isCut = sequences.length === this.#options.most;
    const upTo = isCut ? (sequences.at(-1) as number) : this.#lastSequence;
    return { index: this.#index, after: this.#options.after, upTo, sequences, isCut };
  }

  *#walk(): Iterator<void> {
    const { after, group, tracked } = this.#options;
    if (tracked === undefined) {
      for (const lane of group === undefined ? this.#index.lanes() : this.#index.lanesOf(group)) {
        for (const sequence of lane.waitingSequences(after)) {
          if (sequence > this.#lowest.bound) break;
          this.#add(sequence);
        }
        yield;
      }
    }
    for (const message of this.#index.trackedMessages()) {
      if (this.#isWanted(message)) this.#add(message.sequence);
      yield;
    }
  }

  #isWanted({ sequence, state, lane }: TrackedMessage): boolean {
    const { after, group, tracked } = this.#options;
    return sequence > after && (tracked ?? state) === state && (group ?? lane.group) === lane.group;
  }

  #add(sequence: number): void {
    if (sequence <= this.#lastSequence) this.#lowest.add(sequence);
  }
}
