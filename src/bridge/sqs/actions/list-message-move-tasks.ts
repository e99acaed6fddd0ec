import { moveTaskHandle } from '../move-task.js';
import { queueNameOfArn } from '../queue-address.js';
import type { SqsAction } from '../sqs-call.js';
import { SqsError } from '../sqs-error.js';

const STATUS = {
  running: 'RUNNING',
  completed: 'COMPLETED',
  cancelled: 'CANCELLED',
  failed: 'FAILED',
  stopped: 'FAILED',
} as const;

/** Of a queue, the task that is running, or the last one. */
export const listMessageMoveTasks: SqsAction = {
  name: 'ListMessageMoveTasks',
  run(call) {
    const { arnOf, registry } = call.service;
    const sourceArn = call.input.neededText('SourceArn');
    call.input.whole('MaxResults', 1, 10);
    const source = queueNameOfArn(sourceArn, 'SourceArn');
    call.demand('manage', source);
    if (registry.find(source) === undefined) {
      throw new SqsError(
        'ResourceNotFoundException',
        "The resource that you specified for the SourceArn parameter doesn't exist.",
      );
    }
    const progress = registry.redriveProgress(source);
    if (progress === null) {
      call.reply({});
      return;
    }
    const { state, target, startedAtMs, moved, failed, total } = progress;
    const failure =
      state === 'failed'
        ? `${failed} messages could not be moved: their destination does not exist, or is full.`
        : 'The broker was stopped.';
    call.reply({
      Results: [
        {
          ...(state === 'running' ? { TaskHandle: moveTaskHandle(sourceArn, startedAtMs) } : {}),
          Status: STATUS[state],
          SourceArn: sourceArn,
          ...(target === null ? {} : { DestinationArn: arnOf(target) }),
          ApproximateNumberOfMessagesMoved: moved,
          ApproximateNumberOfMessagesToMove: total,
          ...(STATUS[state] === 'FAILED' ? { FailureReason: failure } : {}),
          StartedTimestamp: startedAtMs,
        },
      ],
    });
  },
};
