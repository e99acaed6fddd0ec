/** Queues as the current AWS SDK sees them. */
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageCommand,
  type SendMessageCommandInput,
  type SendMessageCommandOutput,
} from '@aws-sdk/client-sqs';
import { expect } from 'vitest';
import { SqsBroker } from './sqs-broker.js';

export const FIFO = { FifoQueue: 'true' };

/** A broker, and one of its queues by the SDK. */
export async function withQueue(name = 'q', attributes: Record<string, string> = {}) {
  const broker = await SqsBroker.start();
  const { client } = broker;
  const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: name, Attributes: attributes }));
  const queue = {
    url: QueueUrl ?? '',
    send: (body: string, others: Partial<SendMessageCommandInput> = {}): Promise<SendMessageCommandOutput> =>
      client.send(new SendMessageCommand({ QueueUrl, MessageBody: body, ...others })),
    receive: async (others: Partial<ReceiveMessageCommandInput> = {}): Promise<Message[]> =>
      (await client.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, ...others }))).Messages ?? [],
    bodies: async (others: Partial<ReceiveMessageCommandInput> = {}): Promise<(string | undefined)[]> =>
      (await queue.receive(others)).map(({ Body }) => Body),
    remove: (message: Message | undefined) =>
      client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message?.ReceiptHandle })),
    hide: (message: Message | undefined, seconds: number) =>
      client.send(
        new ChangeMessageVisibilityCommand({
          QueueUrl,
          ReceiptHandle: message?.ReceiptHandle,
          VisibilityTimeout: seconds,
        }),
      ),
    attribute: async (name: string): Promise<string | undefined> => {
      const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] });
      return ((await client.send(command)).Attributes as Record<string, string> | undefined)?.[name];
    },
  };
  return { broker, client, queue };
}

export function arn(name: string): string {
  return `arn:aws:sqs:us-east-1:000000000000:${name}`;
}

/** What the SDK throws, as old and new code look at it; an error that has no class in the SDK has its code for a name. */
export function failure(name: string, code: string, message: unknown = expect.any(String)) {
  return expect.objectContaining({ name, Code: code, message });
}
