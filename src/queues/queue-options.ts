/** What can be set on a queue, with units, defaults and bounds. Plain values: they are stored as JSON. */
import { InvalidQueueOption } from './queue-errors.js';

export type RetryPolicy =
  /** Delays by attempt; the last one stands for all further attempts. */
  | { readonly delaysMs: readonly number[] }
  /** `baseMs` after the first attempt, then twice as long each time, up to `capMs`. */
  | { readonly baseMs: number; readonly capMs: number };

export interface QueueOptions {
  /** `fifo`: order within a group, and only the newest receipt handle counts. */
  readonly type: 'standard' | 'fifo';
  /**
   * Of a fifo queue: `strict` has the messages of a group in flight by one receive at a time; `pipelined` gives the consumer
   * that has some of a group more of it, and takes back what is behind a message that comes back.
   */
  readonly ordering: 'strict' | 'pipelined';
  /** How long a received message stays hidden. SQS's default. */
  readonly visibilityTimeoutMs: number;
  /** How long a new message waits before it may be received. */
  readonly delayMs: number;
  /** Counted from when a message was first enqueued, also in a dead-letter queue. Four days, as SQS. */
  readonly retentionMs: number;
  /** Messages of any state; a backlog of this size takes some tens of megabytes. */
  readonly maxMessages: number;
  /**
   * Bytes of content and entries of messages of any state. What is dropped unread counts with the mean of its neighbours,
   * of up to 1024: the sum is exact again when those have gone.
   */
  readonly maxBytes: number;
  /** Bytes of one payload; what is said of it is held within bounds by `maxBytes`. 1 MiB, as SQS. */
  readonly maxMessageBytes: number;
  /** Each costs an object in memory. 120,000, as SQS. */
  readonly maxInFlight: number;
  /** When a limit is reached. A message in flight is never given up for a new one. */
  readonly overflow: 'refuse' | 'drop-oldest' | 'dead-letter-oldest';
  /** Where a message goes that would be received more than `maxReceives` times. */
  readonly deadLetter: { readonly queue: string; readonly maxReceives: number } | null;
  /** What outlives its retention or its Message Expiry goes to the dead-letter queue as well. */
  readonly deadLetterExpired: boolean;
  /** When a refused message comes back, if the refusal does not say. */
  readonly retry: RetryPolicy;
  /** Whether a second message with the same id, or the same content (SHA-256), within the window is a duplicate. */
  readonly deduplication: { readonly by: 'none' | 'id' | 'content'; readonly windowMs: number };
  /**
   * Bytes of memory, about, of the ids that are remembered for that: with as many, messages with a new one are refused until the
   * first ones have outlived the window. The default is good for 3000 messages a second with ids of 36 characters for five minutes.
   */
  readonly maxDeduplicationBytes: number;
  /**
   * `key`: a new message takes the place of the one with its key that waits, which is dropped. Those without a key stay. Switched on, it
   * goes through what waits.
   */
  readonly compactBy: 'none' | 'key';
  /** One consumer at a time, the next takes over when it goes; who receives without being a consumer gets nothing. */
  readonly exclusive: boolean;
  /** The queue goes with its last consumer, after so long; null if it stays. */
  readonly autoDeleteAfterMs: number | null;
  /** Messages that a consumer which is sent them may have in flight, unless it asks for fewer. */
  readonly prefetch: number;
  /** How long such a consumer may have a message as its oldest one in flight; null for as long as it is there. */
  readonly acknowledgementTimeoutMs: number | null;
  /** Whoever published a message, and named where to, is told when it is done, or has become a dead letter. */
  readonly receipts: boolean;
  /** For how long a message can be found, with what happened to it, after it has left; 0 to write nothing down. */
  readonly historyMs: number;
  /** Bytes, about, of messages kept for that: the oldest go first. A GiB holds a million or two small messages. */
  readonly historyMaxBytes: number;
  /** What the doors keep with a queue, by names of their own: it means nothing to the queue itself. */
  readonly annotations: Readonly<Record<string, string>>;
}

export const DEFAULT_QUEUE_OPTIONS: QueueOptions = {
  type: 'standard',
  ordering: 'strict',
  visibilityTimeoutMs: 30_000,
  delayMs: 0,
  retentionMs: 4 * 86_400_000,
  maxMessages: 10_000_000,
  maxBytes: 64 * 2 ** 30,
  maxMessageBytes: 2 ** 20,
  maxInFlight: 120_000,
  overflow: 'refuse',
  deadLetter: null,
  deadLetterExpired: false,
  retry: { baseMs: 1000, capMs: 300_000 },
  deduplication: { by: 'none', windowMs: 300_000 },
  maxDeduplicationBytes: 256 * 2 ** 20,
  compactBy: 'none',
  exclusive: false,
  autoDeleteAfterMs: null,
  prefetch: 16,
  acknowledgementTimeoutMs: null,
  receipts: false,
  historyMs: 0,
  historyMaxBytes: 2 ** 30,
  annotations: {},
};

const LONGEST_MS = 366 * 86_400_000;
/** They are written again with each change of the queue's options. */
const LARGEST_ANNOTATIONS = 256 * 1024;

/**
 * The options with defaults filled in.
 * @throws InvalidQueueOption naming the first option that makes no sense
 */
export function validateQueueOptions(given: Partial<QueueOptions>): QueueOptions {
  const options: QueueOptions = { ...DEFAULT_QUEUE_OPTIONS, ...given };
  for (const name of Object.keys(options)) {
    if (!(name in DEFAULT_QUEUE_OPTIONS)) throw new InvalidQueueOption(name, 'is no option of a queue');
  }
  oneOf('type', options.type, ['standard', 'fifo']);
  oneOf('ordering', options.ordering, ['strict', 'pipelined']);
  if (options.ordering === 'pipelined' && options.type !== 'fifo') {
    throw new InvalidQueueOption('ordering', 'pipelined needs a fifo queue');
  }
  oneOf('overflow', options.overflow, ['refuse', 'drop-oldest', 'dead-letter-oldest']);
  whole('visibilityTimeoutMs', options.visibilityTimeoutMs, 0, LONGEST_MS);
  whole('delayMs', options.delayMs, 0, LONGEST_MS);
  whole('retentionMs', options.retentionMs, 1000, 100 * LONGEST_MS);
  whole('maxMessages', options.maxMessages, 1, 2 ** 40);
  whole('maxBytes', options.maxBytes, 1, 2 ** 50);
  whole('maxMessageBytes', options.maxMessageBytes, 1, 2 ** 28);
  whole('maxInFlight', options.maxInFlight, 1, 10_000_000);
  checkDeadLetter(options);
  checkRetry(options.retry);
  oneOf('compactBy', options.compactBy, ['none', 'key']);
  oneOf('deduplication.by', options.deduplication?.by, ['none', 'id', 'content']);
  whole('deduplication.windowMs', options.deduplication.windowMs, 1, LONGEST_MS);
  whole('maxDeduplicationBytes', options.maxDeduplicationBytes, 1, 2 ** 40);
  for (const name of ['deadLetterExpired', 'exclusive', 'receipts'] as const) {
    if (typeof options[name] !== 'boolean') throw new InvalidQueueOption(name, 'is not true or false');
  }
  whole('prefetch', options.prefetch, 1, 10_000);
  if (options.acknowledgementTimeoutMs !== null) {
    whole('acknowledgementTimeoutMs', options.acknowledgementTimeoutMs, 1000, LONGEST_MS);
  }
  if (options.autoDeleteAfterMs !== null) whole('autoDeleteAfterMs', options.autoDeleteAfterMs, 0, LONGEST_MS);
  whole('historyMs', options.historyMs, 0, LONGEST_MS);
  whole('historyMaxBytes', options.historyMaxBytes, 0, 2 ** 50);
  checkAnnotations(options.annotations);
  return options;
}

/** How long a message stays away after so many attempts. */
export function retryDelayMs(retry: RetryPolicy, attempts: number): number {
  if ('delaysMs' in retry) {
    return retry.delaysMs[Math.min(Math.max(attempts, 1), retry.delaysMs.length) - 1] ?? 0;
  }
  return Math.min(retry.capMs, retry.baseMs * 2 ** Math.min(Math.max(attempts, 1) - 1, 40));
}

/** The longest delay that the policy gives. */
export function lastRetryDelayMs(retry: RetryPolicy): number {
  return 'delaysMs' in retry ? (retry.delaysMs.at(-1) ?? 0) : retry.capMs;
}

function checkDeadLetter({ deadLetter, overflow, deadLetterExpired }: QueueOptions): void {
  if (deadLetter === null) {
    if (overflow === 'dead-letter-oldest') throw new InvalidQueueOption('overflow', 'needs a deadLetter queue');
    if (deadLetterExpired) throw new InvalidQueueOption('deadLetterExpired', 'needs a deadLetter queue');
    return;
  }
  if (typeof deadLetter.queue !== 'string' || deadLetter.queue === '') {
    throw new InvalidQueueOption('deadLetter.queue', 'is no name of a queue');
  }
  whole('deadLetter.maxReceives', deadLetter.maxReceives, 1, 1000);
}

function checkRetry(retry: RetryPolicy): void {
  if (!('delaysMs' in retry)) {
    whole('retry.baseMs', retry.baseMs, 0, LONGEST_MS);
    whole('retry.capMs', retry.capMs, retry.baseMs, LONGEST_MS);
    return;
  }
  if (!Array.isArray(retry.delaysMs) || retry.delaysMs.length === 0 || retry.delaysMs.length > 100) {
    throw new InvalidQueueOption('retry.delaysMs', 'is no list of 1 to 100 delays');
  }
  for (const delay of retry.delaysMs) whole('retry.delaysMs', delay, 0, LONGEST_MS);
}

function checkAnnotations(annotations: Readonly<Record<string, string>>): void {
  if (typeof annotations !== 'object' || annotations === null || Array.isArray(annotations)) {
    throw new InvalidQueueOption('annotations', 'are no map');
  }
  let length = 0;
  for (const [name, value] of Object.entries(annotations)) {
    if (typeof value !== 'string') throw new InvalidQueueOption(`annotations.${name}`, 'is no text');
    length += name.length + value.length;
  }
  if (length > LARGEST_ANNOTATIONS) throw new InvalidQueueOption('annotations', 'are too long together');
}

function oneOf(option: string, value: unknown, known: readonly string[]): void {
  if (typeof value !== 'string' || !known.includes(value)) {
    throw new InvalidQueueOption(option, `is none of ${known.join(', ')}`);
  }
}

function whole(option: string, value: unknown, least: number, most: number): void {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least || value > most) {
    throw new InvalidQueueOption(option, `is no whole number from ${least} to ${most}`);
  }
}
