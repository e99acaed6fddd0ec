/**
 * What waits in one message group (of one priority, in a standard queue): numbers of messages that were never received, and
 * of those that have come back. There may be a million groups with one message each: a lane starts as small as it can.
 */
import { SequenceHeap } from './sequence-heap.js';
import { SequenceQueue } from './sequence-queue.js';

/** Priorities 0 to 9 take the lowest digit of what stands for a waiting message. */
const PRIORITIES = 16;

/** A sequence number and a priority in one number. */
export function packWaiting(sequence: number, priority: number): number {
  return sequence * PRIORITIES + priority;
}

export function sequenceOf(packed: number): number {
  return Math.floor(packed / PRIORITIES);
}

export function priorityOf(packed: number): number {
  return packed % PRIORITIES;
}

/** Who has messages of a group in flight, where more of them go to nobody else. */
export interface LaneOwner {
  /** The group has something to give to its owner, or has not. */
  onOwnLane(lane: GroupLane, isReady: boolean): void;
}

/** Somebody who gets no more of a group before all that is in flight of it has been dealt with. */
export const NO_CONSUMER: LaneOwner = { onOwnLane(): void {} };

export class GroupLane {
  readonly group: string;
  /** The priority of all that is in it; -1 if each message has its own, in a fifo queue. */
  readonly priority: number;
  /** The ring of ready lanes that it stands in; owned by ReadyGroups. */
  ring = -1;
  previous: GroupLane | null = null;
  next: GroupLane | null = null;
  /** Messages in flight or delayed. */
  held = 0;
  /** It stands in the heap of OldestLanes. */
  isNoted = false;
  /** Its first message is being read. */
  isLoading = false;
  /** In a standard queue, what came back and what is new take turns: a message that always fails delays nobody. */
  isNewDue = false;
  /** Messages that have come back; may hold some that are not there any more. */
  back: SequenceHeap | null = null;
  /** In a fifo queue: those in flight (not in a pipelined one) or delayed, which hold later ones back. The lowest is looked at only. */
  heldSequences: SequenceHeap | null = null;
  /** In a pipelined queue, what is in flight, in order: everything else in the lane is behind it. */
  pipeline: number[] | null = null;
  /** Whose that is; null if nothing is. */
  owner: LaneOwner | null = null;
  /** The only message that waits; with more of them they are in the queue. */
  #only = 0;
  #queue: SequenceQueue | null = null;

  constructor(group: string, priority: number) {
    this.group = group;
    this.priority = priority;
  }

  /** Messages that wait and were never received. */
  get waiting(): number {
    if (this.#queue !== null) return this.#queue.length;
    return this.#only === 0 ? 0 : 1;
  }

  /** The sequence number of the first of those; 0 for none. */
  get firstSequence(): number {
    return sequenceOf(this.firstWaiting);
  }

  /** The packed first of those; 0 for none. */
  get firstWaiting(): number {
    return this.#queue === null ? this.#only : this.#queue.first;
  }

  push(packed: number): void {
    if (this.#queue !== null) {
      this.#queue.push(packed);
    } else if (this.#only === 0) {
      this.#only = packed;
    } else {
      this.#queue = new SequenceQueue();
      this.#queue.push(this.#only);
      this.#queue.push(packed);
      this.#only = 0;
    }
  }

  takeWaiting(): number {
    if (this.#queue === null) {
      const packed = this.#only;
      this.#only = 0;
      return packed;
    }
    const packed = this.#queue.take();
    if (this.#queue.length === 0) this.#queue = null;
    return packed;
  }

  /** @returns false if it does not wait here */
  removeWaiting(packed: number): boolean {
    if (this.#queue === null) {
      if (this.#only !== packed) return false;
      this.#only = 0;
      return true;
    }
    if (!this.#queue.remove(packed)) return false;
    if (this.#queue.length === 0) this.#queue = null;
    return true;
  }

  hasWaiting(packed: number): boolean {
    return this.#queue === null ? packed !== 0 && this.#only === packed : this.#queue.has(packed);
  }

  pushBack(sequence: number): void {
    this.back ??= new SequenceHeap();
    this.back.push(sequence);
  }

  pushHeld(sequence: number): void {
    this.heldSequences ??= new SequenceHeap();
    this.heldSequences.push(sequence);
  }

  /** Of a pipelined queue: a message is in flight. Whoever gets the first of them has the lane until none is. */
  enterPipeline(sequence: number, owner: LaneOwner): void {
    this.pipeline ??= [];
    const last = this.pipeline.at(-1);
    this.pipeline.push(sequence);
    // What was in flight before the queue became a pipelined one comes in any order.
    if (last !== undefined && last > sequence) this.pipeline.sort((one, other) => one - other);
    this.owner ??= owner;
  }

  /** It is not in flight any more. One that was not in flight is left alone. */
  leavePipeline(sequence: number): void {
    const { pipeline, owner } = this;
    const at = pipeline?.indexOf(sequence) ?? -1;
    if (pipeline === null || at === -1) return;
    pipeline.splice(at, 1);
    if (pipeline.length > 0) return;
    this.pipeline = null;
    this.owner = null;
    owner?.onOwnLane(this, false);
  }

  /** Those that wait, were never received and come after the given one, in order. Not to be kept while the lane changes. */
  *waitingSequences(after = 0): IterableIterator<number> {
    const from = packWaiting(after + 1, 0);
    if (this.#queue === null) {
      if (this.#only >= from) yield sequenceOf(this.#only);
      return;
    }
    for (const packed of this.#queue.from(from)) yield sequenceOf(packed);
  }
}
