import { withoutTags } from '../queue-tags.js';
import type { SqsAction } from '../sqs-call.js';
import { missingParameter } from '../sqs-error.js';

export const untagQueue: SqsAction = {
  name: 'UntagQueue',
  run(call) {
    const { name, options } = call.queue('manage');
    const keys = call.input.texts('TagKeys');
    if (keys.length === 0) throw missingParameter('TagKeys');
    const annotations = withoutTags(options.annotations, keys);
    call.replyWhenSettled(call.service.registry.configure(name, { annotations }), null);
  },
};
