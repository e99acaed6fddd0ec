import type { SqsAction } from '../sqs-call.js';

/** May be asked for again at once: SQS's minute between two purges only stands in the way of tests. */
export const purgeQueue: SqsAction = {
  name: 'PurgeQueue',
  run(call) {
    const { name } = call.queue('manage');
    call.replyWhenSettled(call.service.registry.purge(name), null);
  },
};
