/**
 * Gives ready messages to those who wait for them, in the order in which they asked. What has to be read from the disk first lets the
 * other groups go ahead; what has expired, or was received often enough, leaves on the way.
 */
import type { Message } from '../core/message.js';
import type { Consumer, ConsumerServer } from './consumer.js';
import { Delivery } from './delivery.js';
import type { Departures } from './departures.js';
import { enqueuedAtMsOf, receiptOf } from './entry-codec.js';
import { type GroupLane, NO_CONSUMER } from './group-lane.js';
import { type MessageIndex, NONE } from './message-index.js';
import type { QueueCore } from './queue-core.js';
import { NOBODY, type QueueLogReader } from './queue-log.js';
import { Receive, type ReceiveOptions, type ReceiveOwner, type Receiver } from './receive.js';
import type { AskedQueue } from './settled-answers.js';
import { IN_FLIGHT, NEVER, type TrackedMessage } from './tracked-message.js';
import { Waiters } from './waiters.js';

/** Messages that may leave undelivered before the event loop gets its turn. */
const DEPARTURES_PER_TURN = 256;
const NOTHING: readonly Delivery[] = [];

export class Dispatcher implements ReceiveOwner, ConsumerServer, AskedQueue {
  readonly #core: QueueCore;
  readonly #departures: Departures;
  /** Called when messages have got deadlines. */
  readonly #onDeadline: () => void;
  readonly #waiters: Waiters;
  /** Would be answered with nothing, but something is being read. */
  #impatient: Receive[] = [];
  /** Those that may have messages of their own to get. */
  readonly #owners = new Set<Consumer>();
  #reading = 0;
  /** Bytes of all messages ever taken. */
  #takenBytes = 0;
  #departuresLeft = DEPARTURES_PER_TURN;
  #isPumping = false;
  #mustPumpAgain = false;
  #isContinuing = false;
  #isClosed = false;

  constructor(core: QueueCore, departures: Departures, onDeadline: () => void) {
    this.#core = core;
    this.#departures = departures;
    this.#onDeadline = onDeadline;
    this.#waiters = new Waiters(() => core.options.exclusive);
  }

  /** Receives that wait. */
  get waiting(): number {
    return this.#waiters.length;
  }

  receive(options: ReceiveOptions, receiver: Receiver): Receive {
    const { waitMs = 0 } = options;
    const receive = new Receive(options, receiver, this, this.#core.nowMs + waitMs);
    if (this.#isClosed) {
      this.onWaitOver(receive);
      return receive;
    }
    this.#list(receive);
    if (waitMs === Number.POSITIVE_INFINITY) {
      // Who was answered in the same commit is about to ask as well: what is there is for all of them.
      if (!this.#core.context.answers.tellWhenAnswered(this)) this.pump();
      return receive;
    }
    this.pump();
    if (receive.state !== 'waiting') return receive;
    if (waitMs > 0) this.#core.context.wheel.arm(receive, this.#core.nowMs + waitMs);
    else if (this.#reading > 0 || this.#isContinuing) this.#impatient.push(receive);
    else this.onWaitOver(receive);
    return receive;
  }

  /** Messages have become ready, or there is room for more of them in flight. */
  pump(): void {
    if (this.#isPumping) {
      this.#mustPumpAgain = true;
      return;
    }
    const { answers, log, receipts } = this.#core.context;
    answers.hold();
    this.#isPumping = true;
    do {
      this.#mustPumpAgain = false;
      while (!this.#isClosed && (this.#serveFirst() || this.#serveOwners()));
    } while (this.#mustPumpAgain);
    this.#isPumping = false;
    answers.letGo(log.settledTicket);
    receipts.send();
  }

  onAllAnswered(): void {
    this.pump();
  }

  /** The consumer has room, or its turn. Serves nobody yet: it is called while a message changes its state. */
  onConsumerReady(consumer: Consumer): void {
    for (const receive of this.#waiters.takeAside(consumer)) if (receive.state === 'waiting') this.#list(receive);
  }

  onConsumerOwns(consumer: Consumer): void {
    this.#owners.add(consumer);
  }

  /** The consumer is gone: of an exclusive queue, the next one that waits takes over. */
  onConsumerGone(consumer: Consumer): void {
    const next = this.#waiters.onConsumerGone(consumer);
    if (next !== null) this.onConsumerReady(next);
  }

  onWaitOver(receive: Receive): void {
    if (receive.state !== 'waiting') return;
    this.#unlist(receive);
    receive.onTaken(NOTHING);
    receive.onSettled();
  }

  onCancelled(receive: Receive, taken: readonly Delivery[]): void {
    this.#unlist(receive);
    for (const delivery of taken) {
      const message = this.#findCurrent(delivery);
      if (message === null) continue;
      this.#core.recallBehind(message);
      message.attempts--;
      this.#core.history?.onReturned(message, 'cancelled');
      this.#core.index.giveBack(message);
      this.#core.stateChanged(message);
    }
    this.pump();
  }

  onSettling(receive: Receive, taken: readonly Delivery[]): readonly Delivery[] | null {
    if (!this.#core.isPipelined || taken.length === 0) return taken;
    const current = taken.filter((delivery) => this.#findCurrent(delivery) !== null);
    if (current.length > 0 || receive.endsAtMs <= this.#core.nowMs) return current;
    this.#relist(receive);
    return null;
  }

  /** The message is in flight by this very receive. */
  #findCurrent({ sequence, generation, queueNumber }: Delivery): TrackedMessage | null {
    const message = this.#core.number === queueNumber ? this.#core.index.find(sequence) : undefined;
    return message?.state === IN_FLIGHT && message.generation === generation ? message : null;
  }

  /** What was taken for a receive has been taken back before it was answered: it goes on waiting. */
  #relist(receive: Receive): void {
    receive.onTakenBack();
    this.#list(receive);
    if (receive.endsAtMs !== Number.POSITIVE_INFINITY) this.#core.context.wheel.arm(receive, receive.endsAtMs);
    this.pump();
  }

  /** The queue is going: consumers hear nothing any more, everybody else who waits or comes is told that there is nothing. */
  close(consumers: Iterable<Consumer>): void {
    this.#isClosed = true;
    for (const consumer of consumers) consumer.cancelCalls();
    for (let first = this.#waiters.first; first !== null; first = this.#waiters.first) this.onWaitOver(first);
  }

  #list(receive: Receive): void {
    const { consumer } = receive.options;
    if (this.#waiters.add(receive) && consumer?.hasOwnLanes === true) this.#owners.add(consumer);
  }

  #unlist(receive: Receive): void {
    this.#waiters.remove(receive);
    this.#core.context.wheel.cancel(receive);
  }

  /** @returns false if nobody waits, or there is nothing for him */
  #serveFirst(): boolean {
    const receive = this.#waiters.first;
    if (receive === null) return false;
    if (receive.room <= 0) {
      this.#waiters.remove(receive);
      this.#list(receive);
      return true;
    }
    return this.#serve(receive);
  }

  /** Of a pipelined queue: whose messages are for nobody else need not be the first that waits. @returns whether anybody was served */
  #serveOwners(): boolean {
    for (const consumer of this.#owners) {
      const call = consumer.hasOwnLanes ? consumer.findServable() : null;
      if (!(call instanceof Receive)) this.#owners.delete(consumer);
      else if (this.#serve(call)) return true;
    }
    return false;
  }

  #serve(receive: Receive): boolean {
    const deliveries = this.#takeFor(receive);
    if (deliveries === null) return false;
    this.#unlist(receive);
    receive.onTaken(deliveries);
    this.#onDeadline();
    const { answers, log } = this.#core.context;
    answers.add(receive, this.#core.lastTicket, log.settledTicket);
    return true;
  }

  /** Of several consumers that wait, each gets as many of what is there: it is worked on by all of them sooner than by one. */
  #takeFor(receive: Receive): readonly Delivery[] | null {
    const { index, options, isFifo } = this.#core;
    const most = Math.min(receive.room, options.maxInFlight - index.inFlight);
    const { maxPerGroup = most, consumer } = receive.options;
    const nowMs = this.#core.nowMs;
    let deliveries: Delivery[] | null = null;
    let share = consumer === undefined ? most : Math.ceil(index.waiting / this.#waiters.listed);
    for (let left = most; left > 0; ) {
      const lane = this.#beginTurn(consumer, share > 0);
      if (lane === null) break;
      const bound = index.boundOf(lane);
      const bytesBefore = this.#takenBytes;
      // What is in its own groups is for nobody else.
      const isShared = lane.owner === null;
      const turn = isFifo ? Math.min(left, maxPerGroup, isShared ? share : left) : 1;
      let taken = 0;
      for (; taken < turn; taken++) {
        const delivery = this.#takeFrom(lane, bound, receive, nowMs);
        if (delivery === null) break;
        deliveries ??= [];
        deliveries.push(delivery);
      }
      left -= taken;
      if (isShared) share -= taken;
      index.endTurn(lane, taken, this.#takenBytes - bytesBefore);
      if (this.#departuresLeft <= 0) {
        this.#continueLater();
        break;
      }
    }
    return deliveries;
  }

  /** @param hasShare it may have of what is for others, too */
  #beginTurn(consumer: Consumer | undefined, hasShare: boolean): GroupLane | null {
    const { index } = this.#core;
    const own = consumer?.hasOwnLanes === true ? consumer.takeOwnLane(hasShare && index.hasReady) : null;
    return own ?? (hasShare ? index.beginTurn() : null);
  }

  /** Takes the next message of a group; null if it has none, or it has to be read. */
  #takeFrom(lane: GroupLane, bound: number, receive: Receive, nowMs: number): Delivery | null {
    const { index, number, context, options } = this.#core;
    const { log } = context;
    while (this.#departuresLeft > 0) {
      const sequence = index.nextOf(lane, bound);
      if (sequence === NONE) return null;
      let message = log.find(sequence, NOBODY);
      if (message === undefined) message = log.find(sequence, new LaneReader(this, index, lane));
      const entryBytes = message === null || message === undefined ? message : log.findEntry(sequence, number);
      if (entryBytes === undefined || message === undefined) {
        this.#reading++;
        index.setLoading(lane, true);
        return null;
      }
      const known = index.find(sequence);
      if (message === null || entryBytes === null) {
        this.#departures.dropNext(lane, sequence, -1, 'storage-damaged');
      } else if (nowMs - enqueuedAtMsOf(entryBytes) >= options.retentionMs) {
        this.#departures.expireNext(lane, sequence, message, entryBytes, 'retention');
      } else if (message.isExpired(nowMs)) {
        this.#departures.expireNext(lane, sequence, message, entryBytes, 'expired');
      } else if (known?.isSuperseded === true) {
        this.#departures.dropNext(lane, sequence, -1, 'compacted');
      } else if (known !== undefined && this.#isSpent(known)) {
        const isGone = this.#departures.retire(known, message, entryBytes);
        this.#onDeadline();
        // It holds later ones of its group back.
        if (!isGone) return null;
      } else {
        return this.#take(lane, sequence, message, entryBytes, receive, nowMs);
      }
      this.#departuresLeft--;
    }
    return null;
  }

  #isSpent({ isRejected, attempts }: TrackedMessage): boolean {
    const { deadLetter } = this.#core.options;
    return deadLetter !== null && (isRejected || attempts >= deadLetter.maxReceives);
  }

  #take(
    lane: GroupLane,
    sequence: number,
    message: Message,
    entryBytes: Buffer,
    receive: Receive,
    nowMs: number,
  ): Delivery {
    const { index, number, context, counters, options } = this.#core;
    const { consumer, visibilityTimeoutMs = options.visibilityTimeoutMs } = receive.options;
    const bytes = message.byteLength + entryBytes.length;
    this.#takenBytes += bytes;
    const tracked = index.take(lane, sequence, bytes, consumer ?? NO_CONSUMER);
    tracked.attempts++;
    tracked.generation++;
    if (tracked.firstReceivedAtMs === 0) tracked.firstReceivedAtMs = nowMs;
    index.hideUntil(tracked, visibilityTimeoutMs === null ? NEVER : nowMs + visibilityTimeoutMs);
    if (consumer !== undefined) {
      tracked.holder = consumer;
      consumer.onTaken(tracked);
    }
    if (options.receipts) tracked.receipt ??= receiptOf(entryBytes);
    this.#core.rates.update(nowMs);
    counters.receives++;
    this.#core.history?.onDelivered(tracked);
    this.#core.stateChanged(tracked);
    return new Delivery(message, entryBytes, tracked, number, context.handles);
  }

  /** What had to be read for a lane is there, or lost. */
  onLoaded(index: MessageIndex, lane: GroupLane): void {
    this.#reading--;
    if (index === this.#core.index) index.setLoading(lane, false);
    this.pump();
    this.#answerImpatient();
  }

  #continueLater(): void {
    if (this.#isContinuing) return;
    this.#isContinuing = true;
    this.#core.context.clock.schedule(0, () => {
      this.#isContinuing = false;
      this.#departuresLeft = DEPARTURES_PER_TURN;
      this.pump();
      this.#answerImpatient();
    });
  }

  #answerImpatient(): void {
    if (this.#reading > 0 || this.#isContinuing) return;
    const impatient = this.#impatient;
    this.#impatient = [];
    for (const receive of impatient) this.onWaitOver(receive);
  }
}

/** Waits for the next message of a lane to be read. */
class LaneReader implements QueueLogReader {
  readonly #dispatcher: Dispatcher;
  readonly #index: MessageIndex;
  readonly #lane: GroupLane;

  constructor(dispatcher: Dispatcher, index: MessageIndex, lane: GroupLane) {
    this.#dispatcher = dispatcher;
    this.#index = index;
    this.#lane = lane;
  }

  onLoaded(): void {
    this.#dispatcher.onLoaded(this.#index, this.#lane);
  }
}
