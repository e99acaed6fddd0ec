/**
 * What is told of queues, as schemas: the types of the answers and their description for clients are made of the same thing. Durations
 * are milliseconds, and say so in their name; points in time are ISO 8601.
 */
import { z } from 'zod';
import { QUEUE_DROP_REASONS, REFUSAL_REASONS } from '../queues/queue-counters.js';
import { REDRIVE_STATES } from '../queues/redrive.js';
import { moment, occurred } from './moment.js';
import { pushAnswer } from './push-answer.js';

const count = z.int();

const statistics = z.object({
  ready: count,
  inFlight: count,
  delayed: count,
  bytes: count.meta({ description: 'Of content and entries of all messages.' }),
  groups: count,
  oldestAgeMs: count.meta({ description: '0 if the queue is empty.' }),
  waitingReceives: count,
  consumers: count,
});

const counters = z
  .object({
    enqueued: count,
    restored: count.meta({ description: 'Found in the data directory at start.' }),
    acknowledged: count,
    moved: count.meta({ description: 'To a dead-letter queue, or by a redrive.' }),
    duplicates: count,
    receives: count,
    refusedByConsumer: count,
    visibilityTimeouts: count,
    deadLettersHeldBack: count,
    dropped: z.record(z.enum(QUEUE_DROP_REASONS), count),
    refused: z.record(z.enum(REFUSAL_REASONS), count),
    missing: count.meta({ description: 'Messages that are in nobody’s account: 0, or something is wrong.' }),
  })
  .meta({ description: 'Since the broker was started.' });

const historyStatistics = z
  .object({
    messages: count,
    bytes: count.meta({ description: 'What they take, about.' }),
    oldestLeftAt: occurred.meta({ description: 'When the one left that left first; null also while that is counted.' }),
    expired: count.meta({
      description: 'Removed since the start of the broker, when they had been kept for long enough.',
    }),
    evicted: count.meta({ description: 'Removed before that, to make room.' }),
  })
  .meta({ description: 'What is kept of messages that have left the queue.' });

export const redriveAnswer = z.object({
  state: z.enum(REDRIVE_STATES),
  target: z.string().nullable().meta({ description: 'null: each message goes to where it came from.' }),
  startedAt: moment,
  moved: count,
  failed: count.meta({ description: 'Their target does not take them; or they were chosen, and cannot be moved.' }),
  left: count.meta({ description: 'When it has ended: those that somebody had in hand, and those held back.' }),
  total: count.meta({ description: 'Messages that were ready when it began, or were chosen.' }),
});

export const queueSummary = z.object({
  name: z.string(),
  type: z.enum(['standard', 'fifo']),
  deadLetterQueue: z.string().nullable(),
  statistics,
});

const damagedQueue = z.object({ number: count, messages: count });

export const queueList = z.object({
  queues: z.array(queueSummary),
  cursor: z.string().nullable().meta({ description: 'For the next page; null if there is none.' }),
  damaged: z.array(damagedQueue).meta({
    description:
      'Queues whose definition cannot be read: nobody can use them, and their messages are kept until they are given up. On each page.',
  }),
});

export const queueDetail = queueSummary.extend({
  options: z
    .record(z.string(), z.unknown())
    .meta({ description: 'As the configuration has them, in bytes and milliseconds.' }),
  counters,
  sources: z.array(z.string()).meta({ description: 'Queues whose dead letters come here.' }),
  redrive: redriveAnswer.nullable().meta({ description: 'The one that is running, or the last one.' }),
  history: historyStatistics,
  push: pushAnswer.nullable().meta({ description: 'The webhook that gets its messages; null if it has none.' }),
});

export const purgeAnswer = z.object({ queue: z.string(), purged: count });

export const giveUpAnswer = z.object({ number: count, messages: count });

export type RedriveAnswer = z.output<typeof redriveAnswer>;
export type QueueSummary = z.output<typeof queueSummary>;
export type QueueList = z.output<typeof queueList>;
export type QueueDetail = z.output<typeof queueDetail>;
export type DamagedQueue = z.output<typeof damagedQueue>;
export type PurgeAnswer = z.output<typeof purgeAnswer>;
export type GiveUpAnswer = z.output<typeof giveUpAnswer>;
