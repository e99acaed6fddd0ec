import { doEach, readBatch } from '../batch.js';
import type { SqsAction } from '../sqs-call.js';
import { changeVisibility } from '../visibility.js';

const NOTHING = {};

export const changeMessageVisibilityBatch: SqsAction = {
  name: 'ChangeMessageVisibilityBatch',
  run(call) {
    const queue = call.queue('receive');
    const output = doEach(readBatch(call.input), (entry) => {
      changeVisibility(call, queue, entry);
      return NOTHING;
    });
    call.replyWhenSettled(queue.lastTicket, output);
  },
};
