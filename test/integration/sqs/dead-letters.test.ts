/** Dead letters, and the tasks that move them back. */
import {
  CancelMessageMoveTaskCommand,
  CreateQueueCommand,
  ListDeadLetterSourceQueuesCommand,
  ListMessageMoveTasksCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  StartMessageMoveTaskCommand,
} from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { arn, failure, withQueue } from '../../support/sqs-queue.js';

describe('dead letters', () => {
  async function withDeadLetters() {
    const made = await withQueue('dead', {});
    const { client } = made;
    const policy = JSON.stringify({ deadLetterTargetArn: arn('dead'), maxReceiveCount: '2' });
    const { QueueUrl } = await client.send(
      new CreateQueueCommand({ QueueName: 'work', Attributes: { RedrivePolicy: policy, VisibilityTimeout: '0' } }),
    );
    const takeWork = async () => {
      const command = new ReceiveMessageCommand({ QueueUrl, MessageSystemAttributeNames: ['All'] });
      const { Messages = [] } = await client.send(command);
      // They are hidden for no time at all, which is over when the clock goes on.
      made.broker.clock.advance(1);
      return Messages;
    };
    return { ...made, workUrl: QueueUrl ?? '', takeWork };
  }

  it('are messages that were received often enough, with their ids and where they come from', async () => {
    const { client, queue, workUrl, takeWork } = await withDeadLetters();
    const sent = await client.send(new SendMessageCommand({ QueueUrl: workUrl, MessageBody: 'x' }));
    expect([await takeWork(), await takeWork()].map((messages) => messages.length)).toEqual([1, 1]);
    expect(await takeWork()).toEqual([]);
    const [dead] = await queue.receive({ MessageSystemAttributeNames: ['All'] });
    expect(dead).toMatchObject({
      Body: 'x',
      MessageId: sent.MessageId,
      Attributes: { DeadLetterQueueSourceArn: arn('work') },
    });
    expect((await client.send(new ListDeadLetterSourceQueuesCommand({ QueueUrl: queue.url }))).queueUrls).toEqual([
      workUrl,
    ]);
  });

  it('are moved back by a task', async () => {
    const { client, queue, broker, workUrl, takeWork } = await withDeadLetters();
    for (const body of ['a', 'b']) await client.send(new SendMessageCommand({ QueueUrl: workUrl, MessageBody: body }));
    for (let receive = 0; receive < 6; receive++) await takeWork();
    expect(await queue.attribute('ApproximateNumberOfMessages')).toBe('2');
    const start = new StartMessageMoveTaskCommand({ SourceArn: arn('dead'), MaxNumberOfMessagesPerSecond: 1 });
    const { TaskHandle } = await client.send(start);
    await expect(client.send(start)).rejects.toEqual(
      failure('UnsupportedOperation', 'AWS.SimpleQueueService.UnsupportedOperation'),
    );
    broker.clock.advance(0);
    const list = async () => (await client.send(new ListMessageMoveTasksCommand({ SourceArn: arn('dead') }))).Results;
    expect(await list()).toMatchObject([
      { Status: 'RUNNING', TaskHandle, ApproximateNumberOfMessagesMoved: 1, ApproximateNumberOfMessagesToMove: 2 },
    ]);
    await client.send(new CancelMessageMoveTaskCommand({ TaskHandle }));
    expect(await list()).toMatchObject([{ Status: 'CANCELLED', ApproximateNumberOfMessagesMoved: 1 }]);
    await expect(client.send(new CancelMessageMoveTaskCommand({ TaskHandle }))).rejects.toEqual(
      failure('UnsupportedOperation', 'AWS.SimpleQueueService.UnsupportedOperation'),
    );
    expect(await takeWork()).toMatchObject([{ Body: 'a', Attributes: { ApproximateReceiveCount: '1' } }]);
    await client.send(new StartMessageMoveTaskCommand({ SourceArn: arn('dead'), DestinationArn: arn('work') }));
    broker.clock.advance(1000);
    expect(await list()).toMatchObject([{ Status: 'COMPLETED', DestinationArn: arn('work') }]);
  });

  it('are moved only from where there are any', async () => {
    const { client } = await withDeadLetters();
    await expect(client.send(new StartMessageMoveTaskCommand({ SourceArn: arn('none') }))).rejects.toEqual(
      failure('ResourceNotFoundException', 'ResourceNotFoundException'),
    );
    await expect(client.send(new StartMessageMoveTaskCommand({ SourceArn: arn('work') }))).rejects.toEqual(
      failure('InvalidParameterValue', 'InvalidParameterValue'),
    );
  });

  it('go only to queues that allow it', async () => {
    const { client } = await withDeadLetters();
    const allow = JSON.stringify({ redrivePermission: 'byQueue', sourceQueueArns: [arn('friend')] });
    await client.send(new CreateQueueCommand({ QueueName: 'guarded', Attributes: { RedriveAllowPolicy: allow } }));
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: arn('guarded'), maxReceiveCount: 1 });
    const make = (name: string) =>
      client.send(new CreateQueueCommand({ QueueName: name, Attributes: { RedrivePolicy } }));
    await make('friend');
    await expect(make('stranger')).rejects.toThrow('does not allow');
  });
});
