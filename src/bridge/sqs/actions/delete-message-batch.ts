import { doEach, readBatch } from '../batch.js';
import { deleteReceived } from '../receipt.js';
import type { SqsAction } from '../sqs-call.js';

const NOTHING = {};

export const deleteMessageBatch: SqsAction = {
  name: 'DeleteMessageBatch',
  run(call) {
    const queue = call.queue('receive');
    const output = doEach(readBatch(call.input), (entry) => {
      const handle = entry.neededText('ReceiptHandle');
      call.service.attempts.onUsed(handle);
      deleteReceived(queue, handle);
      return NOTHING;
    });
    call.replyWhenSettled(queue.lastTicket, output);
  },
};
