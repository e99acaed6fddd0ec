/**
 * Takes messages, or waits for them. While it waits, the one who asked may go: then nothing is taken for him. If he goes before he has the
 * answer, what was taken goes back at once, uncounted.
 */
import type { Delivery } from '../../../queues/delivery.js';
import type { Queue } from '../../../queues/queue.js';
import type { Receive, Receiver } from '../../../queues/receive.js';
import type { AnswerGiver } from '../http-exchange.js';
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
        new ReceiveAnswer(call, queue, form, undefined).give(repeated);
        return;
      }
    }
    checkLimits(call, queue, waitSeconds);
    const answer = new ReceiveAnswer(call, queue, form, attemptId);
    const receive = queue.receive({ max, waitMs: waitSeconds * 1000, visibilityTimeoutMs }, answer);
    if (receive.state !== 'answered') answer.waitFor(receive);
  },
};

/** What becomes of a receive: its messages are given to the one who asked, or taken back when he goes. */
class ReceiveAnswer implements Receiver, AnswerGiver {
  readonly #call: SqsCall;
  readonly #queue: Queue;
  readonly #form: ReceivedMessages;
  readonly #attemptId: string | undefined;
  /** While it waits. */
  #receive: Receive | null = null;
  #deliveries: readonly Delivery[] = [];

  constructor(call: SqsCall, queue: Queue, form: ReceivedMessages, attemptId: string | undefined) {
    this.#call = call;
    this.#queue = queue;
    this.#form = form;
    this.#attemptId = attemptId;
  }

  waitFor(receive: Receive): void {
    this.#receive = receive;
    this.#call.giver = this;
    this.#call.service.counters.waitingReceives++;
  }

  onReceived(deliveries: readonly Delivery[]): void {
    const { service } = this.#call;
    if (this.#receive !== null) service.counters.waitingReceives--;
    this.#receive = null;
    if (this.#attemptId !== undefined && deliveries.length > 0) {
      service.attempts.remember(this.#queue, this.#attemptId, deliveries, service.clock.now());
    }
    this.give(deliveries);
  }

  give(deliveries: readonly Delivery[]): void {
    this.#deliveries = deliveries;
    this.#call.giver = this;
    try {
      const Messages = deliveries.map((delivery) => this.#form.fieldsOf(delivery));
      this.#call.reply(Messages.length === 0 ? {} : { Messages });
    } catch (error) {
      // The queue is in the middle of something: nothing may be thrown into it.
      this.#call.fail(error);
    }
  }

  onAbandoned(): void {
    const { counters } = this.#call.service;
    if (this.#receive !== null) {
      counters.waitingReceives--;
      this.#receive.cancel();
      return;
    }
    if (this.#deliveries.length > 0) counters.releasedAnswers++;
    for (const delivery of this.#deliveries) {
      this.#queue.refuseDelivery(delivery, { delayMs: 0, isCounted: false });
    }
  }
}

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
