/** What a message of a queue is about, as it is shown: topic, content and properties, and what the queue was told of it when it came. */
import { isUtf8 } from 'node:buffer';
import { z } from 'zod';
import type { Message } from '../core/message.js';
import { DEAD_LETTER_REASONS, type MessageEntry, type MessageOrigin } from '../queues/entry-codec.js';
import { moment, momentOf, occurred, occurredAt } from './moment.js';

/** What an MQTT 5 publisher said beside topic and payload; what it did not say is left out. */
const propertiesAnswer = z.object({
  payloadFormatIndicator: z.int().optional(),
  contentType: z.string().optional(),
  responseTopic: z.string().optional(),
  correlationData: z.base64().optional(),
  userProperties: z.array(z.tuple([z.string(), z.string()])).optional(),
});

const payloadAnswer = z.object({
  encoding: z.enum(['text', 'base64']).meta({ description: 'text if it is UTF-8.' }),
  data: z.string(),
  bytes: z.int().meta({ description: 'Of the whole payload.' }),
  isCut: z.boolean().meta({ description: 'The data is but its beginning.' }),
});

export const messageContent = z.object({
  topic: z.string(),
  publisher: z.string().meta({ description: 'Client id; empty for the broker itself.' }),
  group: z.string(),
  priority: z.int(),
  key: z.string(),
  deduplicationId: z.string(),
  attributes: z.array(z.tuple([z.string(), z.string()])),
  enqueuedAt: moment.meta({ description: 'When it came into a queue, of several into the first.' }),
  expiresAt: occurred,
  origin: z
    .object({
      queue: z.string(),
      reason: z.enum(DEAD_LETTER_REASONS),
      receives: z.int(),
      firstFailedAt: occurred,
      lastFailedAt: occurred,
      movedAt: moment,
    })
    .nullable()
    .meta({ description: 'Where a dead letter comes from.' }),
  properties: propertiesAnswer,
  payload: payloadAnswer,
});

export type MessageContent = z.output<typeof messageContent>;

/** The MQTT 5 properties of a message, as whoever knows MQTT reads them. */
export interface MessageProperties {
  readonly payloadFormatIndicator?: number | undefined;
  readonly contentType?: string | undefined;
  readonly responseTopic?: string | undefined;
  readonly correlationData?: Buffer | undefined;
  readonly userProperties?: readonly (readonly [name: string, value: string])[] | undefined;
}

/** @param payloadBytes shown of the payload at most */
export function messageContentOf(
  message: Message,
  entry: MessageEntry,
  properties: MessageProperties,
  payloadBytes: number,
): MessageContent {
  const { group, priority, key, deduplicationId, attributes, origin } = entry;
  return {
    topic: message.topic,
    publisher: message.publisherId,
    group,
    priority,
    key,
    deduplicationId,
    attributes: attributes.map(([name, value]) => [name, value]),
    enqueuedAt: momentOf(entry.enqueuedAtMs),
    expiresAt: occurredAt(message.expiresAtMs),
    origin: origin === null ? null : originAnswerOf(origin),
    properties: propertiesAnswerOf(properties),
    payload: payloadAnswerOf(message, payloadBytes),
  };
}

function originAnswerOf(origin: MessageOrigin): NonNullable<MessageContent['origin']> {
  const { queue, reason, receives, firstFailedAtMs, lastFailedAtMs, movedAtMs } = origin;
  return {
    queue,
    reason,
    receives,
    firstFailedAt: occurredAt(firstFailedAtMs),
    lastFailedAt: occurredAt(lastFailedAtMs),
    movedAt: momentOf(movedAtMs),
  };
}

function propertiesAnswerOf({ correlationData, userProperties, ...rest }: MessageProperties) {
  const { payloadFormatIndicator, contentType, responseTopic } = rest;
  return {
    ...(payloadFormatIndicator === undefined ? {} : { payloadFormatIndicator }),
    ...(contentType === undefined ? {} : { contentType }),
    ...(responseTopic === undefined ? {} : { responseTopic }),
    ...(correlationData === undefined ? {} : { correlationData: correlationData.toString('base64') }),
    ...(userProperties === undefined
      ? {}
      : { userProperties: userProperties.map(([name, value]): [string, string] => [name, value]) }),
  };
}

function payloadAnswerOf({ payload }: Message, most: number): MessageContent['payload'] {
  const isCut = payload.length > most;
  const shown = payload.subarray(0, most);
  const text = isCut ? withoutBrokenEnd(shown) : shown;
  const facts = { bytes: payload.length, isCut };
  if (isUtf8(text)) return { encoding: 'text', data: text.toString(), ...facts };
  return { encoding: 'base64', data: shown.toString('base64'), ...facts };
}

/** The cut may have gone through a character, which has up to four bytes. */
function withoutBrokenEnd(bytes: Buffer): Buffer {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] as number;
    const isContinuation = (byte & 0xc0) === 0x80;
    if (isContinuation) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? bytes.subarray(0, -back) : bytes;
  }
  return bytes;
}
