import { deleteReceived } from '../receipt.js';
import type { SqsAction } from '../sqs-call.js';

export const deleteMessage: SqsAction = {
  name: 'DeleteMessage',
  run(call) {
    const queue = call.queue('receive');
    const handle = call.input.neededText('ReceiptHandle');
    call.service.attempts.onUsed(handle);
    deleteReceived(queue, handle);
    call.replyWhenSettled(queue.lastTicket, null);
  },
};
