/** What access keys are good for: each call of the SDK needs one permission with the queue that it is about. */
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListDeadLetterSourceQueuesCommand,
  ListMessageMoveTasksCommand,
  ListQueuesCommand,
  ListQueueTagsCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  type SQSClient,
  StartMessageMoveTaskCommand,
  TagQueueCommand,
  UntagQueueCommand,
} from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { PERMISSIONS, type Permission } from '../../../src/bridge/sqs/caller.js';
import { ManualClock } from '../../support/manual-clock.js';
import { SqsBroker } from '../../support/sqs-broker.js';
import { arn, failure } from '../../support/sqs-queue.js';

const SECRET = 'wJalrXUtnFEMI-K7MDENG';

const receiver = { id: 'RECEIVER', secret: SECRET, grants: [{ queues: ['orders-*'], allow: ['receive'] as const }] };
const sender = { id: 'SENDER', secret: SECRET, grants: [{ queues: ['orders-*'], allow: ['send'] as const }] };
const manager = { id: 'MANAGER', secret: SECRET, grants: [{ queues: ['orders-*'], allow: ['manage'] as const }] };
const root = { id: 'ROOT', secret: SECRET, grants: [{ queues: ['*'], allow: PERMISSIONS }] };
const stranger = { id: 'STRANGER', secret: SECRET, grants: [] };

const queues = { 'orders-1': {}, invoices: {} };

async function withKeys(nowMs = Date.now()) {
  const broker = await SqsBroker.start({
    // SDKs sign with the time of the machine.
    broker: { queues, clock: new ManualClock(nowMs) },
    keys: [receiver, sender, manager, root, stranger],
  });
  return { broker, clientOf: (id: string): SQSClient => broker.newClient(id, SECRET) };
}

const QueueUrl = 'orders-1';
const ReceiptHandle = 'x';

/** What each call needs; `any`: to have anything to do with the queue. */
const CALLS: readonly (readonly [Permission | 'any', object])[] = [
  ['receive', new ReceiveMessageCommand({ QueueUrl })],
  ['receive', new DeleteMessageCommand({ QueueUrl, ReceiptHandle })],
  ['receive', new DeleteMessageBatchCommand({ QueueUrl, Entries: [{ Id: 'a', ReceiptHandle }] })],
  ['receive', new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 1 })],
  ['send', new SendMessageCommand({ QueueUrl, MessageBody: 'x' })],
  ['send', new SendMessageBatchCommand({ QueueUrl, Entries: [{ Id: 'a', MessageBody: 'x' }] })],
  ['manage', new CreateQueueCommand({ QueueName: 'orders-2' })],
  ['manage', new DeleteQueueCommand({ QueueUrl })],
  ['manage', new PurgeQueueCommand({ QueueUrl })],
  ['manage', new SetQueueAttributesCommand({ QueueUrl, Attributes: { DelaySeconds: '1' } })],
  ['manage', new TagQueueCommand({ QueueUrl, Tags: { a: 'b' } })],
  ['manage', new UntagQueueCommand({ QueueUrl, TagKeys: ['a'] })],
  ['manage', new StartMessageMoveTaskCommand({ SourceArn: arn('orders-1') })],
  ['manage', new ListMessageMoveTasksCommand({ SourceArn: arn('orders-1') })],
  ['any', new GetQueueUrlCommand({ QueueName: 'orders-1' })],
  ['any', new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] })],
  ['any', new ListQueueTagsCommand({ QueueUrl })],
  ['any', new ListDeadLetterSourceQueuesCommand({ QueueUrl })],
];

const DENIED = failure('AccessDenied', 'AccessDenied', expect.stringContaining('is denied'));

describe('a key', () => {
  it.each(CALLS.map(([permission, command]) => [command.constructor.name, permission, command] as const))(
    'may %s with the permission to %s',
    async (_, permission, command) => {
      const { clientOf } = await withKeys();
      for (const [allowed, id] of [
        ['receive', 'RECEIVER'],
        ['send', 'SENDER'],
        ['manage', 'MANAGER'],
        ['none', 'STRANGER'],
      ]) {
        const outcome: unknown = await clientOf(id ?? '')
          .send(command as GetQueueUrlCommand)
          .catch((error: unknown) => error);
        const isAllowed = permission === allowed || (permission === 'any' && allowed !== 'none');
        if (isAllowed) expect(outcome).not.toEqual(DENIED);
        else expect([allowed, outcome]).toEqual([allowed, DENIED]);
      }
    },
  );

  it('has to do with the queues that match alone, and sees no others', async () => {
    const { broker, clientOf } = await withKeys();
    const client = clientOf('RECEIVER');
    await expect(client.send(new ReceiveMessageCommand({ QueueUrl: 'invoices' }))).rejects.toEqual(DENIED);
    // Nobody learns by guessing which queues there are.
    await expect(client.send(new GetQueueUrlCommand({ QueueName: 'none' }))).rejects.toEqual(DENIED);
    expect((await client.send(new ListQueuesCommand({}))).QueueUrls).toEqual([broker.queueUrl('orders-1')]);
    expect((await clientOf('STRANGER').send(new ListQueuesCommand({}))).QueueUrls).toBeUndefined();
    expect((await clientOf('ROOT').send(new ListQueuesCommand({}))).QueueUrls).toHaveLength(2);
  });

  it('must be known, and its secret right', async () => {
    const { broker } = await withKeys();
    const list = new ListQueuesCommand({});
    await expect(broker.newClient('ROOT', 'another-secret').send(list)).rejects.toEqual(
      failure('SignatureDoesNotMatch', 'SignatureDoesNotMatch'),
    );
    await expect(broker.newClient('NOBODY', SECRET).send(list)).rejects.toEqual(
      failure('InvalidClientTokenId', 'InvalidClientTokenId'),
    );
    const unsigned = await broker.call('ListQueues', {});
    expect([unsigned.status, unsigned.headers.get('x-amzn-query-error')]).toEqual([
      403,
      'MissingAuthenticationToken;Sender',
    ]);
  });

  it('is the sender of what is sent with it, and names itself to tools that ask', async () => {
    const { broker, clientOf } = await withKeys();
    await clientOf('SENDER').send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' }));
    const { Messages } = await clientOf('RECEIVER').send(
      new ReceiveMessageCommand({ QueueUrl, MessageSystemAttributeNames: ['SenderId'] }),
    );
    expect(Messages?.[0]?.Attributes).toEqual({ SenderId: 'SENDER' });
    expect(broker.failures).toEqual([]);
  });

  it.each([-10, 10])('is good for an SDK whose clock is %i minutes wrong, too: it learns the time', async (minutes) => {
    const { broker } = await withKeys(Date.now() - minutes * 60_000);
    const client = broker.newClient('ROOT', SECRET, { maxAttempts: 2 });
    expect((await client.send(new ListQueuesCommand({}))).$metadata.attempts).toBe(2);
  });
});
