/**
 * One work queue: the verbs that the doors use, and what they do to a message in flight. Each verb changes the state at once and records
 * the change; what it returns may be told only when the ticket that it names, or `lastTicket`, is settled. Receives wait for
 * that by themselves.
 *
 *   Intake ──▶ MessageIndex ◀── Dispatcher ──▶ receives
 *                  ▲    └── Departures ──▶ dropped, dead letters
 *                  └── InFlightMessages: acknowledged, refused, extended, rejected, over
 */
import type { Message } from '../core/message.js';
import type { WorkReceipt } from '../core/work-source.js';
import type { Ticket } from '../store/ticket.js';
import { Compaction } from './compaction.js';
import { Consumer } from './consumer.js';
import { DeduplicationWindow } from './deduplication-window.js';
import type { Delivery } from './delivery.js';
import { Departures, type MovableMessage } from './departures.js';
import { Dispatcher } from './dispatcher.js';
import type { MessageEntry } from './entry-codec.js';
import { InFlightMessages, type ReceiptOutcome, type RefuseOptions } from './in-flight-messages.js';
import { type Admission, type EnqueueOptions, type EnqueueOutcome, Intake } from './intake.js';
import { LastValues } from './last-values.js';
import type { MessageIndex } from './message-index.js';
import { MessageRecovery } from './message-recovery.js';
import type { Peek, Peeker } from './peek.js';
import type { PeekOptions } from './peek-options.js';
import { Peeks } from './peeks.js';
import { type QueueContext, QueueCore } from './queue-core.js';
import type { QueueCounters } from './queue-counters.js';
import type { QueueOptions } from './queue-options.js';
import { type QueueStatistics, totalsOf } from './queue-statistics.js';
import type { Receive, ReceiveOptions, Receiver } from './receive.js';
import { RetentionSweep } from './retention-sweep.js';
import { encodeState } from './state-codec.js';
import { IN_FLIGHT, type TrackedMessage } from './tracked-message.js';
import { WakeUp } from './wake-up.js';

export class Queue {
  readonly #core: QueueCore;
  readonly #departures: Departures;
  readonly #dispatcher: Dispatcher;
  readonly #inFlight: InFlightMessages;
  readonly #window: DeduplicationWindow;
  readonly #lastValues: LastValues;
  readonly #compaction: Compaction;
  readonly #intake: Intake;
  readonly #recovery: MessageRecovery;
  readonly #sweep: RetentionSweep;
  readonly #wakeUp: WakeUp;
  /** For the end of an auto-delete queue. */
  readonly #unused: WakeUp;
  readonly #consumers = new Set<Consumer>();
  /** Made when somebody peeks. */
  #peeks: Peeks | null = null;

  /** @param historySince messages with lower numbers have no history */
  constructor(name: string, number: number, options: QueueOptions, context: QueueContext, historySince = 0) {
    const core = new QueueCore(name, number, options, context, historySince);
    this.#core = core;
    this.#departures = new Departures(core);
    this.#wakeUp = new WakeUp(context.clock, () => {
      this.#inFlight.onDue();
      this.#ensureWakeUp();
      this.#dispatcher.pump();
    });
    this.#dispatcher = new Dispatcher(core, this.#departures, () => this.#ensureWakeUp());
    this.#inFlight = new InFlightMessages(core, this.#departures, () => this.#ensureWakeUp());
    this.#window = new DeduplicationWindow(
      () => core.options.deduplication.windowMs,
      () => core.options.maxDeduplicationBytes,
      {
        onChunkChanged: (chunk) => context.log.chunkChanged(core.number, chunk),
        onChunksRemoved: (below) => context.log.chunksRemoved(core.number, below),
      },
    );
    this.#lastValues = new LastValues(core);
    this.#compaction = new Compaction(
      core,
      this.#lastValues,
      () => this.#ensurePeeks(),
      () => this.#dispatcher.pump(),
    );
    this.#intake = new Intake(core, this.#departures, this.#window, this.#lastValues);
    this.#recovery = new MessageRecovery(core, this.#lastValues, () => this.#compaction.start());
    this.#sweep = new RetentionSweep(core, this.#departures);
    this.#unused = new WakeUp(context.clock, () => {
      if (this.#consumers.size === 0) context.onUnused(name);
    });
  }

  get name(): string {
    return this.#core.name;
  }

  /** Under which it is known to the log; another one after each purge. */
  get number(): number {
    return this.#core.number;
  }

  get options(): QueueOptions {
    return this.#core.options;
  }

  /** Messages with lower numbers have no history; 0 if it was never off, or never on. */
  get historySince(): number {
    return this.#core.context.history?.find(this.number)?.sinceSequence ?? 0;
  }

  get counters(): QueueCounters {
    return this.#core.counters;
  }

  /** The number of the last message that came; 0 before the first. */
  get lastSequence(): number {
    return this.#core.index.lastSequence;
  }

  /** Settled when everything that the queue has said so far is on disk. */
  get lastTicket(): Ticket {
    return this.#core.lastTicket;
  }

  /** Something about the queue as a whole has been recorded. */
  onRecorded(ticket: Ticket): void {
    this.#core.onRecorded(ticket);
  }

  /** More cannot be received before something in flight is done with. */
  get isAtInFlightLimit(): boolean {
    return this.#core.index.inFlight >= this.options.maxInFlight;
  }

  /** Keys that it has in memory, if it is compacted. */
  get notedKeys(): number {
    return this.#lastValues.size;
  }

  get statistics(): QueueStatistics {
    const { index, nowMs, counters, rates } = this.#core;
    return {
      ready: index.waiting,
      inFlight: index.inFlight,
      delayed: index.delayed,
      bytes: index.bytes,
      groups: index.groups,
      oldestAgeMs: index.count === 0 ? 0 : Math.max(0, nowMs - index.oldestMs),
      waitingReceives: this.#dispatcher.waiting,
      consumers: this.#consumers.size,
      totals: totalsOf(counters),
      rates: rates.read(nowMs),
    };
  }

  /** Messages that are in nobody's account: 0, or something is wrong. */
  get missing(): number {
    const { index, counters } = this.#core;
    const came = counters.enqueued + counters.restored;
    const went = counters.acknowledged + counters.dropped + counters.moved;
    return came - went - index.waiting - index.inFlight - index.delayed;
  }

  /** Whether it takes the message; what is admitted has to be stored and placed at once. */
  admit(message: Message, options: EnqueueOptions): Admission | EnqueueOutcome {
    return this.#intake.admit(message, options);
  }

  /** @returns null if there is no room for a message from another queue */
  admitMoved(message: Message, entry: MessageEntry): Admission | null {
    return this.#intake.admitMoved(message, entry);
  }

  /** An admitted message has been stored. */
  place(admission: Admission, message: Message, sequence: number, ticket: Ticket): EnqueueOutcome {
    const outcome = this.#intake.place(admission, message, sequence, ticket);
    this.#sweep.ensure();
    this.#ensureWakeUp();
    this.#dispatcher.pump();
    return outcome;
  }

  /** @returns what the caller cancels when nobody is there any more to be answered */
  receive(options: ReceiveOptions, receiver: Receiver): Receive {
    return this.#dispatcher.receive(options, receiver);
  }

  /**
   * Looks at messages without taking them, a page in order of their numbers. Costs what it shows, and a look at each group and each
   * message that is in flight, delayed or back.
   * @throws InvalidQueueOption
   */
  peek(options: PeekOptions, peeker: Peeker): Peek {
    return this.#ensurePeeks().start(options, peeker);
  }

  openConsumer(name: string): Consumer {
    const consumer = new Consumer(name, this.#dispatcher);
    this.#consumers.add(consumer);
    this.#unused.stop();
    return consumer;
  }

  /** The consumer is gone: what it had goes back at once. @param isAbnormal its receives count */
  closeConsumer(consumer: Consumer, isAbnormal: boolean): void {
    if (!this.#consumers.delete(consumer)) return;
    consumer.cancelCalls();
    this.#inFlight.giveBackOf(consumer, isAbnormal);
    this.#dispatcher.onConsumerGone(consumer);
    this.#dispatcher.pump();
    if (this.#consumers.size === 0) this.onUnused();
  }

  /** It has no consumer: an auto-delete queue goes after its grace time. Called for those that a restart finds, too. */
  onUnused(): void {
    const { autoDeleteAfterMs } = this.options;
    if (autoDeleteAfterMs !== null) this.#unused.ensure(this.#core.nowMs + autoDeleteAfterMs);
  }

  /** Moves a message that was received from here to another queue. @returns false if that does not take it, or it is not here */
  moveDelivery(delivery: Delivery, target: string): boolean {
    const message = this.#findReceived(delivery.queueNumber, delivery.sequence, delivery.generation);
    if (typeof message === 'string' || message.state !== IN_FLIGHT) return false;
    const { context, index, counters } = this.#core;
    const entry = { ...delivery.entry, delayedUntilMs: 0, deduplicationId: '', origin: null };
    if (!context.moveTo(target, delivery.message, entry)) return false;
    this.#core.history?.onMoved(message.sequence, message, message.bytes, target);
    index.remove(message);
    this.#core.settle(message.sequence);
    counters.moved++;
    this.#dispatcher.pump();
    return true;
  }

  /** Moves a message that nobody has in flight to another queue. @returns false if that does not take it, or it is not here */
  moveIdle(message: MovableMessage, target: string): boolean {
    const isMoved = this.#departures.moveIdle(message, target);
    this.#dispatcher.pump();
    return isMoved;
  }

  /** In a fifo queue: an earlier message of its group is in flight or delayed. */
  isHeldBack({ sequence, entry }: MovableMessage): boolean {
    const { index } = this.#core;
    const lane = index.findLane(entry.group, entry.priority);
    return lane !== undefined && index.isHeldBack(lane, sequence);
  }

  /** The messages are done. Deleting twice succeeds. */
  acknowledge(handles: readonly string[]): ReceiptOutcome[] {
    return this.#forEach(handles, (message) => this.#inFlight.acknowledge(message));
  }

  /** The same for somebody who knows the receive without a handle. */
  acknowledgeDelivery(receipt: WorkReceipt): ReceiptOutcome {
    return this.#forDelivery(receipt, (message) => this.#inFlight.acknowledge(message));
  }

  /** The messages come back after a delay. */
  refuse(handles: readonly string[], options: RefuseOptions = {}): ReceiptOutcome[] {
    return this.#forEach(handles, (message) => this.#inFlight.refuse(message, options));
  }

  refuseDelivery(receipt: WorkReceipt, options: RefuseOptions = {}): ReceiptOutcome {
    return this.#forDelivery(receipt, (message) => this.#inFlight.refuse(message, options));
  }

  rejectDelivery(receipt: WorkReceipt): ReceiptOutcome {
    return this.#forDelivery(receipt, (message) => this.#inFlight.reject(message));
  }

  extendDelivery(receipt: WorkReceipt, visibilityTimeoutMs: number): ReceiptOutcome {
    return this.#forDelivery(receipt, (message) => this.#inFlight.extend(message, visibilityTimeoutMs));
  }

  /** The messages stay hidden for so long from now on; 0 makes them visible at once. */
  extend(handles: readonly string[], visibilityTimeoutMs: number): ReceiptOutcome[] {
    return this.#forEach(handles, (message) => this.#inFlight.extend(message, visibilityTimeoutMs));
  }

  /** The messages go to the dead-letter queue at once, or are dropped if there is none. */
  reject(handles: readonly string[]): ReceiptOutcome[] {
    return this.#forEach(handles, (message) => this.#inFlight.reject(message));
  }

  /** All but the type may be changed while it is running. */
  setOptions(options: QueueOptions): void {
    const { compactBy } = this.options;
    this.#core.setOptions(options);
    if (options.compactBy !== compactBy) this.#onCompactByChanged();
    this.#sweep.stop();
    this.#sweep.ensure();
    this.#dispatcher.pump();
  }

  /** Gives up all messages; goes on under another number. @returns what the log has to let go of */
  purge(number: number): MessageIndex {
    this.#countGone('purged');
    this.#window.clear();
    this.#lastValues.clear();
    this.#compaction.stop();
    this.#sweep.reset();
    this.#wakeUp.stop();
    const former = this.#core.renew(number, 'purged');
    this.#peeks?.stop();
    for (const consumer of this.#consumers) consumer.onPurged();
    return former;
  }

  /** The queue is gone. @returns what the log has to let go of */
  delete(): MessageIndex {
    this.#countGone('deleted');
    const former = this.#core.renew(0, 'deleted');
    this.stop();
    return former;
  }

  /** Gives nothing out and calls nobody any more; what comes is stored. */
  stop(): void {
    this.#sweep.end();
    this.#wakeUp.end();
    this.#unused.end();
    this.#compaction.end();
    this.#dispatcher.close(this.#consumers);
    this.#consumers.clear();
    this.#peeks?.stop();
  }

  encodeState(sequence: number): Buffer | null {
    const message = this.#core.index.find(sequence);
    return message === undefined ? null : encodeState(message);
  }

  encodeChunk(chunk: number): Buffer | null {
    return this.#window.encode(chunk);
  }

  /** For recovery. @throws DamagedQueueRecord */
  restoreChunk(chunk: number, bytes: Buffer): void {
    this.#window.restore(chunk, bytes);
  }

  /** For recovery, in order of sequence. @throws DamagedQueueRecord; nothing has been changed then */
  restoreMessage(sequence: number, entryBytes: Buffer, stateBytes: Buffer | null, byteLength: number): void {
    this.#recovery.restore(sequence, entryBytes, stateBytes, byteLength);
    this.#sweep.ensure();
    this.#ensureWakeUp();
  }

  #forEach(handles: readonly string[], apply: (message: TrackedMessage) => ReceiptOutcome): ReceiptOutcome[] {
    const outcomes = handles.map((handle) => {
      const receipt = this.#core.context.handles.decode(handle);
      if (receipt === null) return 'receipt-invalid';
      const message = this.#findReceived(receipt.queue, receipt.sequence, receipt.generation);
      return typeof message === 'string' ? message : apply(message);
    });
    this.#dispatcher.pump();
    return outcomes;
  }

  #forDelivery(
    { queueNumber, sequence, generation }: WorkReceipt,
    apply: (message: TrackedMessage) => ReceiptOutcome,
  ): ReceiptOutcome {
    const message = this.#findReceived(queueNumber, sequence, generation);
    const outcome = typeof message === 'string' ? message : apply(message);
    this.#dispatcher.pump();
    return outcome;
  }

  #findReceived(queue: number, sequence: number, generation: number): TrackedMessage | ReceiptOutcome {
    const { index, number, isFifo } = this.#core;
    if (queue !== number) return this.#core.hadNumber(queue) ? 'already-done' : 'receipt-invalid';
    const message = index.find(sequence);
    if (message === undefined) return 'already-done';
    // A timeout that is over counts even if its timer has not been called yet.
    const isCurrent =
      message.state === IN_FLIGHT && message.generation === generation && message.dueAtMs > this.#core.nowMs;
    return isFifo && !isCurrent ? 'receipt-expired' : message;
  }

  #onCompactByChanged(): void {
    if (this.options.compactBy === 'key') this.#compaction.start();
    else {
      this.#compaction.stop();
      this.#lastValues.clear();
    }
  }

  #ensurePeeks(): Peeks {
    this.#peeks ??= new Peeks(this.#core);
    return this.#peeks;
  }

  #ensureWakeUp(): void {
    this.#wakeUp.ensure(this.#core.index.nextDueMs);
  }

  #countGone(reason: 'purged' | 'deleted'): void {
    const { index, counters } = this.#core;
    counters.drop(reason, index.waiting + index.inFlight + index.delayed);
  }
}
