/** All verbs of the protocol that there are here, by name. */
import { cancelMessageMoveTask } from './actions/cancel-message-move-task.js';
import { changeMessageVisibility } from './actions/change-message-visibility.js';
import { changeMessageVisibilityBatch } from './actions/change-message-visibility-batch.js';
import { createQueue } from './actions/create-queue.js';
import { deleteMessage } from './actions/delete-message.js';
import { deleteMessageBatch } from './actions/delete-message-batch.js';
import { deleteQueue } from './actions/delete-queue.js';
import { getCallerIdentity } from './actions/get-caller-identity.js';
import { getQueueAttributes } from './actions/get-queue-attributes.js';
import { getQueueUrl } from './actions/get-queue-url.js';
import { listDeadLetterSourceQueues } from './actions/list-dead-letter-source-queues.js';
import { listMessageMoveTasks } from './actions/list-message-move-tasks.js';
import { listQueueTags } from './actions/list-queue-tags.js';
import { listQueues } from './actions/list-queues.js';
import { purgeQueue } from './actions/purge-queue.js';
import { receiveMessage } from './actions/receive-message.js';
import { sendMessage } from './actions/send-message.js';
import { sendMessageBatch } from './actions/send-message-batch.js';
import { setQueueAttributes } from './actions/set-queue-attributes.js';
import { startMessageMoveTask } from './actions/start-message-move-task.js';
import { tagQueue } from './actions/tag-queue.js';
import { untagQueue } from './actions/untag-queue.js';
import type { SqsAction } from './sqs-call.js';

export const SQS_ACTIONS: ReadonlyMap<string, SqsAction> = new Map(
  [
    cancelMessageMoveTask,
    changeMessageVisibility,
    changeMessageVisibilityBatch,
    createQueue,
    deleteMessage,
    deleteMessageBatch,
    deleteQueue,
    getCallerIdentity,
    getQueueAttributes,
    getQueueUrl,
    listDeadLetterSourceQueues,
    listMessageMoveTasks,
    listQueueTags,
    listQueues,
    purgeQueue,
    receiveMessage,
    sendMessage,
    sendMessageBatch,
    setQueueAttributes,
    startMessageMoveTask,
    tagQueue,
    untagQueue,
  ].map((action) => [action.name, action]),
);
