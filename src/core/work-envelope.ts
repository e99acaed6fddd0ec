/**
 * Everything about a message of a work queue as one object, for who knows no properties and no headers: the envelope over MQTT, and an item of
 * a batch for a webhook. docs/queues.md has the names. Times are ms since the epoch.
 */
import { isUtf8 } from 'node:buffer';
import type { WorkDelivery } from './work-source.js';

/** Of the MQTT 5 properties of the message, those that stand in it. */
export interface EnvelopeProperties {
  readonly contentType?: string | undefined;
  readonly responseTopic?: string | undefined;
  readonly correlationData?: Buffer | undefined;
  readonly userProperties?: readonly (readonly [name: string, value: string])[] | undefined;
}

/** @returns JSON */
export function workEnvelope(queue: string, delivery: WorkDelivery, properties: EnvelopeProperties): string {
  const { message, attempt, firstReceivedAtMs, entry } = delivery;
  const { id, enqueuedAtMs, group, key, attributes, origin } = entry;
  const { contentType, responseTopic, correlationData, userProperties } = properties;
  const { payload } = message;
  return JSON.stringify({
    id,
    queue,
    attempt,
    enqueued: enqueuedAtMs,
    first: firstReceivedAtMs,
    topic: message.topic,
    ...(message.publisherId === '' ? {} : { publisher: message.publisherId }),
    ...(group === '' ? {} : { group }),
    ...(key === '' ? {} : { key }),
    ...(attributes.length === 0 ? {} : { attributes: Object.fromEntries(attributes) }),
    ...(contentType === undefined ? {} : { contentType }),
    ...(responseTopic === undefined ? {} : { responseTopic }),
    ...(correlationData === undefined ? {} : { correlationData: correlationData.toString('base64') }),
    ...(userProperties === undefined ? {} : { userProperties }),
    ...(message.expiresAtMs === 0 ? {} : { expires: message.expiresAtMs }),
    ...(origin === null ? {} : { dead: origin }),
    ...(isUtf8(payload) ? { payload: payload.toString() } : { payloadBase64: payload.toString('base64') }),
  });
}
