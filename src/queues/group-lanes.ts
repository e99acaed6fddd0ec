/**
 * The lanes of a queue: one for each group that has something in it. In a standard queue one for each group and priority, since nothing
 * has to keep order across priorities there.
 */
import { GroupLane } from './group-lane.js';

const PRIORITIES = 10;

export class GroupLanes {
  readonly #isFifo: boolean;
  /** By group; by priority too in a standard queue. */
  readonly #lanes: Map<string, GroupLane>[];

  constructor(isFifo: boolean) {
    this.#isFifo = isFifo;
    this.#lanes = Array.from({ length: isFifo ? 1 : PRIORITIES }, () => new Map<string, GroupLane>());
  }

  get size(): number {
    return this.#lanes.reduce((sum, lanes) => sum + lanes.size, 0);
  }

  /** Made if there is none. */
  ensure(group: string, priority: number): GroupLane {
    const lanes = this.#lanes[this.#isFifo ? 0 : priority] as Map<string, GroupLane>;
    let lane = lanes.get(group);
    if (lane === undefined) {
      lane = new GroupLane(group, this.#isFifo ? -1 : priority);
      lanes.set(group, lane);
    }
    return lane;
  }

  find(group: string, priority: number): GroupLane | undefined {
    return this.#lanes[this.#isFifo ? 0 : priority]?.get(group);
  }

  /** Lanes of a group: one, or one for each priority. */
  of(group: string): GroupLane[] {
    return this.#lanes.map((lanes) => lanes.get(group)).filter((lane) => lane !== undefined);
  }

  /** Nothing is left in it. @returns false if it was forgotten before */
  forget(lane: GroupLane): boolean {
    const lanes = this.#lanes[this.#isFifo ? 0 : lane.priority] as Map<string, GroupLane>;
    return lanes.get(lane.group) === lane && lanes.delete(lane.group);
  }

  *all(): IterableIterator<GroupLane> {
    for (const lanes of this.#lanes) yield* lanes.values();
  }
}
