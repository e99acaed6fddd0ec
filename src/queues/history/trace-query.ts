/**
 * What can be asked of the history of queues, and what is answered.
 *
 *   const page = await registry.search({ queue: 'orders', key: 'device-7', limit: 20 });
 *   for (const { id, state, events } of page.messages) …
 *   if (page.cursor !== null) await registry.search({ queue: 'orders', key: 'device-7', limit: 20, cursor: page.cursor });
 */
import type { Message } from '../../core/message.js';
import type { MessageEntry } from '../entry-codec.js';
import { InvalidTraceQuery } from '../queue-errors.js';
import type { TraceEvent } from './trace-event.js';

/** All that is given must hold. An id, a key or a topic without wildcards is looked up; else messages are gone through. */
export interface TraceQuery {
  /** The name of a queue, also of one that is gone; all queues that keep a history unless given. */
  readonly queue?: string;
  /** The message id. It stays the same when a message goes to another queue: without `queue` its whole life is found. */
  readonly id?: string;
  /** {@link MessageEntry.key}. */
  readonly key?: string;
  /** A topic, or a filter with `+` and `#`. */
  readonly topic?: string;
  /** Came into the queue at this time or later, ms since the epoch, */
  readonly fromMs?: number;
  /** and before this time. */
  readonly toMs?: number;
  /** By when messages came into their queue; newest first unless told. */
  readonly order?: TraceOrder;
  /** Messages in an answer at most; 1 to 1000, 100 unless told. */
  readonly limit?: number;
  /** Of the answer before, to the same query: goes on from there. */
  readonly cursor?: string;
}

export type TraceOrder = 'newest-first' | 'oldest-first';

export interface TracePage {
  readonly messages: readonly TracedMessage[];
  /** To ask for more with; null if there is nothing more. */
  readonly cursor: string | null;
  /**
   * Why the answer ends here: nothing more matches (`end`); there are `limit` messages, or four MiB of them (`page`); or there may be
   * more, but a search may not take longer or look at more than this one has (`budget`): {@link cursor} goes on.
   */
  readonly endedBy: 'end' | 'page' | 'budget';
  /** Rows that were looked at. */
  readonly examined: number;
  /** Rows that could not be read, and were left out. */
  readonly damaged: number;
  /** Of a search in all queues: queues that keep no history, and were left out. */
  readonly queuesWithoutHistory: readonly string[];
}

export const TRACE_STATES = [
  'ready',
  'in-flight',
  /** New, or refused, and waiting for its time. */
  'delayed',
  /** Acknowledged. */
  'done',
  'dead-lettered',
  /** To another queue, as by a redrive. */
  'moved',
  /** Expired, given up for others, rejected, purged …: the last event has the reason. */
  'dropped',
] as const;
export type TraceState = (typeof TRACE_STATES)[number];

/** One stay of a message in one queue, as the disk has it. */
export interface TracedMessage {
  /** The queue's name; the queue may be gone. */
  readonly queue: string;
  /** {@link MessageEntry.id}. */
  readonly id: string;
  /** Grows with the order in which messages were stored; another one in each queue that it came to by being moved. */
  readonly sequence: number;
  readonly state: TraceState;
  /** When it came into this queue, ms since the epoch; `entry.enqueuedAtMs` is when it came into the first. */
  readonly arrivedAtMs: number;
  /** When it left; null while it is there. */
  readonly leftAtMs: number | null;
  /** Topic, publisher, properties and payload as published, and when. */
  readonly message: Message;
  /** Group, key, priority, attributes, and where a dead letter came from. */
  readonly entry: MessageEntry;
  /** What happened to it in this queue, in order. Of very many receives the first ones and the last. */
  readonly events: readonly TraceEvent[];
}

/** A query with everything decided. */
export interface CheckedQuery {
  readonly queue: string | null;
  readonly id: string | null;
  readonly key: string | null;
  readonly topic: string | null;
  readonly fromMs: number;
  readonly toMs: number;
  readonly isNewestFirst: boolean;
  readonly limit: number;
  /** Everything up to here was answered. */
  readonly after: TracePosition | null;
}

/** Of a message in the order of the answer. */
export interface TracePosition {
  readonly sequence: number;
  readonly queue: number;
}

const DEFAULT_LIMIT = 100;
const HIGHEST_LIMIT = 1000;
const CURSOR = /^([no])([0-9a-f]{12})([0-9a-f]{8})$/;

/** @throws InvalidTraceQuery */
export function checkQuery(query: TraceQuery): CheckedQuery {
  const { order = 'newest-first', limit = DEFAULT_LIMIT, fromMs = 0, toMs = Number.POSITIVE_INFINITY } = query;
  if (order !== 'newest-first' && order !== 'oldest-first') {
    throw new InvalidTraceQuery('order', 'is neither newest-first nor oldest-first');
  }
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > HIGHEST_LIMIT) {
    throw new InvalidTraceQuery('limit', `is no whole number from 1 to ${HIGHEST_LIMIT}`);
  }
  for (const [name, value] of [
    ['fromMs', fromMs],
    ['toMs', toMs],
  ] as const) {
    if (typeof value !== 'number' || Number.isNaN(value)) throw new InvalidTraceQuery(name, 'is no time');
  }
  for (const name of ['queue', 'id', 'key', 'topic'] as const) {
    const text = query[name];
    if (text !== undefined && (typeof text !== 'string' || text === '')) {
      throw new InvalidTraceQuery(name, 'is empty, or no text');
    }
  }
  const isNewestFirst = order === 'newest-first';
  return {
    queue: query.queue ?? null,
    id: query.id ?? null,
    key: query.key ?? null,
    topic: query.topic ?? null,
    fromMs,
    toMs,
    isNewestFirst,
    limit,
    after: query.cursor === undefined ? null : decodeCursor(query.cursor, isNewestFirst),
  };
}

export function encodeCursor({ sequence, queue }: TracePosition, isNewestFirst: boolean): string {
  return (isNewestFirst ? 'n' : 'o') + sequence.toString(16).padStart(12, '0') + queue.toString(16).padStart(8, '0');
}

function decodeCursor(cursor: string, isNewestFirst: boolean): TracePosition {
  const match = CURSOR.exec(cursor);
  if (match === null || (match[1] === 'n') !== isNewestFirst) {
    throw new InvalidTraceQuery('cursor', 'is none of this query');
  }
  return { sequence: Number.parseInt(match[2] as string, 16), queue: Number.parseInt(match[3] as string, 16) };
}
