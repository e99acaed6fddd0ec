import type { QueueOptions } from '../../../queues/queue-options.js';
import { AttributeReader, attributesOfQueue } from '../queue-attributes.js';
import { invalidQueueOption } from '../queue-option-error.js';
import { withTags } from '../queue-tags.js';
import type { SqsAction, SqsCall } from '../sqs-call.js';
import { invalidParameter, missingParameter, SqsError } from '../sqs-error.js';
import type { SqsService } from '../sqs-service.js';

/** As SQS; a name of a fifo queue ends in `.fifo`. */
const NAME = /^(?=.{1,80}$)[A-Za-z0-9_-]+(\.fifo)?$/;

export const createQueue: SqsAction = {
  name: 'CreateQueue',
  run(call) {
    const name = call.input.neededText('QueueName');
    call.demand('manage', name);
    if (!NAME.test(name)) {
      throw invalidParameter(
        'QueueName',
        name,
        'Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length.',
      );
    }
    const attributes = call.input.textMap('Attributes');
    const { registry, clock } = call.service;
    const known = registry.find(name);
    if (known === undefined) {
      if (attributes.has('FifoQueue') && !name.endsWith('.fifo')) {
        throw invalidParameter(
          'QueueName',
          name,
          'The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length.',
        );
      }
      if (name.endsWith('.fifo') && attributes.get('FifoQueue')?.toLowerCase() !== 'true')
        throw missingParameter('FifoQueue');
      checkRoom(call.service);
      const read = new AttributeReader(registry, name, null).read(attributes, clock.now());
      const options: QueueOptions = { ...read, annotations: withTags(read.annotations, tagsOf(call)) };
      const queue = invalidQueueOption(() => registry.ensure(name, options));
      call.replyWhenSettled(queue.lastTicket, { QueueUrl: call.urlOf(name) });
      return;
    }
    const current = attributesOfQueue(known, call.service.arnOf, call.service.startedAtMs);
    for (const [attribute, value] of attributes) {
      if (isSame(current.get(attribute), value)) continue;
      const message = `A queue already exists with the same name and a different value for attribute ${attribute}`;
      throw new SqsError('QueueNameExists', message);
    }
    call.replyWhenSettled(known.lastTicket, { QueueUrl: call.urlOf(name) });
  },
};

/** Each costs memory and a look at every start, whether anybody uses it or not. */
function checkRoom({ registry, options, counters }: SqsService): void {
  if (registry.size < options.maxQueues) return;
  counters.refusedQueues++;
  const message = `There are ${registry.size} queues, and the endpoint makes no more beyond sqs.maxQueues (${options.maxQueues}).`;
  throw new SqsError('OverLimit', message);
}

/** The JSON protocol writes this one parameter in lower case. */
function tagsOf({ input }: SqsCall): ReadonlyMap<string, string> {
  return input.textMap(input.has('tags') ? 'tags' : 'Tags');
}

/** Policies are JSON: spaces, and numbers that are written as texts, make no difference. */
function isSame(current: string | undefined, given: string): boolean {
  if (current === undefined) return given === '';
  return (
    current === given || current.toLowerCase() === given.toLowerCase() || normalised(current) === normalised(given)
  );
}

function normalised(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return text;
    const entries = Object.entries(value).map(([key, item]) => [key, typeof item === 'number' ? String(item) : item]);
    return JSON.stringify(Object.fromEntries(entries.sort(([one], [other]) => (String(one) < String(other) ? -1 : 1))));
  } catch {
    return text;
  }
}
