/**
 * A message as it stands in the body of a batch: an object of JSON, with the names that an envelope over MQTT has, or those of CloudEvents'
 * JSON format (version 1.0, of which a batch is a list).
 */
import { isUtf8 } from 'node:buffer';
import { workEnvelope } from '../../core/work-envelope.js';
import type { WorkDelivery } from '../../core/work-source.js';
import { contentTypeOf, type MessageProperties } from './message-fields.js';
import type { PushFormat } from './push-target.js';

const JSON_TYPE = /^[^;]*[/+]json\s*(;|$)/i;
const TEXT_TYPE = /^text\//i;

/** @returns JSON */
export function batchItemOf(
  format: PushFormat,
  queue: string,
  delivery: WorkDelivery,
  properties: MessageProperties,
): string {
  return format === 'cloudevents'
    ? cloudEventOf(queue, delivery, properties)
    : workEnvelope(queue, delivery, properties);
}

/** Names of extensions are lower-case letters and digits, and their values no objects and no lists. */
function cloudEventOf(queue: string, delivery: WorkDelivery, properties: MessageProperties): string {
  const { message, attempt, entry } = delivery;
  const { id, enqueuedAtMs, group, key, attributes, origin } = entry;
  const type = contentTypeOf(properties);
  const head = JSON.stringify({
    specversion: '1.0',
    id,
    source: `/queues/${queue}`,
    type: 'millrace.message',
    time: new Date(enqueuedAtMs).toISOString(),
    subject: message.topic,
    attempt,
    ...(origin === null ? {} : { deadqueue: origin.queue }),
    ...(message.publisherId === '' ? {} : { publisher: message.publisherId }),
    ...(group === '' ? {} : { partitionkey: group }),
    ...(key === '' ? {} : { key }),
    ...(attributes.length === 0 ? {} : { attributes: JSON.stringify(Object.fromEntries(attributes)) }),
    ...(properties.responseTopic === undefined ? {} : { responsetopic: properties.responseTopic }),
    ...(properties.correlationData === undefined
      ? {}
      : { correlationdata: properties.correlationData.toString('base64') }),
    ...(properties.userProperties === undefined ? {} : { userproperties: JSON.stringify(properties.userProperties) }),
    // Integers of CloudEvents have 32 bits.
    ...(message.expiresAtMs === 0 ? {} : { expires: new Date(message.expiresAtMs).toISOString() }),
    datacontenttype: type,
  });
  return `${head.slice(0, -1)},${dataOf(message.payload, type)}}`;
}

/** JSON stands in it as it came, so that no number loses digits. */
function dataOf(payload: Buffer, type: string): string {
  if (isUtf8(payload)) {
    const text = payload.toString();
    if (JSON_TYPE.test(type) && isJson(text)) return `"data":${text}`;
    if (TEXT_TYPE.test(type)) return `"data":${JSON.stringify(text)}`;
  }
  return `"data_base64":"${payload.toString('base64')}"`;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
