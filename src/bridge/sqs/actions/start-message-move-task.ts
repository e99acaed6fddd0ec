import { RedriveRunning } from '../../../queues/queue-errors.js';
import { MOST_PER_SECOND, moveTaskHandle } from '../move-task.js';
import { queueNameOfArn } from '../queue-address.js';
import type { SqsAction } from '../sqs-call.js';
import { invalidParameter, SqsError } from '../sqs-error.js';

export const startMessageMoveTask: SqsAction = {
  name: 'StartMessageMoveTask',
  run(call) {
    const { input, service } = call;
    const sourceArn = input.neededText('SourceArn');
    const source = queueNameOfArn(sourceArn, 'SourceArn');
    call.demand('manage', source);
    const { registry } = service;
    if (registry.find(source) === undefined) {
      throw new SqsError(
        'ResourceNotFoundException',
        "The resource that you specified for the SourceArn parameter doesn't exist.",
      );
    }
    if (![...registry.queues()].some(({ options }) => options.deadLetter?.queue === source)) {
      throw invalidParameter('SourceArn', sourceArn, 'Source queue must be configured as a Dead Letter Queue.');
    }
    const destinationArn = input.text('DestinationArn');
    const perSecond = input.whole('MaxNumberOfMessagesPerSecond', 1, MOST_PER_SECOND) ?? MOST_PER_SECOND;
    const target = destinationArn === undefined ? undefined : queueNameOfArn(destinationArn, 'DestinationArn');
    if (target !== undefined) {
      call.demand('manage', target);
      if (registry.find(target) === undefined) {
        throw new SqsError(
          'ResourceNotFoundException',
          "The resource that you specified for the DestinationArn parameter doesn't exist.",
        );
      }
      if (target === source)
        throw invalidParameter(
          'DestinationArn',
          destinationArn,
          'Source queue arn and destination queue arn cannot be the same.',
        );
    }
    try {
      const ticket = registry.startRedrive(source, { perSecond, ...(target === undefined ? {} : { target }) });
      const startedAtMs = registry.redriveProgress(source)?.startedAtMs ?? 0;
      call.replyWhenSettled(ticket, { TaskHandle: moveTaskHandle(sourceArn, startedAtMs) });
    } catch (error) {
      if (!(error instanceof RedriveRunning)) throw error;
      throw new SqsError(
        'UnsupportedOperation',
        'There is already a task running. Only one active task is allowed for a source queue arn at a given time.',
      );
    }
  },
};
