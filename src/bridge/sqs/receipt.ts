/** What became of messages that somebody named by their handles, as SQS tells it. */
import type { ReceiptOutcome } from '../../queues/in-flight-messages.js';
import type { Queue } from '../../queues/queue.js';
import { invalidParameter, SqsError } from './sqs-error.js';

export type ReceiptVerb = 'delete' | 'change';

/** @throws SqsError if it was not done, and SQS says so */
export function checkReceipt(outcome: ReceiptOutcome | undefined, handle: string, verb: ReceiptVerb): void {
  switch (outcome) {
    case 'receipt-expired':
      throw invalidParameter('ReceiptHandle', handle, 'The receipt handle has expired.');
    case 'already-done':
      // Deleting twice succeeds; what is deleted cannot be hidden.
      if (verb === 'delete') return;
      throw invalidParameter(
        'ReceiptHandle',
        handle,
        'Message does not exist or is not available for visibility timeout change.',
      );
    case 'receipt-invalid':
    case undefined:
      throw new SqsError(
        'ReceiptHandleIsInvalid',
        `The input receipt handle "${handle.slice(0, 200)}" is not a valid receipt handle.`,
      );
    default:
  }
}

/** @throws SqsError */
export function deleteReceived(queue: Queue, handle: string): void {
  checkReceipt(queue.acknowledge([handle])[0], handle, 'delete');
}
