import type { Queue } from '../../queues/queue.js';
import { checkReceipt } from './receipt.js';
import type { SqsCall } from './sqs-call.js';
import type { SqsInput } from './sqs-input.js';

const LONGEST_SECONDS = 43_200;

/** Hides a message for so long from now on. As with SQS, that of one which nobody has any more is passed over. @throws SqsError */
export function changeVisibility({ service }: SqsCall, queue: Queue, input: SqsInput): void {
  const handle = input.neededText('ReceiptHandle');
  const seconds = input.neededWhole('VisibilityTimeout', 0, LONGEST_SECONDS);
  service.attempts.onUsed(handle);
  checkReceipt(queue.extend([handle], seconds * 1000)[0], handle, 'change');
}
