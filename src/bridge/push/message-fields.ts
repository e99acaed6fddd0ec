/**
 * What is said of a message in the headers of its request. Devices choose topics and properties: those that would make a request
 * larger than servers take are left out, and named in `q-omitted`, rather than have the message refused for ever.
 */
import type { OutgoingHttpHeaders } from 'node:http';
import type { Message } from '../../core/message.js';
import type { WorkDelivery } from '../../core/work-source.js';
import { headerJson, headerText, isHeaderText } from './header-text.js';
import type { PushFormat } from './push-target.js';

/** The MQTT 5 properties of a message, as whoever knows MQTT reads them. */
export interface MessageProperties {
  readonly payloadFormatIndicator?: number | undefined;
  readonly contentType?: string | undefined;
  readonly responseTopic?: string | undefined;
  readonly correlationData?: Buffer | undefined;
  readonly userProperties?: readonly (readonly [name: string, value: string])[] | undefined;
}

export type PropertiesReader = (message: Message) => MessageProperties;

/** nginx and Tomcat take 8 KiB of headers; some of that is for what proxies add. */
const MOST_BYTES = 6 * 1024;

const ANY_BYTES = 'application/octet-stream';
const ANY_TEXT = 'text/plain; charset=utf-8';
const LONGEST_CONTENT_TYPE = 256;

/** Adds what is said of the message, and the type of its content, to the headers of a request. */
export function addMessageFields(
  headers: OutgoingHttpHeaders,
  format: PushFormat,
  queue: string,
  delivery: WorkDelivery,
  properties: MessageProperties,
): void {
  headers['content-type'] = contentTypeOf(properties);
  const fields = new Fields(headers);
  if (format === 'cloudevents') addCloudEvent(fields, queue, delivery);
  else addQueueFields(fields, queue, delivery);
  addMqttFields(fields, delivery.message, properties);
  fields.end();
}

/** The names that a consumer over MQTT knows them by; `q-id` is `webhook-id`. */
function addQueueFields(fields: Fields, queue: string, delivery: WorkDelivery): void {
  const { message, attempt, firstReceivedAtMs, entry } = delivery;
  const { enqueuedAtMs, group, key, origin, attributes } = entry;
  fields.add('q-queue', queue);
  fields.add('q-attempt', String(attempt));
  fields.add('q-enqueued', String(enqueuedAtMs));
  fields.add('q-first', String(firstReceivedAtMs));
  if (origin !== null) {
    fields.addText('q-dead-queue', origin.queue);
    fields.add('q-dead-reason', origin.reason);
    fields.add('q-dead-receives', String(origin.receives));
    if (origin.firstFailedAtMs !== 0) fields.add('q-dead-first-failed', String(origin.firstFailedAtMs));
    if (origin.lastFailedAtMs !== 0) fields.add('q-dead-last-failed', String(origin.lastFailedAtMs));
  }
  if (message.publisherId !== '') fields.addText('q-publisher', message.publisherId);
  if (group !== '') fields.addText('q-group', group);
  if (key !== '') fields.addText('q-key', key);
  addAttributes(fields, attributes);
}

/** CloudEvents 1.0, HTTP binding, binary content mode; names of extensions are lower case letters and digits. */
function addCloudEvent(fields: Fields, queue: string, { message, attempt, entry }: WorkDelivery): void {
  const { id, enqueuedAtMs, group, key, origin, attributes } = entry;
  fields.add('ce-specversion', '1.0');
  fields.addText('ce-id', id);
  fields.addText('ce-source', `/queues/${queue}`);
  fields.add('ce-type', 'millrace.message');
  fields.add('ce-time', new Date(enqueuedAtMs).toISOString());
  fields.add('ce-attempt', String(attempt));
  if (origin !== null) fields.addText('ce-deadqueue', origin.queue);
  if (message.publisherId !== '') fields.addText('ce-publisher', message.publisherId);
  // "partitionkey" is the name that the extension for ordered streams has.
  if (group !== '') fields.addText('ce-partitionkey', group);
  if (key !== '') fields.addText('ce-key', key);
  fields.addText('ce-subject', message.topic);
  addAttributes(fields, attributes);
}

function addAttributes(fields: Fields, attributes: WorkDelivery['entry']['attributes']): void {
  if (attributes.length > 0) fields.add('q-attributes', headerJson(Object.fromEntries(attributes)));
}

function addMqttFields(fields: Fields, message: Message, properties: MessageProperties): void {
  const { responseTopic, correlationData, userProperties } = properties;
  fields.addText('mqtt-topic', message.topic);
  if (message.expiresAtMs !== 0) fields.add('mqtt-expires', String(message.expiresAtMs));
  if (responseTopic !== undefined) fields.addText('mqtt-response-topic', responseTopic);
  if (correlationData !== undefined) fields.add('mqtt-correlation-data', correlationData.toString('base64'));
  if (userProperties !== undefined) fields.add('mqtt-user-properties', headerJson(userProperties));
}

/** What a request says that the payload is. */
export function contentTypeOf({ contentType, payloadFormatIndicator }: MessageProperties): string {
  const isUsable = contentType !== undefined && contentType !== '' && contentType.length <= LONGEST_CONTENT_TYPE;
  if (isUsable && isHeaderText(contentType)) return contentType;
  return payloadFormatIndicator === 1 ? ANY_TEXT : ANY_BYTES;
}

class Fields {
  readonly #headers: OutgoingHttpHeaders;
  readonly #omitted: string[] = [];
  #bytesLeft = MOST_BYTES;

  constructor(headers: OutgoingHttpHeaders) {
    this.#headers = headers;
  }

  /** Text that may be anything. */
  addText(name: string, text: string): void {
    this.add(name, headerText(text));
  }

  /** @param value that a header can have */
  add(name: string, value: string): void {
    const bytes = name.length + value.length;
    if (bytes > this.#bytesLeft) {
      this.#omitted.push(name);
      return;
    }
    this.#bytesLeft -= bytes;
    this.#headers[name] = value;
  }

  end(): void {
    if (this.#omitted.length > 0) this.#headers['q-omitted'] = this.#omitted.join(', ');
  }
}
