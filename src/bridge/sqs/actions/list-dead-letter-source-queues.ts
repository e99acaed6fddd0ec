import { pageOf } from '../page.js';
import type { SqsAction } from '../sqs-call.js';

const MOST_RESULTS = 1000;

export const listDeadLetterSourceQueues: SqsAction = {
  name: 'ListDeadLetterSourceQueues',
  run(call) {
    const target = call.knownQueue();
    const names = [...call.service.registry.queues()]
      .filter(({ name, options }) => options.deadLetter?.queue === target.name && call.caller.mayKnow(name))
      .map(({ name }) => name);
    const { page, nextToken } = pageOf(call.input, names, MOST_RESULTS);
    // The JSON protocol writes this one name in lower case.
    call.reply({
      ...(page.length === 0 ? {} : { queueUrls: page.map((name) => call.urlOf(name)) }),
      ...(nextToken === undefined ? {} : { NextToken: nextToken }),
    });
  },
};
