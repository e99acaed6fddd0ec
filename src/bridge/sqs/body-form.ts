/**
 * Payloads are bytes, bodies are text without control characters. Each queue says how the one becomes the other; what was put into a queue
 * as text, by this door or by MQTT with the Payload Format Indicator, is that text in any case.
 */
import { isUtf8 } from 'node:buffer';
import { decodePublishProperties } from '../../codec/publish-properties.js';
import type { Message } from '../../core/message.js';
import type { QueueOptions } from '../../queues/queue-options.js';
import { isQueueTopic } from '../../topics/queue-topic.js';
import { hasForbidden, replaceForbidden, safeJson } from './xml-text.js';

export const BODY_FORMS = ['auto', 'text', 'base64', 'json'] as const;
export type BodyForm = (typeof BODY_FORMS)[number];

/** The annotation of a queue that holds its form. */
export const BODY_ANNOTATION = 'body';

const PAYLOAD_FORMAT_INDICATOR = 0x01;

export interface Body {
  readonly text: string;
  /** The payload is no text, and stands in base64 where text was to be expected. */
  readonly isEncoded: boolean;
}

export function bodyFormOf({ annotations }: QueueOptions): BodyForm {
  return BODY_FORMS.find((form) => form === annotations[BODY_ANNOTATION]) ?? 'auto';
}

export function bodyOf(message: Message, form: BodyForm): Body {
  const { payload } = message;
  if (form === 'text') return { text: replaceForbidden(payload.toString()), isEncoded: false };
  if (form === 'auto' || wasPutAsText(message)) {
    const text = textOf(payload);
    return text === null ? { text: payload.toString('base64'), isEncoded: true } : { text, isEncoded: false };
  }
  if (form === 'base64') return { text: payload.toString('base64'), isEncoded: true };
  return { text: envelopeOf(message), isEncoded: false };
}

/** It went into the queue itself, and its publisher said that it is text (section 3.3.2.3.2). */
function wasPutAsText(message: Message): boolean {
  const { bytes, propertiesStart, propertiesEnd } = message;
  if (propertiesStart === propertiesEnd || !isQueueTopic(message.topic)) return false;
  if (bytes[propertiesStart] === PAYLOAD_FORMAT_INDICATOR) return bytes[propertiesStart + 1] === 1;
  return decodePublishProperties(message).payloadFormatIndicator === 1;
}

function textOf(payload: Buffer): string | null {
  if (!isUtf8(payload)) return null;
  const text = payload.toString();
  return hasForbidden(text) ? null : text;
}

/** Everything that the publisher said. */
function envelopeOf(message: Message): string {
  const { topic, qos, retain, publisherId, payload } = message;
  const { contentType, responseTopic, correlationData, userProperties } = decodePublishProperties(message);
  const text = textOf(payload);
  return safeJson({
    topic,
    qos,
    retain,
    ...(publisherId === '' ? {} : { clientId: publisherId }),
    ...(text === null ? { payloadBase64: payload.toString('base64') } : { payload: text }),
    ...(contentType === undefined ? {} : { contentType }),
    ...(responseTopic === undefined ? {} : { responseTopic }),
    ...(correlationData === undefined ? {} : { correlationData: correlationData.toString('base64') }),
    ...(userProperties === undefined ? {} : { userProperties }),
  });
}
