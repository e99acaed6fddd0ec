import { readMoveTaskHandle } from '../move-task.js';
import { queueNameOfArn } from '../queue-address.js';
import type { SqsAction } from '../sqs-call.js';
import { SqsError } from '../sqs-error.js';

export const cancelMessageMoveTask: SqsAction = {
  name: 'CancelMessageMoveTask',
  run(call) {
    const { registry } = call.service;
    const { sourceArn, startedAtMs } = readMoveTaskHandle(call.input.neededText('TaskHandle'));
    const source = queueNameOfArn(sourceArn, 'TaskHandle');
    call.demand('manage', source);
    const progress = registry.find(source) === undefined ? null : registry.redriveProgress(source);
    if (progress === null || progress.startedAtMs !== startedAtMs) {
      throw new SqsError('ResourceNotFoundException', 'Task does not exist.');
    }
    if (!registry.cancelRedrive(source)) {
      throw new SqsError('UnsupportedOperation', 'Only active tasks can be cancelled.');
    }
    const moved = registry.redriveProgress(source)?.moved ?? progress.moved;
    call.reply({ ApproximateNumberOfMessagesMoved: moved });
  },
};
