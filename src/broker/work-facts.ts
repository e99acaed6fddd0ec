/**
 * What a consumer is told of a message beside what its publisher sent: as User Properties in front of the publisher's own. An
 * envelope has more (core/work-envelope.ts). Times are ms since the epoch.
 */
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
