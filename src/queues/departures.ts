/**
 * How messages leave a queue without having been acknowledged: they are dropped for a reason, or go to the dead-letter queue, in the
 * commit that settles them here.
 */
import type { Message } from '../core/message.js';
import { type DeadLetterReason, decodeEntry, type MessageEntry } from './entry-codec.js';
import type { GroupLane } from './group-lane.js';
import type { QueueCore } from './queue-core.js';
import type { QueueDropReason } from './queue-counters.js';
import { NOBODY, type QueueLogReader } from './queue-log.js';
import { lastRetryDelayMs } from './queue-options.js';
import { IN_FLIGHT, type TrackedMessage } from './tracked-message.js';

/** A message that its dead-letter queue does not take stays away at least so long before that is tried again. */
const SHORTEST_HOLD_MS = 1000;
/** Messages that may make room for one. */
const EVICTED_AT_ONCE = 64;

/** What has to be known of a message to move it. */
export interface MovableMessage {
  readonly sequence: number;
  readonly message: Message;
  readonly entry: MessageEntry;
  /** Of content and entry. */
  readonly bytes: number;
}

export class Departures {
  readonly #core: QueueCore;
  /** A message is on its way to another queue, which may want to make room here: it must not be given up as well. */
  #isMoving = false;

  /** Room that was asked for while the oldest message had to be read; 0 for none. */
  #wantedBytes = 0;
  /** It goes then: before the next message comes it might have to be read again. */
  readonly #whenOldestIsRead: QueueLogReader = {
    onLoaded: () => {
      const bytes = this.#wantedBytes;
      this.#wantedBytes = 0;
      if (bytes > 0) this.makeRoom(bytes, 0);
    },
  };

  constructor(core: QueueCore) {
    this.#core = core;
  }

  /** A message is on its way: nothing else may leave. */
  get isMoving(): boolean {
    return this.#isMoving;
  }

  /** The next message of the lane, which is not to be received. @param bytes -1 if not known */
  dropNext(lane: GroupLane, sequence: number, bytes: number, reason: QueueDropReason): void {
    const { index, history, meanBytes } = this.#core;
    history?.onDropped(sequence, index.find(sequence), bytes === -1 ? meanBytes : bytes, reason);
    this.#core.index.dropNext(lane, sequence, bytes);
    this.#core.settle(sequence);
    this.#core.counters.drop(reason);
  }

  drop(message: TrackedMessage, reason: QueueDropReason): void {
    if (reason === 'rejected') this.#core.tellOutcome(message, 'dead-letter');
    this.#core.history?.onDropped(message.sequence, message, message.bytes, reason);
    this.#core.index.remove(message);
    this.#core.settle(message.sequence);
    this.#core.counters.drop(reason);
  }

  /** @returns false if the dead-letter queue is missing or does not take it: it is where it was */
  tryDeadLetter(
    sequence: number,
    message: Message,
    entryBytes: Buffer,
    tracked: TrackedMessage | undefined,
    reason: DeadLetterReason,
  ): boolean {
    const { name, options, nowMs, counters } = this.#core;
    if (options.deadLetter === null) return false;
    const entry = decodeEntry(entryBytes);
    const isMoved = this.#moveTo(options.deadLetter.queue, message, {
      ...entry,
      delayedUntilMs: 0,
      origin: {
        queue: name,
        sequence,
        reason,
        receives: tracked?.attempts ?? 0,
        firstFailedAtMs: tracked?.firstFailedAtMs ?? 0,
        lastFailedAtMs: tracked?.lastFailedAtMs ?? 0,
        movedAtMs: nowMs,
      },
    });
    if (!isMoved) return false;
    const bytes = message.byteLength + entryBytes.length;
    this.#core.history?.onDeadLettered(sequence, tracked, bytes, options.deadLetter.queue, reason);
    this.#core.settle(sequence);
    counters.moved++;
    counters.deadLetters++;
    return true;
  }

  /**
   * A message that nobody has in flight goes to another queue as if it was new there.
   * @returns false if it is in flight or not here, or that queue does not take it
   */
  moveIdle({ sequence, message, entry, bytes }: MovableMessage, target: string): boolean {
    const { index, counters } = this.#core;
    const tracked = index.find(sequence);
    if (tracked === undefined ? !index.isWaiting(sequence, entry.group, entry.priority) : tracked.state === IN_FLIGHT) {
      return false;
    }
    if (!this.#moveTo(target, message, { ...entry, delayedUntilMs: 0, deduplicationId: '', origin: null }))
      return false;
    this.#core.history?.onMoved(sequence, tracked, bytes, target);
    if (tracked === undefined) index.removeWaiting(sequence, entry.group, entry.priority, bytes);
    else index.remove(tracked);
    this.#core.settle(sequence);
    counters.moved++;
    return true;
  }

  #moveTo(target: string, message: Message, entry: MessageEntry): boolean {
    const wasMoving = this.#isMoving;
    this.#isMoving = true;
    const isMoved = this.#core.context.moveTo(target, message, entry);
    this.#isMoving = wasMoving;
    return isMoved;
  }

  /**
   * A message that has been received often enough, or was rejected. If its dead-letter queue does not take it, it stays, and
   * is tried again after the last delay of the ladder.
   * @returns false if it stays
   */
  retire(tracked: TrackedMessage, message: Message, entryBytes: Buffer): boolean {
    const { index, counters, options, nowMs } = this.#core;
    const reason = tracked.isRejected ? 'rejected' : 'max-receives';
    if (this.tryDeadLetter(tracked.sequence, message, entryBytes, tracked, reason)) {
      this.#core.tellOutcome(tracked, 'dead-letter');
      index.remove(tracked);
      return true;
    }
    counters.deadLettersHeldBack++;
    this.#core.recallBehind(tracked);
    index.postpone(tracked, nowMs + Math.max(SHORTEST_HOLD_MS, lastRetryDelayMs(options.retry)));
    this.#core.stateChanged(tracked);
    return false;
  }

  /** The next message of the lane has expired. */
  expireNext(
    lane: GroupLane,
    sequence: number,
    message: Message,
    entryBytes: Buffer,
    reason: 'expired' | 'retention',
  ): void {
    const { index, options } = this.#core;
    const tracked = index.find(sequence);
    const bytes = message.byteLength + entryBytes.length;
    if (options.deadLetterExpired && this.tryDeadLetter(sequence, message, entryBytes, tracked, reason)) {
      index.dropNext(lane, sequence, bytes);
    } else this.dropNext(lane, sequence, bytes, reason);
  }

  /**
   * The first message of the lane that was never received has outlived its retention.
   * @returns false if it has to be read first, which has been begun
   */
  expireFirst(lane: GroupLane): boolean {
    const { index, options, context, number } = this.#core;
    const sequence = lane.firstSequence;
    let isMoved = false;
    if (options.deadLetterExpired) {
      const message = context.log.find(sequence, NOBODY);
      if (message === undefined) return false;
      const entryBytes = message === null ? null : context.log.findEntry(sequence, number);
      if (message !== null && entryBytes !== null && entryBytes !== undefined) {
        isMoved = this.tryDeadLetter(sequence, message, entryBytes, undefined, 'retention');
      }
    }
    if (!isMoved) this.#core.history?.onDropped(sequence, undefined, this.#core.meanBytes, 'retention');
    index.dropFirstWaiting(lane, -1);
    if (isMoved) return true;
    this.#core.settle(sequence);
    this.#core.counters.drop('retention');
    return true;
  }

  /**
   * A message that is not in flight has outlived its retention.
   * @returns false if it has to be read first, which has been begun
   */
  expireTracked(message: TrackedMessage): boolean {
    const { index, options, context, number } = this.#core;
    if (options.deadLetterExpired) {
      const content = context.log.find(message.sequence, NOBODY);
      if (content === undefined) return false;
      const entryBytes = content === null ? null : context.log.findEntry(message.sequence, number);
      if (
        content !== null &&
        entryBytes !== null &&
        entryBytes !== undefined &&
        this.tryDeadLetter(message.sequence, content, entryBytes, message, 'retention')
      ) {
        index.remove(message);
        return true;
      }
    }
    this.drop(message, 'retention');
    return true;
  }

  /**
   * Gives up the oldest messages that were never received, as far as the policy allows, until there is room.
   * @param leaving messages that leave when there is
   * @returns false if there is none
   */
  makeRoom(bytes: number, leaving: number): boolean {
    const { options } = this.#core;
    if (this.#hasRoom(bytes, leaving)) return true;
    // A circle of dead-letter queues that are all full ends here.
    if (options.overflow === 'refuse' || bytes > options.maxBytes || this.#isMoving) return false;
    if (options.overflow === 'dead-letter-oldest') this.#wantedBytes = Math.max(this.#wantedBytes, bytes);
    for (let left = EVICTED_AT_ONCE; left > 0 && !this.#hasRoom(bytes, 0); left--) if (!this.#evictOldest()) break;
    if (!this.#hasRoom(bytes, 0)) return false;
    this.#wantedBytes = 0;
    return true;
  }

  #hasRoom(bytes: number, leaving: number): boolean {
    const { index, options } = this.#core;
    return index.count - leaving < options.maxMessages && index.bytes + bytes <= options.maxBytes;
  }

  #evictOldest(): boolean {
    const { index, options, context, number, counters } = this.#core;
    const lane = index.oldestLane();
    if (lane === null) return false;
    const sequence = lane.firstSequence;
    let isMoved = false;
    let bytes = -1;
    if (options.overflow === 'dead-letter-oldest') {
      const message = context.log.find(sequence, this.#whenOldestIsRead);
      // Until it is there, the queue is full.
      if (message === undefined) return false;
      const entryBytes = message === null ? null : context.log.findEntry(sequence, number);
      if (message !== null && entryBytes !== null && entryBytes !== undefined) {
        bytes = message.byteLength + entryBytes.length;
        isMoved = this.tryDeadLetter(sequence, message, entryBytes, undefined, 'overflow');
        if (!isMoved) {
          counters.deadLettersHeldBack++;
          return false;
        }
      }
    }
    const reason = options.overflow === 'drop-oldest' ? 'overflow' : 'storage-damaged';
    if (!isMoved) this.#core.history?.onDropped(sequence, undefined, this.#core.meanBytes, reason);
    index.dropFirstWaiting(lane, bytes);
    if (isMoved) return true;
    this.#core.settle(sequence);
    counters.drop(reason);
    return true;
  }
}
