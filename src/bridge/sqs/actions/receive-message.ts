/**
 * Takes messages, or waits for them. While it waits, the one who asked may go: then nothing is taken for him. If he goes before he has the
 * answer, what was taken goes back at once, uncounted.
 */
import type { Delivery } from '../../../queues/delivery.js';
import type { Queue } from '../../../queues/queue.js';
import { waitSecondsOf } from '../queue-attributes.js';
import { ReceivedMessages } from '../received-message.js';
import type { SqsAction, SqsCall } from '../sqs-call.js';
import { SqsError } from '../sqs-error.js';

const MOST_MESSAGES = 10;
const LONGEST_WAIT_SECONDS = 20;
const LONGEST_VISIBILITY_SECONDS = 43_200;

export const receiveMessage: SqsAction = {
  name: 'ReceiveMessage',
  run(call) {
    const queue = call.queue('receive');
    const { input, service } = call;
    const max = input.whole('MaxNumberOfMessages', 1, MOST_MESSAGES) ?? 1;
    const waitSeconds = input.whole('WaitTimeSeconds', 0, LONGEST_WAIT_SECONDS) ?? waitSecondsOf(queue.options);
    const visibilitySeconds = input.whole('VisibilityTimeout', 0, LONGEST_VISIBILITY_SECONDS);
    const visibilityTimeoutMs =
      visibilitySeconds === undefined ? queue.options.visibilityTimeoutMs : visibilitySeconds * 1000;
    const attemptId = queue.options.type === 'fifo' ? input.text('ReceiveRequestAttemptId') : undefined;
    const form = formOf(call, queue);
    if (attemptId !== undefined) {
      const repeated = service.attempts.repeat(queue, attemptId, visibilityTimeoutMs, service.clock.now());
      if (repeated !== null) {
        answer(call, queue, form, repeated);
        return;
      }
    }
    checkLimits(call, queue, waitSeconds);
    let isWaiting = false;
    const receive = queue.receive(
      { max, waitMs: waitSeconds * 1000, visibilityTimeoutMs },
      {
        onReceived(deliveries) {
          if (isWaiting) service.counters.waitingReceives--;
          if (attemptId !== undefined && deliveries.length > 0) {
            service.attempts.remember(queue, attemptId, deliveries, service.clock.now());
          }
          answer(call, queue, form, deliveries);
        },
      },
    );
    if (receive.state === 'answered') return;
    isWaiting = true;
    service.counters.waitingReceives++;
    call.onAbandoned = () => {
      service.counters.waitingReceives--;
      receive.cancel();
    };
  },
};

function formOf({ input, service }: SqsCall, queue: Queue): ReceivedMessages {
  const systemNames = [...input.texts('AttributeNames'), ...input.texts('MessageSystemAttributeNames')];
  const names = input.texts('MessageAttributeNames');
  return new ReceivedMessages(queue, systemNames, names, service.options.account, service.arnOf);
}

function checkLimits({ service }: SqsCall, queue: Queue, waitSeconds: number): void {
  // SQS: a fifo queue just gives nothing.
  if (queue.isAtInFlightLimit && queue.options.type === 'standard') {
    throw new SqsError('OverLimit', `Too many messages are in flight: the queue allows ${queue.options.maxInFlight}.`);
  }
  if (waitSeconds > 0 && service.counters.waitingReceives >= service.options.maxWaitingReceives) {
    service.counters.refusedWaits++;
    throw new SqsError('RequestThrottled', 'Too many receives are waiting.');
  }
}

function answer(call: SqsCall, queue: Queue, form: ReceivedMessages, deliveries: readonly Delivery[]): void {
  if (deliveries.length === 0) {
    call.onAbandoned = null;
    call.reply({});
    return;
  }
  call.onAbandoned = () => {
    call.service.counters.releasedAnswers++;
    for (const delivery of deliveries) queue.refuseDelivery(delivery, { delayMs: 0, isCounted: false });
  };
  try {
    call.reply({ Messages: deliveries.map((delivery) => form.fieldsOf(delivery)) });
  } catch (error) {
    // The queue is in the middle of something: nothing may be thrown into it.
    call.fail(error);
  }
}
