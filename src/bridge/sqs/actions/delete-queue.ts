import type { SqsAction } from '../sqs-call.js';

export const deleteQueue: SqsAction = {
  name: 'DeleteQueue',
  run(call) {
    const { name } = call.queue('manage');
    call.replyWhenSettled(call.service.registry.delete(name), null);
  },
};
