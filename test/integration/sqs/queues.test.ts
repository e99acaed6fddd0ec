/** Queues as the AWS SDK makes, finds and changes them. */
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  ListQueueTagsCommand,
  PurgeQueueCommand,
  SetQueueAttributesCommand,
  TagQueueCommand,
  UntagQueueCommand,
} from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { SqsBroker } from '../../support/sqs-broker.js';
import { arn, failure, withQueue } from '../../support/sqs-queue.js';

describe('queues', () => {
  it('are made, found, listed, changed and deleted', async () => {
    const { client, queue, broker } = await withQueue('first', { VisibilityTimeout: '5', DelaySeconds: '0' });
    expect(queue.url).toBe(broker.queueUrl('first'));
    await client.send(new CreateQueueCommand({ QueueName: 'second' }));
    expect((await client.send(new GetQueueUrlCommand({ QueueName: 'first' }))).QueueUrl).toBe(queue.url);
    expect((await client.send(new ListQueuesCommand({}))).QueueUrls).toEqual([queue.url, broker.queueUrl('second')]);
    expect((await client.send(new ListQueuesCommand({ QueueNamePrefix: 'none' }))).QueueUrls).toBeUndefined();
    const page = await client.send(new ListQueuesCommand({ MaxResults: 1 }));
    const next = await client.send(new ListQueuesCommand({ MaxResults: 1, NextToken: page.NextToken }));
    expect([page.QueueUrls, next.QueueUrls, next.NextToken]).toEqual([
      [queue.url],
      [broker.queueUrl('second')],
      undefined,
    ]);
    const set = { VisibilityTimeout: '7', MaximumMessageSize: '2048', ReceiveMessageWaitTimeSeconds: '3' };
    await client.send(new SetQueueAttributesCommand({ QueueUrl: queue.url, Attributes: set }));
    const { Attributes } = await client.send(
      new GetQueueAttributesCommand({ QueueUrl: queue.url, AttributeNames: ['All'] }),
    );
    expect(Attributes).toMatchObject({ ...set, QueueArn: arn('first'), ApproximateNumberOfMessages: '0' });
    await client.send(new DeleteQueueCommand({ QueueUrl: queue.url }));
    await expect(client.send(new GetQueueUrlCommand({ QueueName: 'first' }))).rejects.toEqual(
      failure('QueueDoesNotExist', 'AWS.SimpleQueueService.NonExistentQueue'),
    );
  });

  it('are made no more when there are enough, and then again', async () => {
    const broker = await SqsBroker.start({ broker: { queues: { configured: {} } }, service: { maxQueues: 2 } });
    const make = (QueueName: string) => broker.client.send(new CreateQueueCommand({ QueueName }));
    const { QueueUrl } = await make('first');
    await expect(make('second')).rejects.toEqual(
      failure('OverLimit', 'OverLimit', expect.stringContaining('sqs.maxQueues (2)')),
    );
    expect(broker.endpoint.counters.refusedQueues).toBe(1);
    expect((await make('first')).QueueUrl).toBe(QueueUrl);
    await broker.client.send(new DeleteQueueCommand({ QueueUrl }));
    await make('second');
  });

  it('may be made again with the same attributes, and not with others', async () => {
    const { client, queue } = await withQueue('q', { VisibilityTimeout: '5' });
    const again = (attributes: Record<string, string>) =>
      client.send(new CreateQueueCommand({ QueueName: 'q', Attributes: attributes }));
    expect((await again({ VisibilityTimeout: '5' })).QueueUrl).toBe(queue.url);
    expect((await again({})).QueueUrl).toBe(queue.url);
    await expect(again({ VisibilityTimeout: '6' })).rejects.toEqual(failure('QueueNameExists', 'QueueAlreadyExists'));
  });

  it.each([
    ['bad name', {}, 'InvalidParameterValue', 'InvalidParameterValue'],
    ['q', { VisibilityTimeout: '43201' }, 'InvalidAttributeValue', 'InvalidAttributeValue'],
    ['q', { DelaySeconds: '-1' }, 'InvalidAttributeValue', 'InvalidAttributeValue'],
    ['q', { MessageRetentionPeriod: '59' }, 'InvalidAttributeValue', 'InvalidAttributeValue'],
    ['q', { Unknown: '1' }, 'InvalidAttributeName', 'InvalidAttributeName'],
    ['q', { ContentBasedDeduplication: 'true' }, 'InvalidAttributeName', 'InvalidAttributeName'],
    ['q', { FifoQueue: 'true' }, 'InvalidParameterValue', 'InvalidParameterValue'],
    ['q', { RedrivePolicy: '{"maxReceiveCount":3}' }, 'InvalidParameterValue', 'InvalidParameterValue'],
    [
      'q',
      { RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arn('none'), maxReceiveCount: 3 }) },
      'InvalidParameterValue',
      'InvalidParameterValue',
    ],
  ])('are not made as %s with %j', async (name, attributes, error, code) => {
    const { client } = await SqsBroker.start();
    const command = new CreateQueueCommand({ QueueName: name, Attributes: attributes as Record<string, string> });
    await expect(client.send(command)).rejects.toEqual(failure(error, code));
  });

  it('keep tags, and what SQS wants kept, with their options', async () => {
    const { client, queue, broker } = await withQueue('q', { Policy: '{"Version":"x"}', KmsMasterKeyId: 'alias/k' });
    await client.send(new TagQueueCommand({ QueueUrl: queue.url, Tags: { team: 'a', __proto__x: 'b', cost: 'c' } }));
    await client.send(new UntagQueueCommand({ QueueUrl: queue.url, TagKeys: ['cost'] }));
    expect((await client.send(new ListQueueTagsCommand({ QueueUrl: queue.url }))).Tags).toEqual({
      team: 'a',
      __proto__x: 'b',
    });
    expect(await queue.attribute('Policy')).toBe('{"Version":"x"}');
    expect(broker.queue('q').options.annotations).toMatchObject({ 'tag.team': 'a', 'sqs.KmsMasterKeyId': 'alias/k' });
  });

  it('are purged, again and again', async () => {
    const { client, queue } = await withQueue();
    for (const body of ['a', 'b']) {
      await queue.send(body);
      await client.send(new PurgeQueueCommand({ QueueUrl: queue.url }));
      expect(await queue.attribute('ApproximateNumberOfMessages')).toBe('0');
    }
    expect(await queue.bodies()).toEqual([]);
  });
});
