/**
 * What can be done to queues from outside, without a word of HTTP: the routes are a thin layer above. What changes something resolves
 * when the change is on the disk. To be called from turns of the event loop of its own, never while a message is routed.
 */
import { byCodeUnits } from '../core/by-code-units.js';
import type { Clock } from '../core/clock.js';
import type { Message } from '../core/message.js';
import type { HistoryStatistics } from '../queues/history/history.js';
import type { TraceQuery } from '../queues/history/trace-query.js';
import type { PeekOptions } from '../queues/peek-options.js';
import type { Queue } from '../queues/queue.js';
import { QUEUE_DROP_REASONS, REFUSAL_REASONS } from '../queues/queue-counters.js';
import { QueueNotFound } from '../queues/queue-errors.js';
import type { QueueRegistry } from '../queues/queue-registry.js';
import type { RedriveOptions, RedriveProgress } from '../queues/redrive.js';
import type { Ticket } from '../store/ticket.js';
import { type MessagePage, messageAnswerOf } from './message-answer.js';
import type { MessageProperties } from './message-content.js';
import { momentOf, occurredAt } from './moment.js';
import { Problem } from './problem.js';
import { type PushView, pushAnswerOf } from './push-answer.js';
import type {
  GiveUpAnswer,
  PurgeAnswer,
  QueueDetail,
  QueueList,
  QueueSummary,
  RedriveAnswer,
} from './queue-answers.js';
import { whenStored } from './stored-change.js';
import { type TraceAnswer, traceAnswerOf } from './trace-answer.js';

/** Each takes its turns between the messages of devices: of many at once these would have to wait for all. */
const MOST_SEARCHES = 4;

export class QueueAdministration {
  readonly #registry: QueueRegistry;
  readonly #clock: Clock;
  readonly #propertiesOf: (message: Message) => MessageProperties;
  readonly #pushOf: (queue: string) => PushView | null;
  #searches = 0;

  /**
   * @param propertiesOf reads the MQTT 5 properties of a message: queues know nothing of MQTT
   * @param pushOf what is known of the webhook that a queue is pushed to, null if there is none
   */
  constructor(
    registry: QueueRegistry,
    clock: Clock,
    propertiesOf: (message: Message) => MessageProperties,
    pushOf: (queue: string) => PushView | null = () => null,
  ) {
    this.#registry = registry;
    this.#clock = clock;
    this.#propertiesOf = propertiesOf;
    this.#pushOf = pushOf;
  }

  /** A page of all queues in order of their names, from the first after `cursor` on. */
  list(limit: number, cursor: string): QueueList {
    const names = [...this.#registry.queues()].map(({ name }) => name).filter((name) => name > cursor);
    const page = names.sort(byCodeUnits).slice(0, limit);
    return {
      queues: page.map((name) => summaryOf(this.#get(name))),
      cursor: names.length > page.length ? (page.at(-1) ?? null) : null,
      damaged: this.#registry.quarantined.map(({ number, messages }) => ({ number, messages })),
    };
  }

  /** @throws QueueNotFound, as all that takes the name of a queue */
  describe(name: string): QueueDetail {
    const queue = this.#get(name);
    const redrive = this.#registry.redriveProgress(name);
    const push = this.#pushOf(name);
    const sources = [...this.#registry.queues()].filter(({ options }) => options.deadLetter?.queue === name);
    return {
      ...summaryOf(queue),
      options: { ...queue.options },
      counters: countersOf(queue),
      sources: sources.map((source) => source.name).sort(byCodeUnits),
      redrive: redrive === null ? null : redriveAnswerOf(redrive),
      history: historyAnswerOf(this.#registry.historyOf(name)),
      push: push === null ? null : pushAnswerOf(push),
    };
  }

  /**
   * A page of messages, none of which is taken.
   * @param payloadBytes shown of each payload at most
   * @throws InvalidQueueOption
   */
  peek(name: string, options: PeekOptions, payloadBytes: number): Promise<MessagePage> {
    const queue = this.#get(name);
    return new Promise((resolve) => {
      queue.peek(options, {
        onPeeked: ({ messages, cursor }) =>
          resolve({
            messages: messages.map((peeked) =>
              messageAnswerOf(peeked, this.#propertiesOf(peeked.message), payloadBytes),
            ),
            cursor: cursor === null ? null : String(cursor),
          }),
      });
    });
  }

  /**
   * A page of messages that are in queues, or were, with what happened to each.
   * @param payloadBytes shown of each payload at most
   * @throws InvalidTraceQuery @throws NoHistory @throws StoreUnavailable
   */
  async search(query: TraceQuery, payloadBytes: number): Promise<TraceAnswer> {
    if (this.#searches === MOST_SEARCHES) throw new Problem(429, 'too-many-searches', TOO_MANY, { 'retry-after': '1' });
    this.#searches++;
    try {
      return traceAnswerOf(await this.#registry.search(query), this.#propertiesOf, payloadBytes);
    } finally {
      this.#searches--;
    }
  }

  /** Gives up all messages of a queue. */
  async purge(name: string): Promise<PurgeAnswer> {
    const { ready, inFlight, delayed } = this.#get(name).statistics;
    await this.#settled(this.#registry.purge(name));
    return { queue: name, purged: ready + inFlight + delayed };
  }

  /** Gives up a queue whose definition cannot be read, with its messages and its history. @param number as {@link list} has it */
  async giveUpDamaged(number: string): Promise<GiveUpAnswer> {
    const damaged = this.#registry.quarantined.find((queue) => String(queue.number) === number);
    if (damaged === undefined) throw new QueueNotFound(`There is no damaged queue with the number ${number}`);
    await this.#settled(this.#registry.giveUpQuarantined(damaged.number));
    return { number: damaged.number, messages: damaged.messages };
  }

  /** @throws RedriveRunning @throws InvalidQueueOption also if the target does not exist */
  async startRedrive(name: string, options: RedriveOptions): Promise<RedriveAnswer> {
    const { target } = options;
    if (target !== undefined && target !== name) this.#get(target);
    await this.#settled(this.#registry.startRedrive(name, options));
    return this.redrive(name);
  }

  /** The redrive that is running, or the last one. */
  redrive(name: string): RedriveAnswer {
    const progress = this.#registry.redriveProgress(name);
    if (progress === null) throw new Problem(404, 'redrive-not-found', `No redrive of ${name} is known`);
    return redriveAnswerOf(progress);
  }

  /** What has been moved stays moved. */
  cancelRedrive(name: string): RedriveAnswer {
    if (!this.#registry.cancelRedrive(name)) {
      throw new Problem(409, 'redrive-not-running', `No redrive of ${name} is running`);
    }
    return this.redrive(name);
  }

  #get(name: string): Queue {
    const queue = this.#registry.find(name);
    if (queue === undefined) throw new QueueNotFound(`There is no queue ${name}`);
    return queue;
  }

  #settled(ticket: Ticket): Promise<void> {
    return whenStored(this.#registry, this.#clock, ticket);
  }
}

const TOO_MANY = `${MOST_SEARCHES} searches are running: wait until one of them has ended`;

function summaryOf({ name, options, statistics }: Queue): QueueSummary {
  return { name, type: options.type, deadLetterQueue: options.deadLetter?.queue ?? null, statistics };
}

function countersOf({ counters, missing }: Queue): QueueDetail['counters'] {
  const { enqueued, restored, acknowledged, moved, duplicates, receives } = counters;
  const { refusedByConsumer, visibilityTimeouts, deadLettersHeldBack } = counters;
  const dropped = QUEUE_DROP_REASONS.map((reason) => [reason, counters.dropsOf(reason)] as const);
  const refused = REFUSAL_REASONS.map((reason) => [reason, counters.refusalsOf(reason)] as const);
  return {
    enqueued,
    restored,
    acknowledged,
    moved,
    duplicates,
    receives,
    refusedByConsumer,
    visibilityTimeouts,
    deadLettersHeldBack,
    dropped: Object.fromEntries(dropped) as QueueDetail['counters']['dropped'],
    refused: Object.fromEntries(refused) as QueueDetail['counters']['refused'],
    missing,
  };
}

function historyAnswerOf({ messages, bytes, oldestLeftAtMs, expired, evicted }: HistoryStatistics) {
  return { messages, bytes, oldestLeftAt: occurredAt(oldestLeftAtMs ?? 0), expired, evicted };
}

function redriveAnswerOf({ startedAtMs, ...progress }: RedriveProgress): RedriveAnswer {
  const { state, target, moved, failed, left, total } = progress;
  return { state, target, startedAt: momentOf(startedAtMs), moved, failed, left, total };
}
