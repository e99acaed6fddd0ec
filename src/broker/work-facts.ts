/**
 * What a consumer is told of a message beside what its publisher sent: as User Properties in front of the publisher's own, or in an envelope.
 * Times are ms since the epoch.
 */
import { isUtf8 } from 'node:buffer';
import { decodePublishProperties } from '../codec/publish-properties.js';
import { UserPropertyWriter } from '../codec/user-property-writer.js';
import type { WorkDelivery } from '../core/work-source.js';

const writer = new UserPropertyWriter();

/** Messages of one turn have few times between them: the last one is not written out again. */
class TimeText {
  #ms = 0;
  #text = '0';

  of(ms: number): string {
    if (ms !== this.#ms) {
      this.#ms = ms;
      this.#text = String(ms);
    }
    return this.#text;
  }
}

const enqueued = new TimeText();
const firstReceived = new TimeText();

/** @returns encoded User Properties, valid until the next call */
export function workProperties(queue: string, { message, attempt, firstReceivedAtMs, entry }: WorkDelivery): Buffer {
  const { id, enqueuedAtMs, group, key, attributes, origin } = entry;
  writer.reset();
  writer.add('q-id', id);
  writer.add('q-queue', queue);
  writer.add('q-attempt', String(attempt));
  writer.add('q-enqueued', enqueued.of(enqueuedAtMs));
  writer.add('q-first', firstReceived.of(firstReceivedAtMs));
  if (group !== '') writer.add('q-group', group);
  if (key !== '') writer.add('q-key', key);
  if (message.publisherId !== '') writer.add('q-publisher', message.publisherId);
  if (origin !== null) {
    writer.add('q-dead-queue', origin.queue);
    writer.add('q-dead-reason', origin.reason);
    writer.add('q-dead-receives', String(origin.receives));
    if (origin.firstFailedAtMs !== 0) writer.add('q-dead-first-failed', String(origin.firstFailedAtMs));
    if (origin.lastFailedAtMs !== 0) writer.add('q-dead-last-failed', String(origin.lastFailedAtMs));
  }
  for (const [name, value] of attributes) writer.add(name, value);
  return writer.bytes;
}

/** Everything about a message, for clients that know no properties. @returns JSON */
export function workEnvelope(queue: string, delivery: WorkDelivery): Buffer {
  const { message, attempt, firstReceivedAtMs, entry } = delivery;
  const { id, enqueuedAtMs, group, key, attributes, origin } = entry;
  const { contentType, responseTopic, correlationData, userProperties } = decodePublishProperties(message);
  const { payload } = message;
  const body = isUtf8(payload) ? { payload: payload.toString() } : { payloadBase64: payload.toString('base64') };
  const envelope = {
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
    ...body,
  };
  return Buffer.from(JSON.stringify(envelope));
}
