import type { SqsAction } from '../sqs-call.js';

export const getQueueUrl: SqsAction = {
  name: 'GetQueueUrl',
  run(call) {
    const { name } = call.knownQueue(call.input.neededText('QueueName'));
    call.reply({ QueueUrl: call.urlOf(name) });
  },
};
