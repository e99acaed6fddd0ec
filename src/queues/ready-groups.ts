/**
 * The groups that have a message to give, by priority; they take turns. A turn costs more the more a group has taken in it, and
 * a group that has taken much sits out as many rounds: deficit round robin (Shreedhar and Varghese, 1996), with the
 * charge made after the turn, since the size of a message is known only when it has been read.
 *
 *   priority 9   round:  7 ▶ lane - lane    8: lane    9: -   …      the calendar of a priority has 32 rounds
 *   priority 0   round:  3 ▶ lane           4: -       5: lane …
 *
 * Whoever is served or comes in takes its place in a later round than the current one, so the current one ends.
 * Higher priorities go first, but a priority that has been passed over 16 times in a row has the next turn.
 */
import type { GroupLane } from './group-lane.js';

const PRIORITIES = 10;
const ROUNDS = 32;
/** A group sits out at most so many rounds. */
const HIGHEST_COST = 24;
/** A message of more bytes costs as much as several: what a turn is meant to be worth. */
const BYTES_PER_TURN = 16 * 1024;
/** Turns for higher priorities, after which a lower one has its turn. */
const PASSED_OVER = 16;

/** What a turn costs in which so many messages and bytes have been taken. */
export function turnCost(messages: number, bytes: number): number {
  return Math.min(HIGHEST_COST, messages + Math.floor(bytes / BYTES_PER_TURN));
}

export class ReadyGroups {
  readonly #heads: (GroupLane | null)[] = new Array<GroupLane | null>(PRIORITIES * ROUNDS).fill(null);
  readonly #tails: (GroupLane | null)[] = new Array<GroupLane | null>(PRIORITIES * ROUNDS).fill(null);
  readonly #round = new Uint8Array(PRIORITIES);
  /** For each priority, which rounds have lanes: a bit each. */
  readonly #filled = new Int32Array(PRIORITIES);
  readonly #passedOver = new Uint8Array(PRIORITIES);

  get isEmpty(): boolean {
    for (let priority = 0; priority < PRIORITIES; priority++) if (this.#filled[priority] !== 0) return false;
    return true;
  }

  /** The group has something to give. @param cost of its last turn, or 1 */
  add(lane: GroupLane, priority: number, cost: number): void {
    const round = ((this.#round[priority] as number) + cost) % ROUNDS;
    const ring = priority * ROUNDS + round;
    const tail = this.#tails[ring] ?? null;
    lane.ring = ring;
    lane.previous = tail;
    lane.next = null;
    if (tail === null) this.#heads[ring] = lane;
    else tail.next = lane;
    this.#tails[ring] = lane;
    this.#filled[priority] = (this.#filled[priority] as number) | (1 << round);
  }

  /** The priority under which the group is listed; -1 if it is not. */
  priorityOf(lane: GroupLane): number {
    return lane.ring === -1 ? -1 : Math.floor(lane.ring / ROUNDS);
  }

  /** The group is not ready, or comes in again elsewhere. */
  remove(lane: GroupLane): void {
    const { ring } = lane;
    if (ring === -1) return;
    if (lane.previous === null) this.#heads[ring] = lane.next;
    else lane.previous.next = lane.next;
    if (lane.next === null) this.#tails[ring] = lane.previous;
    else lane.next.previous = lane.previous;
    lane.previous = null;
    lane.next = null;
    lane.ring = -1;
    if (this.#heads[ring] !== null) return;
    const priority = Math.floor(ring / ROUNDS);
    this.#filled[priority] = (this.#filled[priority] as number) & ~(1 << (ring % ROUNDS));
  }

  /** Takes the group whose turn it is off the list; null if none is ready. */
  take(): GroupLane | null {
    const priority = this.#choosePriority();
    if (priority === -1) return null;
    const filled = this.#filled[priority] as number;
    const now = this.#round[priority] as number;
    // The rounds in the order in which they come, from the current one on.
    const ahead = now === 0 ? filled : (filled >>> now) | (filled << (ROUNDS - now));
    const round = (now + (31 - Math.clz32(ahead & -ahead))) % ROUNDS;
    this.#round[priority] = round;
    const lane = this.#heads[priority * ROUNDS + round] as GroupLane;
    this.remove(lane);
    return lane;
  }

  #choosePriority(): number {
    let chosen = -1;
    let lower = false;
    for (let priority = PRIORITIES - 1; priority >= 0; priority--) {
      if (this.#filled[priority] === 0) {
        this.#passedOver[priority] = 0;
      } else if (chosen === -1) {
        chosen = priority;
      } else {
        lower = true;
        if ((this.#passedOver[priority] as number) >= PASSED_OVER) {
          chosen = priority;
          break;
        }
      }
    }
    if (chosen === -1) return -1;
    if (lower) this.#countPassedOver(chosen);
    this.#passedOver[chosen] = 0;
    return chosen;
  }

  #countPassedOver(chosen: number): void {
    for (let priority = 0; priority < PRIORITIES; priority++) {
      if (priority === chosen || this.#filled[priority] === 0) continue;
      this.#passedOver[priority] = Math.min(PASSED_OVER, (this.#passedOver[priority] as number) + 1);
    }
  }
}
