/**
 * All queues by name and by number. It is the log's client: it takes over what the log restores, is asked for states, and lets
 * answers go when they are settled. Numbers of queues are never used again.
 */
import type { Clock } from '../core/clock.js';
import type { Message } from '../core/message.js';
import { TimingWheel } from '../core/timing-wheel.js';
import type { Ticket } from '../store/ticket.js';
import { AbandonedMessages } from './abandoned-messages.js';
import type { MessageEntry } from './entry-codec.js';
import { decodeGoneQueue, encodeGoneQueue, nothingKept } from './history/gone-queue.js';
import { History, type HistoryStatistics } from './history/history.js';
import { checkQuery, type TracePage, type TraceQuery } from './history/trace-query.js';
import { TraceSearch } from './history/trace-search.js';
import type { Admission, EnqueueOptions, EnqueueOutcome } from './intake.js';
import { MessageIds } from './message-ids.js';
import { type QuarantinedQueue, QuarantinedQueues } from './quarantined-queues.js';
import { Queue } from './queue.js';
import type { QueueContext } from './queue-core.js';
import { decodeDefinition, decodeRegistry, encodeDefinition, encodeRegistry } from './queue-definition.js';
import { DamagedQueueRecord, InvalidQueueOption, NoHistory, QueueExists, QueueNotFound } from './queue-errors.js';
import type { QueueLog, QueueLogClient, QueueLogRecovery } from './queue-log.js';
import { type QueueOptions, validateQueueOptions } from './queue-options.js';
import { ReceiptHandles } from './receipt-handle.js';
import { type ReceiptNotice, Receipts } from './receipts.js';
import type { RedriveOptions, RedriveProgress } from './redrive.js';
import { Redrives } from './redrives.js';
import { type Answer, SettledAnswers } from './settled-answers.js';

/** A message for one queue. */
export interface QueueDelivery {
  readonly queue: Queue;
  readonly options: EnqueueOptions;
}

const NO_HISTORY: HistoryStatistics = { messages: 0, bytes: 0, oldestLeftAtMs: null, expired: 0, evicted: 0 };

/** Under which the registry's own record is kept. */
const REGISTRY = 0;
const SECRET_BYTES = 8;
const ID_BYTES = 9;
const PROCESS_BYTES = 6;

export class QueueRegistry implements QueueLogClient, QueueLogRecovery {
  readonly #log: QueueLog;
  readonly #clock: Clock;
  readonly #randomBytes: (count: number) => Buffer;
  readonly #byName = new Map<string, Queue>();
  readonly #byNumber = new Map<number, Queue>();
  readonly #redrives: Redrives;
  readonly #quarantined = new QuarantinedQueues();
  readonly #answers = new SettledAnswers();
  readonly #receipts = new Receipts((notice) => this.onReceipt(notice));
  /** Called when nothing is half done: anything may be done then. */
  onReceipt: (notice: ReceiptNotice) => void = () => {};
  /** There is a queue that was not there, and one is there no longer. */
  onQueueListed: (queue: Queue) => void = () => {};
  onQueueGone: (queue: Queue) => void = () => {};
  readonly #abandoned: AbandonedMessages;
  readonly #wheel: TimingWheel;
  readonly #history: History | null;
  #context: QueueContext | null = null;
  #secret: Buffer | null = null;
  #nextNumber = 1;
  #lostRecords = 0;

  constructor(log: QueueLog, clock: Clock, randomBytes: (count: number) => Buffer) {
    this.#log = log;
    this.#clock = clock;
    this.#randomBytes = randomBytes;
    this.#abandoned = new AbandonedMessages(clock, log);
    this.#wheel = new TimingWheel(clock);
    this.#redrives = new Redrives(clock, (queue) => this.#save(queue));
    const processName = randomBytes(PROCESS_BYTES).toString('hex');
    this.#history =
      log.history === null
        ? null
        : new History(log.history, clock, processName, (number) => void log.queueRemoved(number));
  }

  queues(): IterableIterator<Queue> {
    return this.#byName.values();
  }

  /** Queues that there are. */
  get size(): number {
    return this.#byName.size;
  }

  find(name: string): Queue | undefined {
    return this.#byName.get(name);
  }

  /**
   * Searches the history of one queue, or of all that keep one, for messages: those that are there, and those that have left not
   * longer ago than `historyMs`. What has been answered to nobody yet, since it is not on the disk, is not found.
   * It takes turns with whatever else there is to do, and ends early rather than take long: see {@link TracePage.endedBy}.
   * @throws InvalidTraceQuery
   * @throws QueueNotFound if there is no such queue, and none that is gone and has a history
   * @throws NoHistory if the queue keeps none
   * @throws StoreUnavailable while the store is being opened again after a write that failed
   */
  async search(query: TraceQuery): Promise<TracePage> {
    const checked = checkQuery(query);
    const { queue } = checked;
    const shelves = (this.#history?.shelves() ?? []).filter(
      ({ name, book, gone }) => (queue === null || name === queue) && (book !== null || (gone?.keptMs ?? 0) > 0),
    );
    const withoutHistory = [...this.#byName.values()].filter(
      ({ number }) => !shelves.some((one) => one.number === number),
    );
    if (queue !== null && shelves.length === 0) {
      this.#get(queue);
      throw new NoHistory(queue);
    }
    const queuesWithoutHistory = queue === null ? withoutHistory.map(({ name }) => name) : [];
    if (this.#history === null) {
      return { messages: [], cursor: null, endedBy: 'end', examined: 0, damaged: 0, queuesWithoutHistory };
    }
    return { ...(await new TraceSearch(this.#history, checked, shelves).run()), queuesWithoutHistory };
  }

  /** What is kept of the history of a queue, or of one that is gone. */
  historyOf(name: string): HistoryStatistics {
    return this.#history?.statisticsOf(name) ?? NO_HISTORY;
  }

  /** Queues whose definition is damaged: nobody can use them, and their messages are kept. */
  get quarantined(): readonly QuarantinedQueue[] {
    return this.#quarantined.list();
  }

  /** Records that could not be understood at start. */
  get lostRecords(): number {
    return this.#lostRecords;
  }

  /**
   * The queue of that name, made if there is none. Its `lastTicket` says when it will outlive a crash.
   * @throws InvalidQueueOption
   * @throws QueueExists if there is one with other options
   */
  ensure(name: string, given: Partial<QueueOptions> = {}): Queue {
    const options = this.#checkOptions(name, given);
    const known = this.#byName.get(name);
    if (known !== undefined) {
      if (JSON.stringify(known.options) === JSON.stringify(options)) return known;
      throw new QueueExists(`The queue ${name} exists with other options`);
    }
    const context = this.#ensureContext();
    const queue = new Queue(name, this.#takeNumber(), options, context);
    this.#list(queue);
    queue.onRecorded(this.#save(queue));
    this.onQueueListed(queue);
    return queue;
  }

  /**
   * Changes what is given of the options.
   * @throws QueueNotFound
   * @throws InvalidQueueOption also if the type would change
   */
  configure(name: string, given: Partial<QueueOptions>): Ticket {
    const queue = this.#get(name);
    const options = this.#checkOptions(name, { ...queue.options, ...given });
    if (options.type !== queue.options.type) throw new InvalidQueueOption('type', 'cannot be changed');
    queue.setOptions(options);
    return this.#save(queue);
  }

  /** Gives up all messages of a queue, in constant time. @throws QueueNotFound */
  purge(name: string): Ticket {
    const queue = this.#get(name);
    this.#redrives.stop(queue);
    const former = queue.number;
    this.#byNumber.delete(former);
    const index = queue.purge(this.#takeNumber());
    this.#byNumber.set(queue.number, queue);
    this.#save(queue);
    const ticket = this.#removeNumber(former);
    this.#abandoned.add(former, index.sequences());
    return ticket;
  }

  /** Gives up a queue with its messages, in constant time. @throws QueueNotFound */
  delete(name: string): Ticket {
    const queue = this.#get(name);
    this.#redrives.forget(queue);
    const { number } = queue;
    this.#byName.delete(name);
    this.#byNumber.delete(number);
    const index = queue.delete();
    const ticket = this.#removeNumber(number);
    this.#abandoned.add(number, index.sequences());
    this.onQueueGone(queue);
    return ticket;
  }

  /**
   * Gives up a queue whose definition is damaged, with its messages and its history, in constant time.
   * @throws QueueNotFound if there is none of that number
   */
  giveUpQuarantined(number: number): Ticket {
    const sequences = this.#quarantined.take(number);
    if (sequences === undefined) throw new QueueNotFound(`There is no damaged queue with the number ${number}`);
    this.#history?.restoreGone(number, nothingKept(this.#clock.now()));
    const ticket = this.#removeNumber(number);
    this.#abandoned.add(number, sequences.values());
    return ticket;
  }

  /**
   * Begins to bring the messages of a dead-letter queue back, or chosen ones.
   * @throws QueueNotFound
   * @throws RedriveRunning
   * @throws InvalidQueueOption
   */
  startRedrive(name: string, options: RedriveOptions): Ticket {
    return this.#redrives.start(this.#get(name), options);
  }

  /** @returns false if none is running @throws QueueNotFound */
  cancelRedrive(name: string): boolean {
    return this.#redrives.cancel(this.#get(name));
  }

  /** Of the redrive that is running, or the last one; null if there was none. @throws QueueNotFound */
  redriveProgress(name: string): RedriveProgress | null {
    return this.#redrives.progressOf(this.#get(name));
  }

  /** Puts one message in several queues, stored once. @returns what became of it in each */
  enqueue(message: Message, deliveries: readonly QueueDelivery[]): EnqueueOutcome[] {
    const admissions = deliveries.map(({ queue, options }) => queue.admit(message, options));
    const entries: { queue: number; bytes: Buffer }[] = [];
    for (const [index, admission] of admissions.entries()) {
      if (admission.status !== 'admitted') continue;
      entries.push({ queue: (deliveries[index] as QueueDelivery).queue.number, bytes: admission.bytes });
    }
    if (entries.length === 0) return admissions as EnqueueOutcome[];
    const { sequence, ticket } = this.#log.append(message, entries);
    this.#answers.hold();
    const outcomes = admissions.map((admission, index) =>
      admission.status === 'admitted'
        ? (deliveries[index] as QueueDelivery).queue.place(admission, message, sequence, ticket)
        : admission,
    );
    this.#answers.letGo(this.#log.settledTicket);
    return outcomes;
  }

  /**
   * Places what queues have admitted, each its own, and somebody else has put into the log with their entries. Nobody is
   * answered before all of it stands.
   * @returns the ticket of everything that has been recorded
   */
  place(
    queues: readonly Queue[],
    admissions: readonly Admission[],
    message: Message,
    sequence: number,
    ticket: Ticket,
  ): Ticket {
    let last = ticket;
    this.#answers.hold();
    for (let at = 0; at < queues.length; at++) {
      const outcome = (queues[at] as Queue).place(admissions[at] as Admission, message, sequence, ticket);
      if (outcome.status === 'enqueued') last = Math.max(last, outcome.ticket);
    }
    this.#answers.letGo(this.#log.settledTicket);
    return last;
  }

  /** Calls back when the ticket is settled, after those who asked before. */
  whenSettled(ticket: Ticket, answer: Answer): void {
    this.#answers.add(answer, ticket, this.#log.settledTicket);
  }

  /** Calls nobody any more. */
  stop(): void {
    this.#redrives.stopAll();
    for (const queue of this.#byName.values()) queue.stop();
    this.#history?.stop();
    this.#abandoned.stop();
    this.#wheel.stop();
  }

  onSettled(): void {
    this.#answers.release(this.#log.settledTicket);
  }

  encodeState(queue: number, sequence: number): Buffer | null {
    const known = this.#byNumber.get(queue);
    return known === undefined ? this.#quarantined.encodeState(queue, sequence) : known.encodeState(sequence);
  }

  encodeChunk(queue: number, chunk: number): Buffer | null {
    return this.#byNumber.get(queue)?.encodeChunk(chunk) ?? null;
  }

  restoreQueue(number: number, bytes: Buffer): void {
    this.#nextNumber = Math.max(this.#nextNumber, number + 1);
    const isRestored = this.#tryRestore(() => {
      if (number === REGISTRY) {
        const { nextNumber, secret } = decodeRegistry(bytes);
        this.#nextNumber = Math.max(this.#nextNumber, nextNumber);
        this.#secret = secret;
        return;
      }
      const gone = decodeGoneQueue(bytes);
      if (gone !== null) {
        this.#history?.restoreGone(number, gone);
        return;
      }
      const { name, options, redrive, historySince } = decodeDefinition(bytes);
      const queue = new Queue(name, number, options, this.#ensureContext(), historySince);
      this.#list(queue);
      if (redrive !== null) this.#redrives.restore(queue, redrive);
      queue.onUnused();
    });
    if (!isRestored && number !== REGISTRY) this.#quarantined.add(number);
  }

  restoreChunk(number: number, chunk: number, bytes: Buffer): void {
    this.#tryRestore(() => this.#byNumber.get(number)?.restoreChunk(chunk, bytes));
  }

  restoreMessage(number: number, sequence: number, entry: Buffer, state: Buffer | null, byteLength: number): boolean {
    const queue = this.#byNumber.get(number);
    if (queue === undefined) {
      // A new queue of this number would get what is left of it.
      this.#nextNumber = Math.max(this.#nextNumber, number + 1);
      return this.#quarantined.restoreMessage(number, sequence, state);
    }
    return this.#tryRestore(() => queue.restoreMessage(sequence, entry, state, byteLength));
  }

  /** @returns false if the record is damaged, and was left out */
  #tryRestore(restore: () => void): boolean {
    try {
      restore();
      return true;
    } catch (error) {
      if (!(error instanceof DamagedQueueRecord) && !(error instanceof InvalidQueueOption)) throw error;
      this.#lostRecords++;
      return false;
    }
  }

  #get(name: string): Queue {
    const queue = this.#byName.get(name);
    if (queue === undefined) throw new QueueNotFound(`There is no queue ${name}`);
    return queue;
  }

  #checkOptions(name: string, given: Partial<QueueOptions>): QueueOptions {
    const options = validateQueueOptions(given);
    if (options.deadLetter?.queue === name) {
      throw new InvalidQueueOption('deadLetter.queue', 'is the queue itself');
    }
    return options;
  }

  #list(queue: Queue): void {
    this.#byName.set(queue.name, queue);
    this.#byNumber.set(queue.number, queue);
  }

  #save(queue: Queue): Ticket {
    const { name, number, options, historySince } = queue;
    const redrive = this.#redrives.progressOf(queue);
    return this.#log.queueSaved(number, encodeDefinition({ name, options, redrive, historySince }));
  }

  /** A queue has given up the number. If it has a history, what is on record of it is that it is gone. */
  #removeNumber(number: number): Ticket {
    const ticket = this.#log.queueRemoved(number);
    const gone = this.#history?.find(number)?.gone ?? null;
    if (gone !== null) this.#log.queueSaved(number, encodeGoneQueue(gone));
    return ticket;
  }

  #takeNumber(): number {
    const number = this.#nextNumber++;
    this.#saveRegistry();
    return number;
  }

  #saveRegistry(): void {
    this.#secret ??= this.#randomBytes(SECRET_BYTES);
    this.#log.queueSaved(REGISTRY, encodeRegistry({ nextNumber: this.#nextNumber, secret: this.#secret }));
  }

  /** Made when the first queue is: what it needs may have to be restored before. */
  #ensureContext(): QueueContext {
    this.#secret ??= this.#randomBytes(SECRET_BYTES);
    this.#context ??= {
      clock: this.#clock,
      wheel: this.#wheel,
      log: this.#log,
      handles: new ReceiptHandles(this.#secret, this.#randomBytes(4).readUInt32LE()),
      ids: new MessageIds(this.#randomBytes(ID_BYTES)),
      answers: this.#answers,
      receipts: this.#receipts,
      history: this.#history,
      onUnused: (queue) => void this.delete(queue),
      moveTo: (queue, message, entry) => this.#moveTo(queue, message, entry),
    };
    return this.#context;
  }

  #moveTo(name: string, message: Message, entry: MessageEntry): boolean {
    const queue = this.#byName.get(name);
    const admission: Admission | null = queue?.admitMoved(message, entry) ?? null;
    if (queue === undefined || admission === null) return false;
    const { sequence, ticket } = this.#log.append(message, [{ queue: queue.number, bytes: admission.bytes }]);
    queue.place(admission, message, sequence, ticket);
    return true;
  }
}
