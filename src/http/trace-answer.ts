/** What a search in the history of queues has found, as it is shown: each message with what happened to it, in order. */
import { z } from 'zod';
import { DEAD_LETTER_REASONS } from '../queues/entry-codec.js';
import { RETURN_REASONS, type TraceEvent } from '../queues/history/trace-event.js';
import { TRACE_STATES, type TracedMessage, type TracePage } from '../queues/history/trace-query.js';
import { QUEUE_DROP_REASONS } from '../queues/queue-counters.js';
import { type MessageProperties, messageContent, messageContentOf } from './message-content.js';
import { moment, momentOf, occurred, occurredAt } from './moment.js';

/** Nobody's name is that of a consumer without one. */
const who = z.string().nullable();

const eventAnswer = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('enqueued'),
    at: moment,
    isMoved: z.boolean().meta({ description: 'It came from another queue.' }),
    from: z.string().nullable().meta({ description: 'The queue of which it is a dead letter.' }),
  }),
  z.object({
    kind: z.literal('delivered'),
    at: moment,
    to: who,
    attempt: z.int().meta({ description: 'Receives that count, this one included.' }),
  }),
  z.object({
    kind: z.literal('returned'),
    at: moment,
    by: who,
    reason: z.enum(RETURN_REASONS),
    delayMs: z.int(),
    attempts: z.int().meta({ description: 'Receives that count so far.' }),
  }),
  z.object({ kind: z.literal('acknowledged'), at: moment, by: who }),
  z.object({
    kind: z.literal('dead-lettered'),
    at: moment,
    by: who,
    to: z.string(),
    reason: z.enum(DEAD_LETTER_REASONS),
  }),
  z.object({ kind: z.literal('moved'), at: moment, by: who, to: z.string() }),
  z.object({ kind: z.literal('dropped'), at: moment, by: who, reason: z.enum(QUEUE_DROP_REASONS) }),
]);

export const tracedMessageAnswer = z.object({
  queue: z.string().meta({ description: 'The queue may be gone.' }),
  id: z.string(),
  sequence: z.int(),
  state: z.enum(TRACE_STATES),
  publishedAt: occurred.meta({ description: 'When it came to the broker.' }),
  arrivedAt: moment.meta({ description: 'When it came into this queue.' }),
  leftAt: occurred,
  ...messageContent.shape,
  events: z.array(eventAnswer).meta({ description: 'In order. Of very many receives the first ones and the last.' }),
});

export const traceAnswer = z.object({
  messages: z.array(tracedMessageAnswer),
  cursor: z.string().nullable().meta({ description: 'For the next page; null if there is none.' }),
  endedBy: z.enum(['end', 'page', 'budget']).meta({
    description: 'budget: there may be more, but a search may not take longer than this one has; the cursor goes on.',
  }),
  examined: z.int().meta({ description: 'Rows that were looked at.' }),
  damaged: z.int().meta({ description: 'Rows that cannot be read, and were left out.' }),
  queuesWithoutHistory: z
    .array(z.string())
    .meta({ description: 'Of a search in all queues: those that keep no history, and were left out.' }),
});

export type TraceEventAnswer = z.output<typeof eventAnswer>;
export type TracedMessageAnswer = z.output<typeof tracedMessageAnswer>;
export type TraceAnswer = z.output<typeof traceAnswer>;

/**
 * @param propertiesOf reads the MQTT 5 properties of a message
 * @param payloadBytes shown of each payload at most
 */
export function traceAnswerOf(
  page: TracePage,
  propertiesOf: (message: TracedMessage['message']) => MessageProperties,
  payloadBytes: number,
): TraceAnswer {
  const { cursor, endedBy, examined, damaged, queuesWithoutHistory } = page;
  return {
    messages: page.messages.map((traced) => tracedMessageAnswerOf(traced, propertiesOf(traced.message), payloadBytes)),
    cursor,
    endedBy,
    examined,
    damaged,
    queuesWithoutHistory: [...queuesWithoutHistory],
  };
}

function tracedMessageAnswerOf(
  { queue, id, sequence, state, arrivedAtMs, leftAtMs, message, entry, events }: TracedMessage,
  properties: MessageProperties,
  payloadBytes: number,
): TracedMessageAnswer {
  return {
    queue,
    id,
    sequence,
    state,
    publishedAt: occurredAt(message.arrivedAtMs),
    arrivedAt: momentOf(arrivedAtMs),
    leftAt: leftAtMs === null ? null : momentOf(leftAtMs),
    ...messageContentOf(message, entry, properties, payloadBytes),
    events: events.map(eventAnswerOf),
  };
}

/** Field by field: of a page of messages that nobody could handle there are tens of thousands. */
function eventAnswerOf(event: TraceEvent): TraceEventAnswer {
  const at = momentOf(event.atMs);
  switch (event.kind) {
    case 'enqueued':
      return { kind: event.kind, at, isMoved: event.isMoved, from: nameOrNull(event.from) };
    case 'delivered':
      return { kind: event.kind, at, to: nameOrNull(event.to), attempt: event.attempt };
    case 'returned': {
      const { kind, by, reason, delayMs, attempts } = event;
      return { kind, at, by: nameOrNull(by), reason, delayMs, attempts };
    }
    case 'acknowledged':
      return { kind: event.kind, at, by: nameOrNull(event.by) };
    case 'dead-lettered':
      return { kind: event.kind, at, by: nameOrNull(event.by), to: event.to, reason: event.reason };
    case 'moved':
      return { kind: event.kind, at, by: nameOrNull(event.by), to: event.to };
    case 'dropped':
      return { kind: event.kind, at, by: nameOrNull(event.by), reason: event.reason };
  }
}

function nameOrNull(name: string): string | null {
  return name === '' ? null : name;
}
