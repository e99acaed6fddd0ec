/**
 * Takes what is published into work queues, by rules. The broker asks for the routes of a topic once and keeps them with the topic; for
 * each message of such a topic, all rules that match are asked in their order, and a queue gets the message from the first one that
 * concerns it.
 */
import type { DropCounters } from '../core/drop-counters.js';
import { InvalidArgument } from '../core/errors.js';
import type { Publication } from '../core/publication.js';
import { type PublishSink, Refusal, type SinkEntry, type SinkRoutes } from '../core/publish-sink.js';
import { ReasonCode } from '../core/reason-code.js';
import type { Admission, EnqueueOptions } from '../queues/intake.js';
import type { Queue } from '../queues/queue.js';
import { isForRoom, type RefusalReason } from '../queues/queue-counters.js';
import type { QueueRegistry } from '../queues/queue-registry.js';
import { isQueueTopic, queueOfTopic } from '../topics/queue-topic.js';
import { Subscription } from '../topics/subscription.js';
import { InvalidFilter, parseTopicFilter } from '../topics/topic-filter.js';
import { TopicIndex } from '../topics/topic-index.js';
import { type BridgeRule, CompiledRule } from './bridge-rule.js';
import { MessageView } from './message-view.js';
import { publishedOptions } from './published-options.js';
import { receiptAddressOf } from './receipt-address.js';

/** What a door tells of itself. */
export type Figures = () => Iterable<readonly [topic: string, value: number]>;

/** A message of telemetry is small; what is larger is no JSON for conditions. */
const MAXIMUM_JSON_BYTES = 256 * 1024;

const NOTHING: readonly never[] = [];

export class Bridge implements PublishSink {
  readonly rules: readonly BridgeRule[];
  readonly #index = new TopicIndex<CompiledRule>();
  readonly #intake: BridgeIntake;
  readonly #figures: Figures[] = [];

  /** @throws InvalidArgument for a filter that is not valid */
  constructor(rules: readonly BridgeRule[], queues: QueueRegistry, drops: DropCounters) {
    this.rules = rules;
    this.#intake = new BridgeIntake(queues, drops);
    for (const [place, rule] of rules.entries()) {
      const compiled = new CompiledRule(rule, place);
      for (const filter of rule.topics) this.#listen(compiled, filter);
    }
  }

  /** The queues are there: until then nothing is taken. */
  open(): void {
    this.#intake.isOpen = true;
  }

  routesOf(topic: string): SinkRoutes | null {
    if (isQueueTopic(topic)) {
      const queue = queueOfTopic(topic);
      return queue === null ? null : new DirectRoutes(queue, this.#intake);
    }
    const { receivers } = this.#index.match(topic);
    if (receivers.length === 0) return null;
    const rules = receivers.map(({ subscriber }) => subscriber).sort((one, other) => one.place - other.place);
    return new TopicRoutes(rules, this.#intake);
  }

  addFigures(figures: Figures): void {
    this.#figures.push(figures);
  }

  /** Of each queue, whoever fills it, and of the doors. */
  *figures(): Generator<readonly [topic: string, value: number]> {
    for (const queue of this.#intake.queues.queues()) {
      const { ready, inFlight, delayed, bytes, oldestAgeMs } = queue.statistics;
      const stem = `queues/${levelOf(queue.name)}`;
      yield [`${stem}/ready`, ready];
      yield [`${stem}/in-flight`, inFlight];
      yield [`${stem}/delayed`, delayed];
      yield [`${stem}/bytes`, bytes];
      yield [`${stem}/oldest-age`, Math.floor(oldestAgeMs / 1000)];
      yield [`${stem}/missing`, queue.missing];
      if (queue.options.historyMs > 0) yield* this.#historyFigures(queue.name, `${stem}/history`);
    }
    for (const figures of this.#figures) yield* figures();
  }

  *#historyFigures(name: string, stem: string): Generator<readonly [topic: string, value: number]> {
    const { messages, bytes, oldestLeftAtMs, expired, evicted } = this.#intake.queues.historyOf(name);
    yield [`${stem}/messages`, messages];
    yield [`${stem}/bytes`, bytes];
    yield [`${stem}/oldest-left`, Math.floor((oldestLeftAtMs ?? 0) / 1000)];
    yield [`${stem}/expired`, expired];
    yield [`${stem}/evicted`, evicted];
  }

  #listen(rule: CompiledRule, text: string): void {
    const filter = parseTopicFilter(text, Number.POSITIVE_INFINITY);
    if (filter instanceof InvalidFilter) throw new InvalidArgument(`filter "${text}": ${filter.reason}`);
    if (filter.shareName !== undefined) throw new InvalidArgument(`filter "${text}": a rule shares with nobody`);
    const subscription = new Subscription<CompiledRule>({
      subscriber: rule,
      filter,
      qos: 2,
      noLocal: false,
      retainAsPublished: false,
    });
    this.#index.subscribe(subscription);
  }
}

/** The rules of one topic. */
class TopicRoutes implements SinkRoutes {
  readonly #rules: readonly CompiledRule[];
  readonly #intake: BridgeIntake;

  constructor(rules: readonly CompiledRule[], intake: BridgeIntake) {
    this.#rules = rules;
    this.#intake = intake;
  }

  get entries(): readonly SinkEntry[] {
    return this.#intake.entries;
  }

  admit(publication: Publication, refusal: Refusal): boolean {
    return this.#intake.admit(this.#rules, publication, refusal);
  }

  onRecorded(publication: Publication, sequence: number, ticket: number): number {
    return this.#intake.onRecorded(publication, sequence, ticket);
  }
}

/** Of the topic of a queue itself. */
class DirectRoutes implements SinkRoutes {
  readonly #queue: string;
  readonly #intake: BridgeIntake;

  constructor(queue: string, intake: BridgeIntake) {
    this.#queue = queue;
    this.#intake = intake;
  }

  get entries(): readonly SinkEntry[] {
    return this.#intake.entries;
  }

  admit(publication: Publication, refusal: Refusal): boolean {
    return this.#intake.admitDirectly(this.#queue, publication, refusal);
  }

  onRecorded(publication: Publication, sequence: number, ticket: number): number {
    return this.#intake.onRecorded(publication, sequence, ticket);
  }
}

/** The publication that is being routed, on its way into queues. One at a time, as in the router. */
class BridgeIntake {
  readonly queues: QueueRegistry;
  isOpen = false;
  entries: readonly SinkEntry[] = NOTHING;
  readonly #drops: DropCounters;
  readonly #view = new MessageView(MAXIMUM_JSON_BYTES);
  /** Queues that have decided, and those of them that take it with their admissions. */
  #asked: readonly Queue[] = NOTHING;
  #taking: readonly Queue[] = NOTHING;
  #admissions: readonly Admission[] = NOTHING;

  constructor(queues: QueueRegistry, drops: DropCounters) {
    this.queues = queues;
    this.#drops = drops;
  }

  admit(rules: readonly CompiledRule[], publication: Publication, refusal: Refusal): boolean {
    this.#reset();
    if (!this.isOpen) return true;
    this.#view.look(publication.message);
    let isReceived = false;
    for (const rule of rules) {
      if (!rule.concerns(this.#view)) continue;
      const options = rule.optionsFor(this.#view);
      for (const name of rule.queues) {
        const outcome = this.#ask(name, options, publication);
        if (outcome === 'taken') isReceived = true;
        else if (outcome !== null && rule.mayRefuse && mayRefuse(outcome, refusal)) {
          this.#reset();
          return false;
        } else if (outcome !== null) this.#drops.count(DROP_REASON[outcome]);
      }
    }
    if (isReceived) publication.receivers++;
    return true;
  }

  /** What was published to a queue itself, whose publisher says how it goes there. */
  admitDirectly(name: string, publication: Publication, refusal: Refusal): boolean {
    this.#reset();
    if (!this.isOpen) return true;
    const outcome = this.#ask(name, publishedOptions(publication.message), publication);
    if (outcome === 'taken') publication.receivers++;
    else if (outcome !== null && mayRefuse(outcome, refusal)) {
      if (outcome === 'missing') publication.refusalCode = ReasonCode.TopicNameInvalid;
      this.#reset();
      return false;
    } else if (outcome !== null) this.#drops.count(DROP_REASON[outcome]);
    return true;
  }

  onRecorded({ message }: Publication, sequence: number, ticket: number): number {
    const taking = this.#taking;
    const admissions = this.#admissions;
    this.#reset();
    return this.queues.place(taking, admissions, message, sequence, ticket);
  }

  /** @returns null if the queue has been asked for an earlier rule */
  #ask(name: string, options: EnqueueOptions, publication: Publication): 'taken' | NotTaken | null {
    const queue = this.queues.find(name);
    if (queue === undefined) return 'missing';
    if (this.#asked.includes(queue)) return null;
    this.#asked = withOneMore(this.#asked, queue);
    const { message } = publication;
    const receiptTo = queue.options.receipts ? receiptAddressOf(message) : '';
    const admission = queue.admit(message, receiptTo === '' ? options : { ...options, receiptTo });
    if (admission.status === 'refused') return admission.reason;
    if (admission.status === 'admitted') {
      this.#taking = withOneMore(this.#taking, queue);
      this.#admissions = withOneMore(this.#admissions, admission);
      this.entries = withOneMore(this.entries, { queue: queue.number, bytes: admission.bytes });
    } else if (admission.ticket > publication.ticket) publication.ticket = admission.ticket;
    return 'taken';
  }

  #reset(): void {
    this.entries = NOTHING;
    this.#asked = NOTHING;
    this.#taking = NOTHING;
    this.#admissions = NOTHING;
  }
}

/** Most messages go into one queue: an array that grows by `push` takes room for sixteen more at once. */
function withOneMore<T>(items: readonly T[], item: T): readonly T[] {
  return items.length === 0 ? [item] : [...items, item];
}

type NotTaken = RefusalReason | 'missing';

const DROP_REASON = {
  'queue-full': 'work-queue-full',
  'deduplication-full': 'work-queue-full',
  'message-too-large': 'work-queue-too-large',
  'invalid-priority': 'work-queue-missing',
  'invalid-delay': 'work-queue-missing',
  missing: 'work-queue-missing',
} as const;

/** Only for room is it worth to wait. */
function mayRefuse(reason: NotTaken, refusal: Refusal): boolean {
  return refusal === Refusal.Tell || (refusal === Refusal.Wait && isForRoom(reason));
}

/** The name of a queue as one level of a topic. */
function levelOf(name: string): string {
  return name.replaceAll(/[/+#]/g, '_');
}
