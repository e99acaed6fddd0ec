import { AttributeReader } from '../queue-attributes.js';
import { invalidQueueOption } from '../queue-option-error.js';
import type { SqsAction } from '../sqs-call.js';
import { missingParameter } from '../sqs-error.js';

export const setQueueAttributes: SqsAction = {
  name: 'SetQueueAttributes',
  run(call) {
    const queue = call.queue('manage');
    const attributes = call.input.textMap('Attributes');
    if (attributes.size === 0) throw missingParameter('Attribute.Name');
    const { registry, clock } = call.service;
    const options = new AttributeReader(registry, queue.name, queue.options).read(attributes, clock.now());
    const ticket = invalidQueueOption(() => registry.configure(queue.name, options));
    call.replyWhenSettled(ticket, null);
  },
};
