/**
 * The `queues` section: work queues by name, with every option that a queue has. Its values reach the queues as QueueOptions
 * (work-queue-settings.ts), from which the defaults are taken.
 */
import { z } from 'zod';
import { DEFAULT_QUEUE_OPTIONS } from '../queues/queue-options.js';
import type { IssueParameters } from './listener-schema.js';
import { queuePushSchema } from './push-schema.js';
import { expected, setting } from './setting.js';

const YEAR_SECONDS = 366 * 86_400;

/** Names appear in topics, URLs, metrics and environment variables; as SQS has them. */
const QUEUE_NAME = /^(?=.{1,80}$)[A-Za-z0-9][A-Za-z0-9_-]*(\.fifo)?$/;

const notAMap = expected('a map of settings');
const wantedQueue = expected('the name of a queue');
const defaults = DEFAULT_QUEUE_OPTIONS;
const defaultRetry = { baseMs: 1000, capMs: 300_000, ...defaults.retry };

const deadLetter = z
  .strictObject(
    {
      queue: z.string(wantedQueue).min(1, wantedQueue).optional().meta({
        description:
          'Queue that gets a message which would be received more than `maxReceives` times, or was rejected. Default: unset, so that a message is tried until its retention ends.',
        'x-unit': '',
      }),
      maxReceives: setting.count({
        description: 'How often a message is received at most before it goes there.',
        reason: 'enough for a worker that is restarted, and few enough for one that the message kills',
        default: 5,
        min: 1,
        max: 1000,
        unit: 'receives',
      }),
    },
    notAMap,
  )
  .prefault({})
  .meta({ description: 'Where messages go that cannot be worked on.' });

const retry = z
  .strictObject(
    {
      base: setting.duration({
        description: 'How long a refused message stays away after its first attempt; then twice as long each time.',
        reason: 'a moment for what the worker lacked to come back',
        default: defaultRetry.baseMs / 1000,
        min: 0,
        max: YEAR_SECONDS,
      }),
      cap: setting.duration({
        description: 'How long it stays away at most. At least `base`.',
        reason: 'minutes, so that work goes on soon after a long failure',
        default: defaultRetry.capMs / 1000,
        min: 0,
        max: YEAR_SECONDS,
      }),
      delays: setting.list({
        description: 'Delays by attempt, instead of the two above; the last one stands for all further attempts.',
        reason: 'doubling suits most workers',
        item: setting.durationValue({ min: 0, max: YEAR_SECONDS }).meta({ 'x-unit': 'seconds' }),
        what: 'delays',
        max: 100,
      }),
    },
    notAMap,
  )
  .prefault({})
  .meta({ description: 'When a refused message comes back, unless the refusal says.' });

const deduplication = z
  .strictObject(
    {
      by: setting.choice({
        description:
          'What makes a second message a duplicate, which is accepted and not enqueued: nothing, its deduplication id, or its content if it has no such id.',
        reason: 'only the application knows what is the same message',
        words: ['none', 'id', 'content'],
        default: defaults.deduplication.by,
      }),
      window: setting.duration({
        description: 'For how long an id is remembered.',
        reason: 'as in SQS',
        default: defaults.deduplication.windowMs / 1000,
        min: 1,
        max: YEAR_SECONDS,
      }),
      maxBytes: setting.size({
        description:
          'Bytes of memory, about, of the ids that are remembered; with as many, messages with a new id are refused, as by a full queue, until the first ids have outlived `window`. No id is forgotten before.',
        reason: '3000 messages a second for five minutes, the quota of a fifo queue of SQS',
        default: defaults.maxDeduplicationBytes,
        min: 1,
        max: 2 ** 40,
      }),
    },
    notAMap,
  )
  .prefault({})
  .meta({ description: 'Which messages are enqueued once only.' });

function flag(description: string, reason: string, isOn: boolean) {
  return z
    .boolean(expected('true or false'))
    .default(isOn)
    .meta({ description: `${description} Default: ${reason}.`, 'x-unit': '' });
}

const queue = z.strictObject(
  {
    type: setting.choice({
      description:
        '`fifo` keeps the order of each message group, one receive at a time; in `standard` a group gives fairness only. Cannot be changed once the queue is stored.',
      reason: 'throughput, unless order is asked for',
      words: ['standard', 'fifo'],
      default: defaults.type,
    }),
    ordering: setting.choice({
      description:
        'How messages of a group follow each other in a `fifo` queue: with `strict`, nobody gets more of a group before all of it that was received is done or back. With `pipelined`, the consumer that has some of it gets more; when one comes back, what is behind it comes back too.',
      reason: 'a worker need not deal with two messages of a group at a time',
      words: ['strict', 'pipelined'],
      default: defaults.ordering,
    }),
    visibilityTimeout: setting.duration({
      description: 'How long a received message stays hidden from others before it is received again.',
      reason: 'as in SQS',
      default: defaults.visibilityTimeoutMs / 1000,
      min: 0,
      max: YEAR_SECONDS,
    }),
    delay: setting.duration({
      description: 'How long a new message waits before it may be received.',
      reason: 'work is there to be done',
      default: defaults.delayMs / 1000,
      min: 0,
      max: YEAR_SECONDS,
    }),
    retention: setting.duration({
      description: 'How long a message is kept, counted from when it was first enqueued.',
      reason: 'as in SQS: longer than a weekend',
      default: defaults.retentionMs / 1000,
      min: 1,
      max: 100 * YEAR_SECONDS,
    }),
    maxMessages: setting.count({
      description: 'Messages in the queue, whatever their state.',
      reason: 'a backlog of this size takes some hundreds of megabytes of memory',
      default: defaults.maxMessages,
      min: 1,
      max: 2 ** 40,
      unit: 'messages',
    }),
    maxBytes: setting.size({
      description: 'Bytes that they may take together.',
      reason: 'bounds what one queue can take of a disk',
      default: defaults.maxBytes,
      min: 1024,
      max: 2 ** 50,
    }),
    maxMessageSize: setting.size({
      description: 'Largest payload that the queue takes; of SQS, largest body with its message attributes.',
      reason: 'as in SQS',
      default: defaults.maxMessageBytes,
      min: 1,
      max: 2 ** 28,
    }),
    maxInFlight: setting.count({
      description: 'Messages that workers may have at one time.',
      reason: 'as in SQS; each takes an object in memory',
      default: defaults.maxInFlight,
      min: 1,
      max: 10_000_000,
      unit: 'messages',
    }),
    overflow: setting.choice({
      description:
        'What happens to a new message when a limit is reached: `refuse` does not take it; `drop-oldest` and `dead-letter-oldest` make room for it with those that have waited longest.',
      reason: 'what is stored stays until a worker is done with it',
      words: ['refuse', 'drop-oldest', 'dead-letter-oldest'],
      default: defaults.overflow,
    }),
    deadLetter,
    deadLetterExpired: flag(
      'Whether a message that outlives its retention or its Message Expiry goes to the dead-letter queue as well.',
      'what is too old is of no use',
      defaults.deadLetterExpired,
    ),
    retry,
    deduplication,
    compactBy: setting.choice({
      description:
        'Whether a new message takes the place of one that waits and has the same key, which is dropped: with `key`, a queue of states has the last one of each. Messages without a key, and those that a worker has, stay.',
      reason: 'each message is work of its own',
      words: ['none', 'key'],
      default: defaults.compactBy,
    }),
    exclusive: flag(
      'Whether one consumer at a time gets messages, and the next one takes over when it goes.',
      'workers share the work',
      defaults.exclusive,
    ),
    autoDelete: setting.durationValue({ min: 0, max: YEAR_SECONDS }).optional().meta({
      description:
        'The queue is deleted when it has had no consumer for so long. Default: unset, so that it stays until somebody deletes it.',
      'x-unit': 'seconds',
    }),
    prefetch: setting.count({
      description: 'Messages that a consumer over MQTT may have in flight, unless it asks for fewer.',
      reason: 'hides the way to the worker and back, and leaves work to the other workers',
      default: defaults.prefetch,
      min: 1,
      max: 10_000,
      unit: 'messages',
    }),
    acknowledgementTimeout: setting.durationValue({ min: 1, max: YEAR_SECONDS }).optional().meta({
      description:
        'How long a consumer over MQTT may have a message as its oldest one in flight, before others get it. Default: unset, so that it has it for as long as it is connected.',
      'x-unit': 'seconds',
    }),
    receipts: flag(
      'Whether who publishes a message with a Response Topic is told there when it is done, or has become a dead letter.',
      'an acknowledgement says that the message is stored, and that is what most want to know',
      defaults.receipts,
    ),
    history: setting.duration({
      description:
        'For how long a message can be found with its content and what happened to it, after it has left the queue; one that is in the queue always can. 0 writes nothing down. Needs a data directory.',
      reason: 'it costs several writes for each message',
      default: defaults.historyMs / 1000,
      min: 0,
      max: YEAR_SECONDS,
    }),
    historyMaxBytes: setting.size({
      description: 'Bytes, about, of messages kept for that; beyond it those go first that left first.',
      reason: 'a million or two small messages, and a small part of most disks',
      default: defaults.historyMaxBytes,
      min: 0,
      max: 2 ** 50,
    }),
    body: setting.choice({
      description:
        'How payloads appear in the bodies of SQS, which are text: `auto` as they are if they are text, otherwise in base64; `text` as they are, what is no text replaced by U+FFFD; `base64` always so; `json` in an object with topic, payload and properties.',
      reason: 'most payloads are text',
      words: ['auto', 'text', 'base64', 'json'],
      default: 'auto',
    }),
    push: queuePushSchema,
  },
  notAMap,
);

export type QueueSettings = z.output<typeof queue>;

function checkNames(queues: object, context: z.core.$RefinementCtx): void {
  for (const name of Object.keys(queues)) {
    if (QUEUE_NAME.test(name)) continue;
    context.addIssue({
      code: 'custom',
      path: [name],
      message:
        'the name of a queue is up to 80 letters, digits, - and _, begins with a letter or a digit, and may end in .fifo',
      input: name,
      params: { aboutKey: true } satisfies IssueParameters,
    });
  }
}

export const queuesSchema = z.object({}, notAMap).catchall(queue).superRefine(checkNames).prefault({}).meta({
  description:
    'Work queues, by name: made at start, and changed where they are stored. One that is not named any more stays; the start message names it. Without any rule of `bridge` there is a queue `telemetry` to begin with, and its dead-letter queue `telemetry-dlq`.',
});
