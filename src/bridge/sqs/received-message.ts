/** A message as ReceiveMessage gives it. */
import { hash } from 'node:crypto';
import type { Delivery } from '../../queues/delivery.js';
import type { Queue } from '../../queues/queue.js';
import { AttributeFilter } from './attribute-filter.js';
import { type BodyForm, bodyFormOf, bodyOf } from './body-form.js';
import { deduplicationIdOf } from './deduplication-scope.js';
import { type MessageAttribute, md5OfAttributes, traceHeaderOf } from './message-attributes.js';
import { attributesOf } from './publisher-attributes.js';
import { sequenceNumberOf } from './sequence-number.js';

/** In the form of the JSON protocol. */
export type MessageFields = Readonly<Record<string, unknown>>;

export class ReceivedMessages {
  readonly #form: BodyForm;
  readonly #isFifo: boolean;
  readonly #systemFilter: AttributeFilter;
  readonly #filter: AttributeFilter;
  readonly #account: string;
  readonly #arnOf: (queue: string) => string;

  constructor(
    queue: Queue,
    systemNames: readonly string[],
    names: readonly string[],
    account: string,
    arnOf: (queue: string) => string,
  ) {
    this.#form = bodyFormOf(queue.options);
    this.#isFifo = queue.options.type === 'fifo';
    this.#systemFilter = new AttributeFilter(systemNames);
    this.#filter = new AttributeFilter(names);
    this.#account = account;
    this.#arnOf = arnOf;
  }

  fieldsOf(delivery: Delivery): MessageFields {
    const { text, isEncoded } = bodyOf(delivery.message, this.#form);
    const fields: Record<string, unknown> = {
      MessageId: delivery.id,
      ReceiptHandle: delivery.receiptHandle,
      MD5OfBody: hash('md5', text, 'hex'),
      Body: text,
    };
    if (!this.#systemFilter.isNothing) {
      const attributes = this.#systemAttributesOf(delivery).filter(([name]) => this.#systemFilter.passes(name));
      if (attributes.length > 0) fields['Attributes'] = Object.fromEntries(attributes);
    }
    if (!this.#filter.isNothing) {
      const attributes = attributesOf(delivery, isEncoded).filter(({ name }) => this.#filter.passes(name));
      if (attributes.length > 0) {
        fields['MD5OfMessageAttributes'] = md5OfAttributes(attributes);
        fields['MessageAttributes'] = Object.fromEntries(attributes.map(attributeFields));
      }
    }
    return fields;
  }

  #systemAttributesOf({ message, entry, attempt, firstReceivedAtMs, sequence }: Delivery): [string, string][] {
    const attributes: [string, string][] = [
      ['SenderId', message.publisherId === '' ? this.#account : message.publisherId],
      ['SentTimestamp', String(entry.enqueuedAtMs)],
      ['ApproximateReceiveCount', String(attempt)],
      ['ApproximateFirstReceiveTimestamp', String(firstReceivedAtMs)],
    ];
    if (entry.group !== '') attributes.push(['MessageGroupId', entry.group]);
    if (entry.deduplicationId !== '') {
      attributes.push(['MessageDeduplicationId', deduplicationIdOf(entry.deduplicationId)]);
    }
    if (this.#isFifo) attributes.push(['SequenceNumber', sequenceNumberOf(sequence)]);
    if (entry.origin !== null) attributes.push(['DeadLetterQueueSourceArn', this.#arnOf(entry.origin.queue)]);
    const trace = traceHeaderOf(entry.attributes);
    if (trace !== undefined) attributes.push(['AWSTraceHeader', trace]);
    return attributes;
  }
}

function attributeFields({ name, type, value }: MessageAttribute): [string, MessageFields] {
  return [
    name,
    typeof value === 'string'
      ? { StringValue: value, DataType: type }
      : { BinaryValue: value.toString('base64'), DataType: type },
  ];
}
