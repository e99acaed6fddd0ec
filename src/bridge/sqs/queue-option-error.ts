import { InvalidQueueOption } from '../../queues/queue-errors.js';
import { SqsError } from './sqs-error.js';

/** Calls the queues, whose refusal of an option becomes one of the protocol. @throws SqsError */
export function invalidQueueOption<Result>(call: () => Result): Result {
  try {
    return call();
  } catch (error) {
    if (!(error instanceof InvalidQueueOption)) throw error;
    throw new SqsError('InvalidAttributeValue', error.message);
  }
}
