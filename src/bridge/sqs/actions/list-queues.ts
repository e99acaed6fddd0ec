import { pageOf } from '../page.js';
import type { SqsAction } from '../sqs-call.js';

const MOST_RESULTS = 1000;

export const listQueues: SqsAction = {
  name: 'ListQueues',
  run(call) {
    const prefix = call.input.text('QueueNamePrefix') ?? '';
    const names = [...call.service.registry.queues()]
      .map(({ name }) => name)
      .filter((name) => name.startsWith(prefix) && call.caller.mayKnow(name));
    const { page, nextToken } = pageOf(call.input, names, MOST_RESULTS);
    call.reply({
      ...(page.length === 0 ? {} : { QueueUrls: page.map((name) => call.urlOf(name)) }),
      ...(nextToken === undefined ? {} : { NextToken: nextToken }),
    });
  },
};
