/**
 * The attributes of a queue as SQS has them, and the options of the queue that they stand for. What SQS wants kept and the queue does not know
 * (policies, key ids) is kept in its annotations.
 */
import type { Queue } from '../../queues/queue.js';
import { DEFAULT_QUEUE_OPTIONS, type QueueOptions } from '../../queues/queue-options.js';
import type { QueueRegistry } from '../../queues/queue-registry.js';
import { queueNameOfArn } from './queue-address.js';
import { invalidParameter, SqsError } from './sqs-error.js';

/** An annotation with this in front is an attribute of the queue. */
const ANNOTATION = 'sqs.';
const CREATED = `${ANNOTATION}created`;
const MODIFIED = `${ANNOTATION}modified`;

/** Shown as 0 if they are not set. */
const WAIT_TIME = 'ReceiveMessageWaitTimeSeconds';
const MOST_SOURCES = 10;

interface Range {
  readonly least: number;
  readonly most: number;
}

const RANGES: Readonly<Record<string, Range>> = {
  VisibilityTimeout: { least: 0, most: 43_200 },
  DelaySeconds: { least: 0, most: 900 },
  MessageRetentionPeriod: { least: 60, most: 1_209_600 },
  MaximumMessageSize: { least: 1024, most: 1_048_576 },
  [WAIT_TIME]: { least: 0, most: 20 },
  KmsDataKeyReusePeriodSeconds: { least: 60, most: 86_400 },
};

/** Kept and given back, without any effect. */
const KEPT = ['Policy', 'KmsMasterKeyId', 'KmsDataKeyReusePeriodSeconds', 'SqsManagedSseEnabled'];
const WORDS: Readonly<Record<string, readonly string[]>> = {
  DeduplicationScope: ['queue', 'messageGroup'],
  FifoThroughputLimit: ['perQueue', 'perMessageGroupId'],
};

type Changes = { -readonly [Key in keyof QueueOptions]?: QueueOptions[Key] };

/** What the attributes ask for. The queue's name says whether it is to be a fifo queue. */
export class AttributeReader {
  readonly #registry: QueueRegistry;
  readonly #queue: string;
  readonly #base: QueueOptions;
  readonly #isNew: boolean;
  readonly #changes: Changes = {};
  readonly #annotations: Record<string, string>;

  /** @param known the options of the queue that is changed, null for one that is made */
  constructor(registry: QueueRegistry, queue: string, known: QueueOptions | null) {
    this.#registry = registry;
    this.#queue = queue;
    this.#isNew = known === null;
    this.#base = known ?? newQueueOptions(queue);
    this.#annotations = { ...this.#base.annotations };
  }

  /** @returns all options of the queue @throws SqsError */
  read(attributes: ReadonlyMap<string, string>, nowMs: number): QueueOptions {
    for (const [name, value] of attributes) this.#readOne(name, value);
    const seconds = String(Math.floor(nowMs / 1000));
    if (this.#isNew) this.#annotations[CREATED] = seconds;
    this.#annotations[MODIFIED] = seconds;
    return { ...this.#base, ...this.#changes, annotations: this.#annotations };
  }

  get #isFifo(): boolean {
    return this.#base.type === 'fifo';
  }

  #readOne(name: string, value: string): void {
    switch (name) {
      case 'VisibilityTimeout':
        this.#changes.visibilityTimeoutMs = numberIn(name, value) * 1000;
        return;
      case 'DelaySeconds':
        this.#changes.delayMs = numberIn(name, value) * 1000;
        return;
      case 'MessageRetentionPeriod':
        this.#changes.retentionMs = numberIn(name, value) * 1000;
        return;
      case 'MaximumMessageSize':
        this.#changes.maxMessageBytes = numberIn(name, value);
        return;
      case WAIT_TIME:
        this.#annotations[ANNOTATION + name] = String(numberIn(name, value));
        return;
      case 'RedrivePolicy':
        this.#changes.deadLetter = value === '' ? null : this.#deadLetterOf(value);
        return;
      case 'RedriveAllowPolicy':
        if (value !== '') readAllowPolicy(value);
        this.#keep(name, value);
        return;
      case 'FifoQueue':
        if (!this.#isFifo || !this.#isNew) throw unknownAttribute(name);
        if (!flagIn(name, value)) throw invalidValue(name);
        return;
      case 'ContentBasedDeduplication':
        if (!this.#isFifo) throw unknownAttribute(name);
        this.#changes.deduplication = { ...this.#base.deduplication, by: flagIn(name, value) ? 'content' : 'id' };
        return;
      case 'DeduplicationScope':
      case 'FifoThroughputLimit':
        if (!this.#isFifo) throw unknownAttribute(name);
        if (WORDS[name]?.includes(value) !== true) throw invalidValue(name);
        this.#keep(name, value);
        return;
      case 'KmsDataKeyReusePeriodSeconds':
        this.#keep(name, String(numberIn(name, value)));
        return;
      default:
        if (!KEPT.includes(name)) throw unknownAttribute(name);
        this.#keep(name, value);
    }
  }

  #keep(name: string, value: string): void {
    if (value === '') delete this.#annotations[ANNOTATION + name];
    else this.#annotations[ANNOTATION + name] = value;
  }

  #deadLetterOf(policy: string): QueueOptions['deadLetter'] {
    const refuse = (reason: string): SqsError => invalidParameter('RedrivePolicy', policy, reason);
    const { deadLetterTargetArn, maxReceiveCount } = parseObject(policy) ?? {};
    if (typeof deadLetterTargetArn !== 'string')
      throw refuse('Redrive policy does not contain mandatory attribute: deadLetterTargetArn.');
    const maxReceives = Number(maxReceiveCount);
    if (maxReceiveCount === undefined)
      throw refuse('Redrive policy does not contain mandatory attribute: maxReceiveCount.');
    if (!Number.isInteger(maxReceives) || maxReceives < 1 || maxReceives > 1000) {
      throw refuse('Invalid value for maxReceiveCount: it is a whole number from 1 to 1000.');
    }
    const queue = queueNameOfArn(deadLetterTargetArn, 'RedrivePolicy');
    const target = this.#registry.find(queue);
    if (target === undefined) throw refuse('Dead letter target does not exist.');
    if (queue === this.#queue) throw refuse('A queue cannot be its own dead letter target.');
    if (target.options.type !== this.#base.type)
      throw refuse('Dead-letter queue must be same type of queue as the source.');
    if (!allowsSource(target.options, this.#queue)) throw refuse('Dead-letter queue does not allow this source queue.');
    return { queue, maxReceives };
  }
}

/** What a queue is that somebody makes by its name alone. */
function newQueueOptions(name: string): QueueOptions {
  if (!name.endsWith('.fifo')) return DEFAULT_QUEUE_OPTIONS;
  return { ...DEFAULT_QUEUE_OPTIONS, type: 'fifo', deduplication: { by: 'id', windowMs: 300_000 } };
}

/** In the order in which SQS lists them; values are texts. */
export function attributesOfQueue(
  queue: Queue,
  arnOf: (queue: string) => string,
  startedAtMs: number,
): ReadonlyMap<string, string> {
  const { options, statistics } = queue;
  const { annotations } = options;
  const started = String(Math.floor(startedAtMs / 1000));
  const attributes = new Map<string, string>([
    ['QueueArn', arnOf(queue.name)],
    ['ApproximateNumberOfMessages', String(statistics.ready)],
    ['ApproximateNumberOfMessagesNotVisible', String(statistics.inFlight)],
    ['ApproximateNumberOfMessagesDelayed', String(statistics.delayed)],
    ['CreatedTimestamp', annotations[CREATED] ?? started],
    ['LastModifiedTimestamp', annotations[MODIFIED] ?? started],
    ['VisibilityTimeout', secondsOf(options.visibilityTimeoutMs)],
    ['MaximumMessageSize', String(options.maxMessageBytes)],
    ['MessageRetentionPeriod', secondsOf(options.retentionMs)],
    ['DelaySeconds', secondsOf(options.delayMs)],
    [WAIT_TIME, annotations[ANNOTATION + WAIT_TIME] ?? '0'],
  ]);
  if (options.deadLetter !== null) {
    const { queue: target, maxReceives } = options.deadLetter;
    const policy = { deadLetterTargetArn: arnOf(target), maxReceiveCount: maxReceives };
    attributes.set('RedrivePolicy', JSON.stringify(policy));
  }
  if (options.type === 'fifo') {
    attributes.set('FifoQueue', 'true');
    attributes.set('ContentBasedDeduplication', String(options.deduplication.by === 'content'));
    attributes.set('DeduplicationScope', scopeOf(options));
    attributes.set('FifoThroughputLimit', annotations[`${ANNOTATION}FifoThroughputLimit`] ?? 'perQueue');
  }
  for (const name of ['RedriveAllowPolicy', ...KEPT]) {
    const value = annotations[ANNOTATION + name];
    if (value !== undefined) attributes.set(name, value);
  }
  return attributes;
}

/** Names that may be asked for, whether a queue has them or not. */
export const ATTRIBUTE_NAMES: ReadonlySet<string> = new Set([
  'All',
  'QueueArn',
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesNotVisible',
  'ApproximateNumberOfMessagesDelayed',
  'CreatedTimestamp',
  'LastModifiedTimestamp',
  'RedrivePolicy',
  'RedriveAllowPolicy',
  'FifoQueue',
  'ContentBasedDeduplication',
  ...Object.keys(RANGES),
  ...Object.keys(WORDS),
  ...KEPT,
]);

export function isPerGroup(options: QueueOptions): boolean {
  return scopeOf(options) === 'messageGroup';
}

/** How long a receive waits that does not say. */
export function waitSecondsOf({ annotations }: QueueOptions): number {
  return Number(annotations[ANNOTATION + WAIT_TIME] ?? 0);
}

function scopeOf({ annotations }: QueueOptions): string {
  return annotations[`${ANNOTATION}DeduplicationScope`] ?? 'queue';
}

function secondsOf(ms: number): string {
  return String(Math.floor(ms / 1000));
}

function numberIn(name: string, value: string): number {
  const { least, most } = RANGES[name] as Range;
  const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw invalidValue(name);
}

/** SQS takes `True` as well. */
function flagIn(name: string, value: string): boolean {
  const word = value.toLowerCase();
  if (word === 'true' || word === 'false') return word === 'true';
  throw invalidValue(name);
}

interface AllowPolicy {
  readonly permission: unknown;
  readonly sources: readonly string[];
}

/** @throws SqsError */
function readAllowPolicy(text: string): AllowPolicy {
  const { redrivePermission, sourceQueueArns = [] } = parseObject(text) ?? {};
  const isList = Array.isArray(sourceQueueArns) && sourceQueueArns.every((arn) => typeof arn === 'string');
  const isNamed = redrivePermission === 'byQueue';
  const isKnown = isNamed || redrivePermission === 'allowAll' || redrivePermission === 'denyAll';
  if (!isList || !isKnown || sourceQueueArns.length > MOST_SOURCES || (isNamed && sourceQueueArns.length === 0)) {
    throw invalidParameter('RedriveAllowPolicy', text, 'It is no redrive allow policy.');
  }
  return {
    permission: redrivePermission,
    sources: sourceQueueArns.map((arn: string) => queueNameOfArn(arn, 'RedriveAllowPolicy')),
  };
}

function allowsSource({ annotations }: QueueOptions, source: string): boolean {
  const text = annotations[`${ANNOTATION}RedriveAllowPolicy`];
  if (text === undefined) return true;
  const { permission, sources } = readAllowPolicy(text);
  return permission === 'allowAll' || (permission === 'byQueue' && sources.includes(source));
}

function parseObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function unknownAttribute(name: string): SqsError {
  return new SqsError('InvalidAttributeName', `Unknown Attribute ${name}.`);
}

function invalidValue(name: string): SqsError {
  return new SqsError('InvalidAttributeValue', `Invalid value for the parameter ${name}.`);
}
