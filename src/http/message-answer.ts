/** A message that is in a queue, as it is shown: what it is about, and how far it has come. */
import { z } from 'zod';
import type { PeekedMessage } from '../queues/peeked-message.js';
import { type MessageProperties, messageContent, messageContentOf } from './message-content.js';
import { occurred, occurredAt } from './moment.js';

export const messageAnswer = z.object({
  id: z.string(),
  sequence: z.int(),
  state: z.enum(['ready', 'in-flight', 'delayed']),
  attempts: z.int().meta({ description: 'Receives so far that count.' }),
  dueAt: occurred.meta({ description: 'When it is visible again, or its delay is over.' }),
  firstReceivedAt: occurred,
  firstFailedAt: occurred,
  lastFailedAt: occurred,
  holder: z.string().nullable().meta({ description: 'The consumer that has it in flight, if that has a name.' }),
  ...messageContent.shape,
});

export const messagePage = z.object({
  messages: z.array(messageAnswer),
  cursor: z.string().nullable().meta({ description: 'For the next page; null if there is none.' }),
});

export type MessageAnswer = z.output<typeof messageAnswer>;
export type MessagePage = z.output<typeof messagePage>;

/** @param payloadBytes shown of the payload at most */
export function messageAnswerOf(
  peeked: PeekedMessage,
  properties: MessageProperties,
  payloadBytes: number,
): MessageAnswer {
  const { message, entry, sequence, state, attempts, holder } = peeked;
  return {
    id: entry.id,
    sequence,
    state,
    attempts,
    dueAt: occurredAt(peeked.dueAtMs ?? 0),
    firstReceivedAt: occurredAt(peeked.firstReceivedAtMs),
    firstFailedAt: occurredAt(peeked.firstFailedAtMs),
    lastFailedAt: occurredAt(peeked.lastFailedAtMs),
    holder,
    ...messageContentOf(message, entry, properties, payloadBytes),
  };
}
