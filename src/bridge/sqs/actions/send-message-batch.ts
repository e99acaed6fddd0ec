import { doEach, readBatch } from '../batch.js';
import { OutgoingMessage, sizeOfMessage } from '../outgoing-message.js';
import type { SqsAction } from '../sqs-call.js';
import { SqsError } from '../sqs-error.js';

/** As SQS: all messages together. */
const LARGEST_BATCH_BYTES = 2 ** 20;

export const sendMessageBatch: SqsAction = {
  name: 'SendMessageBatch',
  run(call) {
    const queue = call.queue('send');
    const entries = readBatch(call.input);
    let bytes = 0;
    let last = 0;
    for (const entry of entries.values()) bytes += sizeOfMessage(entry);
    if (bytes > LARGEST_BATCH_BYTES) {
      const message = `Batch requests cannot be longer than ${LARGEST_BATCH_BYTES} bytes. You have sent ${bytes} bytes.`;
      throw new SqsError('BatchRequestTooLong', message);
    }
    const output = doEach(entries, (entry) => {
      const { fields, ticket } = new OutgoingMessage(queue, entry).send(call.service, queue, call.caller);
      last = Math.max(last, ticket);
      return fields;
    });
    call.replyWhenSettled(last, output);
  },
};
