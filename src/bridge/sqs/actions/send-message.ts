import { OutgoingMessage } from '../outgoing-message.js';
import type { SqsAction } from '../sqs-call.js';

export const sendMessage: SqsAction = {
  name: 'SendMessage',
  run(call) {
    const queue = call.queue('send');
    const { fields, ticket } = new OutgoingMessage(queue, call.input).send(call.service, queue, call.caller);
    call.replyWhenSettled(ticket, fields);
  },
};
