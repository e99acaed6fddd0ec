import { withTags } from '../queue-tags.js';
import type { SqsAction } from '../sqs-call.js';
import { missingParameter } from '../sqs-error.js';

export const tagQueue: SqsAction = {
  name: 'TagQueue',
  run(call) {
    const { name, options } = call.queue('manage');
    const tags = call.input.textMap('Tags');
    if (tags.size === 0) throw missingParameter('Tags');
    const annotations = withTags(options.annotations, tags);
    call.replyWhenSettled(call.service.registry.configure(name, { annotations }), null);
  },
};
