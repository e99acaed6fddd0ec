/**
 * The lane whose first waiting message is the oldest. Each lane is noted once, under a number that it may have passed
 * since: first numbers only grow, so what is noted is never too high, and is put right when it comes to the front.
 */
import { type GroupLane, sequenceOf } from './group-lane.js';

/** Lanes that are gone, from which on the heap is cleaned when they are the most. */
const GONE_FROM = 1024;

export class OldestLanes {
  #sequences: number[] = [];
  #lanes: GroupLane[] = [];
  #gone = 0;

  /** Something has been put in the lane. */
  note(lane: GroupLane): void {
    if (lane.isNoted) return;
    lane.isNoted = true;
    this.#insert(sequenceOf(lane.firstWaiting), lane);
  }

  /** A lane has been given up. */
  onGone(): void {
    this.#gone++;
    if (this.#gone < GONE_FROM || this.#gone * 2 < this.#lanes.length) return;
    const lanes = this.#lanes;
    this.#sequences = [];
    this.#lanes = [];
    this.#gone = 0;
    for (const lane of lanes) {
      lane.isNoted = false;
      if (lane.waiting > 0) this.note(lane);
    }
  }

  /** null if nothing waits. */
  first(): GroupLane | null {
    for (;;) {
      const lane = this.#lanes[0];
      if (lane === undefined) return null;
      const first = sequenceOf(lane.firstWaiting);
      if (first !== 0 && first === this.#sequences[0]) return lane;
      this.#removeFirst();
      lane.isNoted = false;
      if (first !== 0) this.note(lane);
    }
  }

  #insert(sequence: number, lane: GroupLane): void {
    const sequences = this.#sequences;
    let at = sequences.length;
    sequences.push(sequence);
    this.#lanes.push(lane);
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if ((sequences[parent] as number) <= sequence) break;
      this.#move(parent, at);
      at = parent;
    }
    sequences[at] = sequence;
    this.#lanes[at] = lane;
  }

  #removeFirst(): void {
    const sequences = this.#sequences;
    const sequence = sequences.pop() as number;
    const lane = this.#lanes.pop() as GroupLane;
    const length = sequences.length;
    if (length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= length) break;
      if (child + 1 < length && (sequences[child + 1] as number) < (sequences[child] as number)) child++;
      if ((sequences[child] as number) >= sequence) break;
      this.#move(child, at);
      at = child;
    }
    sequences[at] = sequence;
    this.#lanes[at] = lane;
  }

  #move(from: number, to: number): void {
    this.#sequences[to] = this.#sequences[from] as number;
    this.#lanes[to] = this.#lanes[from] as GroupLane;
  }
}
