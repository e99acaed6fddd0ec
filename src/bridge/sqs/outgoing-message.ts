/** A message that somebody sends: checked as SQS checks it, and put into the queue. */
import { hash } from 'node:crypto';
import { buildMessage, encodePublishProperties } from '../../codec/message-builder.js';
import type { EnqueueOptions } from '../../queues/intake.js';
import type { Queue } from '../../queues/queue.js';
import { isForRoom } from '../../queues/queue-counters.js';
import { topicOfQueue } from '../../topics/queue-topic.js';
import type { Caller } from './caller.js';
import { scopedDeduplicationId } from './deduplication-scope.js';
import {
  type MessageAttribute,
  md5OfAttributes,
  readMessageAttributes,
  sizeOfAttributes,
  toEntryAttributes,
} from './message-attributes.js';
import { isPerGroup } from './queue-attributes.js';
import { sequenceNumberOf } from './sequence-number.js';
import { invalidParameter, missingParameter, SqsError } from './sqs-error.js';
import type { SqsInput } from './sqs-input.js';
import type { SqsService } from './sqs-service.js';
import { hasForbidden } from './xml-text.js';

/** As SQS: ids of groups and of deduplication. */
const ID = /^[A-Za-z0-9!"#$%&'()*+,\-./:;<=>?@[\\\]^_`{|}~]{1,128}$/;
const LONGEST_DELAY_SECONDS = 900;
const TRACE_HEADER = 'AWSTraceHeader';

/** It is text: whoever takes it over MQTT is told so. */
const PROPERTIES = encodePublishProperties({ payloadFormatIndicator: 1 });

const REFUSAL_TEXT = {
  'queue-full': 'The queue is full.',
  'deduplication-full': 'The queue remembers as many deduplication ids as it may.',
  'message-too-large': 'One or more parameters are invalid. Reason: Message is larger than the queue takes.',
  'invalid-priority': 'The priority is invalid.',
  'invalid-delay': 'The delay is invalid.',
} as const;

export interface Sent {
  readonly fields: Readonly<Record<string, unknown>>;
  /** Of the commit that holds it. */
  readonly ticket: number;
}

export class OutgoingMessage {
  readonly #body: Buffer;
  readonly #attributes: readonly MessageAttribute[];
  readonly #systemAttributes: readonly MessageAttribute[];
  readonly #options: EnqueueOptions;

  /** @throws SqsError if it is no message that the queue could take */
  constructor(queue: Queue, input: SqsInput) {
    const text = input.neededText('MessageBody');
    if (hasForbidden(text)) {
      throw new SqsError(
        'InvalidMessageContents',
        'Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF',
      );
    }
    this.#body = Buffer.from(text);
    this.#attributes = readMessageAttributes(input.map('MessageAttributes'));
    this.#systemAttributes = readSystemAttributes(input);
    const size = this.#body.length + sizeOfAttributes(this.#attributes);
    if (size > queue.options.maxMessageBytes) {
      const message = `One or more parameters are invalid. Reason: Message must be shorter than ${queue.options.maxMessageBytes} bytes.`;
      throw new SqsError('InvalidParameterValueException', message);
    }
    this.#options = optionsOf(queue, input, this.#body);
  }

  /** @throws SqsError if the queue does not take it */
  send(service: SqsService, queue: Queue, caller: Caller): Sent {
    if (!service.options.isAccepting()) {
      throw new SqsError('ServiceUnavailable', 'The broker cannot store messages at the moment.');
    }
    const trace = this.#systemAttributes[0]?.value as string | undefined;
    const message = buildMessage({
      topic: topicOfQueue(queue.name),
      payload: this.#body,
      qos: 1,
      retain: false,
      properties: PROPERTIES,
      publisherId: caller.id,
      nowMs: service.clock.now(),
    });
    const options = { ...this.#options, attributes: toEntryAttributes(this.#attributes, trace) };
    const [outcome] = service.registry.enqueue(message, [{ queue, options }]);
    if (outcome === undefined || outcome.status === 'refused') {
      const reason = outcome?.reason ?? 'queue-full';
      // A client tries again: there may be room by then.
      const shape = isForRoom(reason) ? 'RequestThrottled' : 'InvalidParameterValueException';
      throw new SqsError(shape, REFUSAL_TEXT[reason]);
    }
    const fields: Record<string, unknown> = {
      MessageId: outcome.id,
      MD5OfMessageBody: hash('md5', this.#body, 'hex'),
    };
    if (this.#attributes.length > 0) fields['MD5OfMessageAttributes'] = md5OfAttributes(this.#attributes);
    if (trace !== undefined) fields['MD5OfMessageSystemAttributes'] = md5OfAttributes(this.#systemAttributes);
    if (queue.options.type === 'fifo' && outcome.status === 'enqueued') {
      fields['SequenceNumber'] = sequenceNumberOf(outcome.sequence);
    }
    return { fields, ticket: outcome.ticket };
  }
}

/** What a message counts, whether it could be sent or not: its body, and names, types and values of its attributes. @throws SqsError */
export function sizeOfMessage(input: SqsInput): number {
  let bytes = Buffer.byteLength(input.text('MessageBody') ?? '');
  for (const [name, attribute] of input.map('MessageAttributes')) {
    bytes += name.length + (attribute.text('DataType') ?? '').length;
    bytes += Buffer.byteLength(attribute.text('StringValue') ?? '');
    bytes += Buffer.byteLength(attribute.text('BinaryValue') ?? '', 'base64');
  }
  return bytes;
}

/** @throws SqsError */
function readSystemAttributes(input: SqsInput): MessageAttribute[] {
  const attributes = readMessageAttributes(input.map('MessageSystemAttributes'));
  const unknown = attributes.find(({ name, type }) => name !== TRACE_HEADER || type !== 'String');
  if (unknown === undefined) return attributes;
  throw invalidParameter('MessageSystemAttributes', unknown.name, `Only ${TRACE_HEADER} of type String is known.`);
}

function optionsOf(queue: Queue, input: SqsInput, body: Buffer): EnqueueOptions {
  const { options } = queue;
  const isFifo = options.type === 'fifo';
  const group = idOf(input, 'MessageGroupId');
  const deduplicationId = idOf(input, 'MessageDeduplicationId');
  const delaySeconds = input.whole('DelaySeconds', 0, LONGEST_DELAY_SECONDS);
  if (isFifo && group === undefined) throw missingParameter('MessageGroupId');
  if (isFifo && deduplicationId === undefined && options.deduplication.by === 'id') {
    throw new SqsError(
      'InvalidParameterValueException',
      'The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly',
    );
  }
  // SQS: 0 may be said.
  if (isFifo && delaySeconds !== undefined && delaySeconds > 0) throw notOfThisType('DelaySeconds', delaySeconds);
  if (!isFifo && deduplicationId !== undefined && options.deduplication.by === 'none') {
    throw notOfThisType('MessageDeduplicationId', deduplicationId);
  }
  return {
    ...(group === undefined ? {} : { group }),
    ...(delaySeconds === undefined || isFifo ? {} : { delayMs: delaySeconds * 1000 }),
    ...deduplicationOf(queue, group, deduplicationId, body),
  };
}

function deduplicationOf(
  { options }: Queue,
  group: string | undefined,
  given: string | undefined,
  body: Buffer,
): Pick<EnqueueOptions, 'deduplicationId'> {
  if (group === undefined || !isPerGroup(options)) return given === undefined ? {} : { deduplicationId: given };
  if (given !== undefined) return { deduplicationId: scopedDeduplicationId(group, given) };
  if (options.deduplication.by !== 'content') return {};
  return { deduplicationId: scopedDeduplicationId(group, hash('sha256', body, 'hex')) };
}

function idOf(input: SqsInput, name: string): string | undefined {
  const id = input.text(name);
  if (id === undefined || ID.test(id)) return id;
  throw invalidParameter(
    name,
    id,
    `${name} can only include alphanumeric and punctuation characters. 1 to 128 in length.`,
  );
}

function notOfThisType(name: string, value: unknown): SqsError {
  return invalidParameter(name, value, 'The request include parameter that is not valid for this queue type.');
}
