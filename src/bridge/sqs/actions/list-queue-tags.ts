import { tagsOf } from '../queue-tags.js';
import type { SqsAction } from '../sqs-call.js';

export const listQueueTags: SqsAction = {
  name: 'ListQueueTags',
  run(call) {
    const tags = tagsOf(call.knownQueue().options.annotations);
    call.reply(tags.size === 0 ? {} : { Tags: Object.fromEntries(tags) });
  },
};
