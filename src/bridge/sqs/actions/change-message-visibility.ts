import type { SqsAction } from '../sqs-call.js';
import { changeVisibility } from '../visibility.js';

export const changeMessageVisibility: SqsAction = {
  name: 'ChangeMessageVisibility',
  run(call) {
    const queue = call.queue('receive');
    changeVisibility(call, queue, call.input);
    call.replyWhenSettled(queue.lastTicket, null);
  },
};
