import { doEach, readBatch } from '../batch.js';
import { checkReceipt } from '../receipt.js';
import type { SqsAction } from '../sqs-call.js';

const NOTHING = {};

export const deleteMessageBatch: SqsAction = {
  name: 'DeleteMessageBatch',
  run(call) {
    const queue = call.queue('receive');
    const entries = readBatch(call.input);
    // All at once: the queue looks once, and not ten times, for whom it can serve next.
    const handles = [...entries.values()].map((entry) => entry.text('ReceiptHandle') ?? '');
    for (const handle of handles) call.service.attempts.onUsed(handle);
    const outcomes = queue.acknowledge(handles);
    const output = doEach(entries, (entry, place) => {
      checkReceipt(outcomes[place], entry.neededText('ReceiptHandle'), 'delete');
      return NOTHING;
    });
    call.replyWhenSettled(queue.lastTicket, output);
  },
};
