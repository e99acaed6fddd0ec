/**
 * The last message of each key, in a queue that is compacted: a new message takes the place of the one that waits. What is in flight is left
 * to its consumer, and goes when it would come back. What leaves the queue otherwise is noticed when its key is looked
 * up, or when more keys are noted than the queue can have: about 200 bytes for each, twice as many as messages at most.
 */
import type { MessageEntry } from './entry-codec.js';
import type { QueueCore } from './queue-core.js';
import { IN_FLIGHT } from './tracked-message.js';

interface LastValue {
  readonly sequence: number;
  readonly group: string;
  readonly priority: number;
  readonly enqueuedAtMs: number;
}

/** Keys that may be noted in vain before those are looked for. */
const KEYS_IN_VAIN = 1024;

export class LastValues {
  readonly #core: QueueCore;
  readonly #byKey = new Map<string, LastValue>();

  constructor(core: QueueCore) {
    this.#core = core;
  }

  /** Keys that are noted, some of them maybe in vain. */
  get size(): number {
    return this.#byKey.size;
  }

  /** A new message with this key takes the place of another. */
  hasIdle(key: string): boolean {
    const last = this.#byKey.get(key);
    return last !== undefined && this.#stateOf(last) === 'idle';
  }

  /** A message has been placed. @param isMoved from another queue, where a newer one may have overtaken it */
  onPlaced(entry: MessageEntry, sequence: number, isMoved: boolean): void {
    const value = lastValueOf(entry, sequence);
    const last = this.#byKey.get(entry.key);
    const state = last === undefined ? 'gone' : this.#stateOf(last);
    if (last === undefined || state === 'gone') {
      this.#note(entry.key, value);
    } else if (isMoved && last.enqueuedAtMs >= entry.enqueuedAtMs) {
      // Of the same millisecond is taken for older what has been worked on already.
      this.#drop(value);
    } else {
      this.#byKey.set(entry.key, value);
      this.#giveWay(last);
    }
  }

  /** A message that was there before its key was noted, or is noted already. */
  onFound(entry: MessageEntry, sequence: number): void {
    const value = lastValueOf(entry, sequence);
    const last = this.#byKey.get(entry.key);
    if (this.#stateOf(value) === 'gone' || last?.sequence === sequence) return;
    if (last === undefined || this.#stateOf(last) === 'gone') {
      this.#note(entry.key, value);
    } else if (last.sequence > sequence) {
      this.#giveWay(value);
    } else {
      this.#byKey.set(entry.key, value);
      this.#giveWay(last);
    }
  }

  /** For recovery, in order, before the message itself. @returns false if an earlier one of its key has yet to give way */
  restore(entry: MessageEntry, sequence: number): boolean {
    const last = this.#byKey.get(entry.key);
    const isLeft = last !== undefined && this.#stateOf(last) !== 'gone' && !this.#isSuperseded(last);
    this.#note(entry.key, lastValueOf(entry, sequence));
    return !isLeft;
  }

  clear(): void {
    this.#byKey.clear();
  }

  #note(key: string, value: LastValue): void {
    this.#byKey.set(key, value);
    if (this.#byKey.size <= 2 * this.#core.index.count + KEYS_IN_VAIN) return;
    for (const [known, last] of this.#byKey) if (this.#stateOf(last) === 'gone') this.#byKey.delete(known);
  }

  #stateOf({ sequence, group, priority }: LastValue): 'idle' | 'in-flight' | 'gone' {
    const { index } = this.#core;
    const tracked = index.find(sequence);
    if (tracked !== undefined) return tracked.state === IN_FLIGHT ? 'in-flight' : 'idle';
    return index.isWaiting(sequence, group, priority) ? 'idle' : 'gone';
  }

  #isSuperseded({ sequence }: LastValue): boolean {
    return this.#core.index.find(sequence)?.isSuperseded === true;
  }

  /** A newer one has its key. */
  #giveWay(value: LastValue): void {
    if (this.#stateOf(value) === 'idle') this.#drop(value);
    else this.#supersede(value);
  }

  #drop({ sequence, group, priority }: LastValue): void {
    const { index, counters, history, meanBytes } = this.#core;
    const tracked = index.find(sequence);
    history?.onDropped(sequence, tracked, tracked?.bytes ?? meanBytes, 'compacted');
    if (tracked === undefined) index.removeWaiting(sequence, group, priority, -1);
    else index.remove(tracked);
    this.#core.settle(sequence);
    counters.drop('compacted');
  }

  #supersede({ sequence }: LastValue): void {
    const tracked = this.#core.index.find(sequence);
    if (tracked === undefined || tracked.isSuperseded) return;
    tracked.isSuperseded = true;
    this.#core.stateChanged(tracked);
  }
}

function lastValueOf({ group, priority, enqueuedAtMs }: MessageEntry, sequence: number): LastValue {
  return { sequence, group, priority, enqueuedAtMs };
}
