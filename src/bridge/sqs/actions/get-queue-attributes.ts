import { ATTRIBUTE_NAMES, attributesOfQueue } from '../queue-attributes.js';
import type { SqsAction } from '../sqs-call.js';
import { SqsError } from '../sqs-error.js';

export const getQueueAttributes: SqsAction = {
  name: 'GetQueueAttributes',
  run(call) {
    const queue = call.knownQueue();
    const asked = call.input.texts('AttributeNames');
    const unknown = asked.find((name) => !ATTRIBUTE_NAMES.has(name));
    if (unknown !== undefined) throw new SqsError('InvalidAttributeName', `Unknown Attribute ${unknown}.`);
    const isAll = asked.includes('All');
    const attributes = [...attributesOfQueue(queue, call.service.arnOf, call.service.startedAtMs)].filter(
      ([name]) => isAll || asked.includes(name),
    );
    call.reply(attributes.length === 0 ? {} : { Attributes: Object.fromEntries(attributes) });
  },
};
