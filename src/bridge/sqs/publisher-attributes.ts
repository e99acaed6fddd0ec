/**
 * The message attributes of a message as a receiver sees them: those that it was sent with, or that a rule gave it, and what its publisher
 * said over MQTT as `mqtt.…`. There are ten at most: what is beyond stands in the last one, as JSON. A message that was put
 * into the queue itself has only what was said of it there, so that one sent by SQS comes out as it went in.
 */
import { decodePublishProperties } from '../../codec/publish-properties.js';
import type { Delivery } from '../../queues/delivery.js';
import { isQueueTopic } from '../../topics/queue-topic.js';
import { fromEntryAttributes, isAttributeName, type MessageAttribute, MOST_ATTRIBUTES } from './message-attributes.js';
import { hasForbidden, safeJson } from './xml-text.js';

/** Holds what there is no room for: an object of names and values, bytes in base64. */
const REST_NAME = 'mqtt.more';

/** @param isEncoded the body is base64 of the payload, which the receiver cannot see otherwise */
export function attributesOf({ entry, message }: Delivery, isEncoded: boolean): MessageAttribute[] {
  const attributes = fromEntryAttributes(entry.attributes);
  const text = (name: string, value: string | undefined): void => {
    if (value !== undefined && value !== '') attributes.push({ name, type: 'String', value });
  };
  if (isEncoded) text('mqtt.encoding', 'base64');
  if (!isQueueTopic(message.topic)) {
    text('mqtt.topic', message.topic);
    attributes.push({ name: 'mqtt.qos', type: 'Number', value: String(message.qos) });
    text('mqtt.retain', message.retain ? 'true' : undefined);
    text('mqtt.clientId', message.publisherId);
  }
  if (message.propertiesStart !== message.propertiesEnd) {
    const { contentType, responseTopic, correlationData, userProperties } = decodePublishProperties(message);
    text('mqtt.contentType', contentType);
    text('mqtt.responseTopic', responseTopic);
    if (correlationData !== undefined && correlationData.length > 0) {
      attributes.push({ name: 'mqtt.correlationData', type: 'Binary', value: correlationData });
    }
    text('mqtt.userProperties', userProperties === undefined ? undefined : safeJson(userProperties));
  }
  return withinLimit(attributes);
}

function withinLimit(attributes: readonly MessageAttribute[]): MessageAttribute[] {
  const fit = attributes.filter(canStandAlone);
  if (fit.length === attributes.length && fit.length <= MOST_ATTRIBUTES) return fit;
  const alone = fit.slice(0, MOST_ATTRIBUTES - 1);
  const rest = attributes
    .filter((attribute) => !alone.includes(attribute))
    .map(({ name, value }) => [name, typeof value === 'string' ? value : value.toString('base64')]);
  return [...alone, { name: REST_NAME, type: 'String', value: safeJson(Object.fromEntries(rest)) }];
}

/** A rule may have given it a name, and a publisher a value, that no attribute may have. */
function canStandAlone({ name, value }: MessageAttribute): boolean {
  return isAttributeName(name) && value.length > 0 && (typeof value !== 'string' || !hasForbidden(value));
}
