/**
 * Where each message of a queue is: waiting in the lane of its group, in flight, or delayed. It knows which group has the
 * next turn and which message of it may go, and nothing of why messages come and go: that is the queue's.
 *
 *   addWaiting ──▶ lane ──take──▶ in flight ──remove──▶
 *   addDelayed ──▶ delayed ──due──▶ lane (back) ◀──giveBack, postpone + due──┘
 *
 * Invariant: every message of the queue is counted in exactly one of waiting, inFlight and delayed.
 */
import { ArrivalIndex } from './arrival-index.js';
import { DeadlineHeap } from './deadline-heap.js';
import { type GroupLane, type LaneOwner, NO_CONSUMER, packWaiting, priorityOf, sequenceOf } from './group-lane.js';
import { GroupLanes } from './group-lanes.js';
import { OldestLanes } from './oldest-lanes.js';
import { ReadyGroups, turnCost } from './ready-groups.js';
import { DELAYED, GONE, IN_FLIGHT, NEVER, READY, TrackedMessage } from './tracked-message.js';

/** No message: real sequence numbers begin at 1. */
export const NONE = 0;

const NO_MESSAGES: readonly TrackedMessage[] = [];

export class MessageIndex {
  readonly #isFifo: boolean;
  readonly #lanes: GroupLanes;
  readonly #ready = new ReadyGroups();
  readonly #tracked = new Map<number, TrackedMessage>();
  readonly #arrivals: ArrivalIndex;
  readonly #deadlines: DeadlineHeap;
  readonly #oldest = new OldestLanes();
  #waiting = 0;
  #inFlight = 0;
  #delayed = 0;

  #isPipelined = false;

  /** @param sliceMs how exact the age of messages has to be known */
  constructor(isFifo: boolean, sliceMs: number) {
    this.#isFifo = isFifo;
    this.#lanes = new GroupLanes(isFifo);
    this.#arrivals = new ArrivalIndex(sliceMs);
    this.#deadlines = new DeadlineHeap((sequence, dueAtMs) => {
      const message = this.#tracked.get(sequence);
      return message?.isHeld === true && message.dueAtMs === dueAtMs;
    });
  }

  /** Whether who has messages of a group gets more of it. What is in flight when that changes has no owner. */
  setPipelined(isPipelined: boolean): void {
    if (isPipelined === this.#isPipelined) return;
    this.#isPipelined = isPipelined;
    for (const message of this.#tracked.values()) {
      if (message.state !== IN_FLIGHT) continue;
      const { lane } = message;
      if (isPipelined) lane.enterPipeline(message.sequence, NO_CONSUMER);
      else lane.leavePipeline(message.sequence);
      this.#ensureHolds(message);
      this.#refresh(lane);
    }
  }

  get waiting(): number {
    return this.#waiting;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get delayed(): number {
    return this.#delayed;
  }

  get count(): number {
    return this.#arrivals.count;
  }

  get bytes(): number {
    return this.#arrivals.bytes;
  }

  /** When the oldest message was enqueued; 0 if there is none. */
  get oldestMs(): number {
    return this.#arrivals.oldestMs;
  }

  /** The number of the last message that came; 0 before the first. */
  get lastSequence(): number {
    return this.#arrivals.lastSequence;
  }

  get groups(): number {
    return this.#lanes.size;
  }

  get hasReady(): boolean {
    return !this.#ready.isEmpty;
  }

  /** When a message becomes visible or due at the earliest. */
  get nextDueMs(): number {
    return this.#deadlines.earliestMs;
  }

  /** All messages with lower numbers were enqueued at `beforeMs` or earlier. */
  olderThan(beforeMs: number): number {
    return this.#arrivals.olderThan(beforeMs);
  }

  /** A message that may be received. @param sequence larger than all before */
  addWaiting(sequence: number, group: string, priority: number, enqueuedAtMs: number, bytes: number): GroupLane {
    const lane = this.#lanes.ensure(group, priority);
    lane.push(packWaiting(sequence, priority));
    this.#oldest.note(lane);
    this.#waiting++;
    this.#arrivals.add(sequence, enqueuedAtMs, bytes);
    this.#refresh(lane);
    return lane;
  }

  /** A message that may not be received yet, or has been; {@link postpone}, {@link giveBack} or {@link resume} says which. */
  addTracked(sequence: number, group: string, priority: number, enqueuedAtMs: number, bytes: number): TrackedMessage {
    const lane = this.#lanes.ensure(group, priority);
    const message = new TrackedMessage(sequence, lane, priority, bytes);
    this.#tracked.set(sequence, message);
    this.#arrivals.add(sequence, enqueuedAtMs, bytes);
    lane.pushBack(sequence);
    this.#waiting++;
    this.#refresh(lane);
    return message;
  }

  find(sequence: number): TrackedMessage | undefined {
    return this.#tracked.get(sequence);
  }

  /** The group whose turn it is, off the list until {@link endTurn}; null if none has anything to give. */
  beginTurn(): GroupLane | null {
    return this.#ready.take();
  }

  /** @param messages and bytes that the group has given in its turn */
  endTurn(lane: GroupLane, messages: number, bytes: number): void {
    this.#ready.remove(lane);
    this.#refresh(lane, turnCost(Math.max(1, messages), bytes));
  }

  /** In a fifo queue, the message before which a turn has to stop: the first that is out already. */
  boundOf(lane: GroupLane): number {
    return this.#isFifo && lane.held > 0 ? this.#lowestHeld(lane) : Number.POSITIVE_INFINITY;
  }

  /** The next message of the group; {@link NONE} if it has none before `bound`. */
  nextOf(lane: GroupLane, bound: number): number {
    const back = this.#lowestBack(lane);
    const waiting = sequenceOf(lane.firstWaiting);
    const sequence = back !== NONE && this.#isBackFirst(lane, back, waiting) ? back : waiting;
    return sequence < bound ? sequence : NONE;
  }

  /** Takes what {@link nextOf} gave. @param bytes of the message @param owner who gets it */
  take(lane: GroupLane, sequence: number, bytes: number, owner: LaneOwner): TrackedMessage {
    const message = this.#takeReady(lane, sequence, bytes);
    message.state = IN_FLIGHT;
    this.#inFlight++;
    this.#hold(message);
    if (this.#isPipelined) lane.enterPipeline(sequence, owner);
    return message;
  }

  /** In a pipelined queue, what is in flight of the group behind a message that is in flight; the last one first. */
  inFlightBehind({ lane, sequence }: TrackedMessage): readonly TrackedMessage[] {
    if (lane.pipeline === null) return NO_MESSAGES;
    const behind = lane.pipeline.filter((other) => other > sequence).reverse();
    return behind.map((other) => this.#tracked.get(other) as TrackedMessage);
  }

  /** Of a fifo queue: an earlier message of the group is in flight or delayed. */
  isHeldBack(lane: GroupLane, sequence: number): boolean {
    return lane.pipeline !== null || this.boundOf(lane) < sequence;
  }

  /** Sets until when a message that has been taken stays hidden; {@link NEVER} for as long as its consumer is there. */
  hideUntil(message: TrackedMessage, dueAtMs: number): void {
    this.#dropDeadline(message);
    message.dueAtMs = dueAtMs;
    if (dueAtMs !== NEVER) this.#deadlines.push(message.sequence, dueAtMs);
  }

  /** A message in flight or delayed can be received again. */
  giveBack(message: TrackedMessage): void {
    this.#dropDeadline(message);
    this.#makeReady(message);
  }

  /** A message can be received again only from `dueAtMs` on. */
  postpone(message: TrackedMessage, dueAtMs: number): void {
    if (message.isHeld) {
      this.#dropDeadline(message);
      this.#release(message);
      message.lane.held--;
    } else this.#waiting--;
    message.state = DELAYED;
    this.#delayed++;
    this.#hold(message);
    message.dueAtMs = dueAtMs;
    this.#deadlines.push(message.sequence, dueAtMs);
    this.#refresh(message.lane);
  }

  /**
   * For recovery: a message that has just been added is in flight. In a pipelined queue one is not, behind one that has come back: it
   * can be received again.
   */
  resume(message: TrackedMessage, dueAtMs: number): void {
    const { lane } = message;
    if (this.#isPipelined && lane.held > (lane.pipeline?.length ?? 0)) return;
    if (this.#isPipelined && this.nextOf(lane, Number.POSITIVE_INFINITY) !== message.sequence) return;
    this.#waiting--;
    message.state = IN_FLIGHT;
    this.#inFlight++;
    this.#hold(message);
    if (this.#isPipelined) lane.enterPipeline(message.sequence, NO_CONSUMER);
    message.dueAtMs = dueAtMs;
    if (dueAtMs !== NEVER) this.#deadlines.push(message.sequence, dueAtMs);
    this.#refresh(message.lane);
  }

  /** Takes a message whose time has come, and makes it ready; null if there is none. */
  takeDue(nowMs: number): TrackedMessage | null {
    const sequence = this.#deadlines.takeDue(nowMs);
    return sequence === -1 ? null : (this.#tracked.get(sequence) as TrackedMessage);
  }

  /** After {@link takeDue}: its deadline is off the list already. */
  makeDueReady(message: TrackedMessage): void {
    this.#makeReady(message);
  }

  /** A message that is tracked is done with. */
  remove(message: TrackedMessage): void {
    const { lane } = message;
    if (message.isHeld) {
      this.#dropDeadline(message);
      this.#release(message);
      lane.held--;
    } else this.#waiting--;
    message.state = GONE;
    this.#tracked.delete(message.sequence);
    this.#arrivals.remove(message.sequence, message.bytes);
    this.#refresh(lane);
  }

  /** The first message of the lane that was never received is done with. @param bytes -1 if not known */
  dropFirstWaiting(lane: GroupLane, bytes: number): number {
    const sequence = sequenceOf(lane.takeWaiting());
    this.#waiting--;
    this.#arrivals.remove(sequence, bytes);
    this.#refresh(lane);
    return sequence;
  }

  /** What {@link nextOf} gave is done with, without having been received. @param bytes -1 if not known */
  dropNext(lane: GroupLane, sequence: number, bytes: number): void {
    const message = this.#tracked.get(sequence);
    if (message !== undefined) {
      this.remove(message);
      return;
    }
    this.dropFirstWaiting(lane, bytes);
  }

  /** A message that waits in its group and was never received is done with. @returns false if there is none */
  removeWaiting(sequence: number, group: string, priority: number, bytes: number): boolean {
    const lane = this.findLane(group, priority);
    if (lane?.removeWaiting(packWaiting(sequence, priority)) !== true) return false;
    this.#waiting--;
    this.#arrivals.remove(sequence, bytes);
    this.#refresh(lane);
    return true;
  }

  /** The lane of a group, if it has one. */
  findLane(group: string, priority: number): GroupLane | undefined {
    return this.#lanes.find(group, priority);
  }

  /** Whether the message waits in its group and was never received. */
  isWaiting(sequence: number, group: string, priority: number): boolean {
    return this.findLane(group, priority)?.hasWaiting(packWaiting(sequence, priority)) === true;
  }

  /** Lanes of a group: one, or one for each priority. */
  lanesOf(group: string): GroupLane[] {
    return this.#lanes.of(group);
  }

  /** The group whose first message, of those never received, is the oldest; null if none waits. */
  oldestLane(): GroupLane | null {
    return this.#oldest.first();
  }

  setLoading(lane: GroupLane, isLoading: boolean): void {
    lane.isLoading = isLoading;
    this.#refresh(lane);
  }

  lanes(): IterableIterator<GroupLane> {
    return this.#lanes.all();
  }

  /** Numbers of all messages, in no particular order. */
  *sequences(): IterableIterator<number> {
    for (const lane of this.lanes()) yield* lane.waitingSequences();
    yield* this.#tracked.keys();
  }

  trackedMessages(): IterableIterator<TrackedMessage> {
    return this.#tracked.values();
  }

  /** Puts the lane where it belongs: among the ready ones under its priority, nowhere, or away if it is empty. */
  #refresh(lane: GroupLane, cost = 1): void {
    let priority = lane.isLoading ? -1 : this.#readyPriority(lane);
    if (lane.owner !== null) {
      lane.owner.onOwnLane(lane, priority !== -1);
      priority = -1;
    }
    if (priority !== this.#ready.priorityOf(lane)) {
      this.#ready.remove(lane);
      if (priority !== -1) this.#ready.add(lane, priority, cost);
    }
    if (priority === -1 && lane.held === 0 && !lane.isLoading && lane.waiting === 0) this.#forgetLane(lane);
  }

  #forgetLane(lane: GroupLane): void {
    if (this.#lowestBack(lane) === NONE && this.#lanes.forget(lane)) this.#oldest.onGone();
  }

  #readyPriority(lane: GroupLane): number {
    const sequence = this.nextOf(lane, this.boundOf(lane));
    if (sequence === NONE) return -1;
    if (!this.#isFifo) return lane.priority;
    return this.#tracked.get(sequence)?.priority ?? priorityOf(lane.firstWaiting);
  }

  #isBackFirst(lane: GroupLane, back: number, waiting: number): boolean {
    if (waiting === NONE) return true;
    return this.#isFifo ? back < waiting : !lane.isNewDue;
  }

  /** The lowest that came back and still is there; what is not goes. */
  #lowestBack(lane: GroupLane): number {
    const { back } = lane;
    if (back === null) return NONE;
    for (let lowest = back.lowest; lowest !== undefined; lowest = back.lowest) {
      if (this.#tracked.get(lowest)?.state === READY) return lowest;
      back.takeLowest();
    }
    lane.back = null;
    return NONE;
  }

  #lowestHeld(lane: GroupLane): number {
    const held = lane.heldSequences;
    for (let lowest = held?.lowest; lowest !== undefined; lowest = held?.lowest) {
      const message = this.#tracked.get(lowest);
      if (message !== undefined && this.#holdsBack(message)) return lowest;
      if (message !== undefined) message.isInHeldHeap = false;
      held?.takeLowest();
    }
    lane.heldSequences = null;
    return Number.POSITIVE_INFINITY;
  }

  #takeReady(lane: GroupLane, sequence: number, bytes: number): TrackedMessage {
    this.#waiting--;
    const known = this.#tracked.get(sequence);
    if (known !== undefined) {
      lane.back?.takeLowest();
      lane.isNewDue = true;
      return known;
    }
    lane.isNewDue = false;
    const message = new TrackedMessage(sequence, lane, priorityOf(lane.takeWaiting()), bytes);
    this.#tracked.set(sequence, message);
    return message;
  }

  #hold(message: TrackedMessage): void {
    message.lane.held++;
    this.#ensureHolds(message);
  }

  #ensureHolds(message: TrackedMessage): void {
    if (!this.#isFifo || message.isInHeldHeap || !this.#holdsBack(message)) return;
    message.isInHeldHeap = true;
    message.lane.pushHeld(message.sequence);
  }

  /** Whether later ones of its group have to wait for it, whoever receives. */
  #holdsBack({ state }: TrackedMessage): boolean {
    return state === DELAYED || (state === IN_FLIGHT && !this.#isPipelined);
  }

  /** It is not in flight or delayed any more; what its lane makes of that follows. */
  #release(message: TrackedMessage): void {
    if (message.state === IN_FLIGHT) {
      this.#inFlight--;
      message.lane.leavePipeline(message.sequence);
    } else this.#delayed--;
    const { holder } = message;
    message.holder = null;
    holder?.onReleased(message);
  }

  #makeReady(message: TrackedMessage): void {
    this.#release(message);
    const { lane } = message;
    lane.held--;
    message.state = READY;
    message.dueAtMs = 0;
    lane.pushBack(message.sequence);
    this.#waiting++;
    this.#refresh(lane);
  }

  #dropDeadline(message: TrackedMessage): void {
    if (message.dueAtMs === NEVER || message.dueAtMs === 0) return;
    message.dueAtMs = 0;
    this.#deadlines.onStale();
  }
}
