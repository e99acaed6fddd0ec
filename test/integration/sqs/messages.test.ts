/** Messages as the AWS SDK sends, receives and deletes them. */
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageBatchCommand,
  type SendMessageCommandInput,
} from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { failure, withQueue } from '../../support/sqs-queue.js';

describe('messages', () => {
  it('come with everything that they were sent with, and what the queue knows of them', async () => {
    const { queue, broker } = await withQueue();
    const attributes = {
      text: { DataType: 'String', StringValue: 'é\r\n<&>' },
      number: { DataType: 'Number.float', StringValue: '-1.5e3' },
      bytes: { DataType: 'Binary.gif', BinaryValue: new Uint8Array([0, 1, 255]) },
      labelled: { DataType: 'String.json', StringValue: '{}' },
    };
    const sent = await queue.send('body é', {
      MessageAttributes: attributes,
      MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: 'Root=1' } },
    });
    const [message] = await queue.receive({ MessageAttributeNames: ['All'], MessageSystemAttributeNames: ['All'] });
    expect(message).toMatchObject({ Body: 'body é', MessageId: sent.MessageId, MessageAttributes: attributes });
    expect(message?.MD5OfMessageAttributes).toBe(sent.MD5OfMessageAttributes);
    const now = String(broker.clock.now());
    expect(message?.Attributes).toEqual({
      SenderId: '000000000000',
      SentTimestamp: now,
      ApproximateReceiveCount: '1',
      ApproximateFirstReceiveTimestamp: now,
      AWSTraceHeader: 'Root=1',
    });
  });

  it('come with the attributes that were asked for, and their checksum', async () => {
    const { queue, broker } = await withQueue('q', { VisibilityTimeout: '0' });
    const text = (value: string) => ({ DataType: 'String', StringValue: value });
    await queue.send('x', { MessageAttributes: { 'a.b': text('1'), 'a.c': text('2'), d: text('3') } });
    const names = async (asked: string[]) => {
      const [message] = await queue.receive({ MessageAttributeNames: asked });
      broker.clock.advance(1);
      return Object.keys(message?.MessageAttributes ?? {});
    };
    expect(await names(['a.*'])).toEqual(['a.b', 'a.c']);
    expect(await names(['d', 'none'])).toEqual(['d']);
    expect(await names([])).toEqual([]);
    const [message] = await queue.receive({
      MessageAttributeNames: ['none'],
      MessageSystemAttributeNames: ['SentTimestamp'],
    });
    expect(message).not.toHaveProperty('MessageAttributes');
    expect(message).not.toHaveProperty('MD5OfMessageAttributes');
    expect(Object.keys(message?.Attributes ?? {})).toEqual(['SentTimestamp']);
  });

  it('are hidden while somebody has them, come again, and are gone when they are deleted', async () => {
    const { queue, broker } = await withQueue('q', { VisibilityTimeout: '5' });
    await queue.send('x');
    const [first] = await queue.receive();
    expect(await queue.bodies()).toEqual([]);
    broker.clock.advance(4000);
    await queue.hide(first, 10);
    broker.clock.advance(9000);
    expect(await queue.bodies()).toEqual([]);
    broker.clock.advance(1000);
    // What has become visible again is none of the first one's business any more, and that is no error.
    await queue.hide(first, 10);
    const [second] = await queue.receive({ MessageSystemAttributeNames: ['ApproximateReceiveCount'] });
    expect(second?.Attributes).toEqual({ ApproximateReceiveCount: '2' });
    await queue.hide(second, 0);
    expect(await queue.bodies({ VisibilityTimeout: 100 })).toEqual(['x']);
    // In a standard queue, an old handle still deletes.
    await queue.remove(first);
    await queue.remove(first);
    broker.clock.advance(100_000);
    expect(await queue.bodies()).toEqual([]);
    await expect(queue.hide(first, 10)).rejects.toEqual(
      failure('InvalidParameterValue', 'InvalidParameterValue', expect.stringContaining('does not exist')),
    );
  });

  it('wait for as long as they are told to', async () => {
    const { queue, broker } = await withQueue('q', { DelaySeconds: '10' });
    await queue.send('by the queue');
    await queue.send('by itself', { DelaySeconds: 5 });
    await queue.send('at once', { DelaySeconds: 0 });
    expect(await queue.bodies()).toEqual(['at once']);
    expect(await queue.attribute('ApproximateNumberOfMessagesDelayed')).toBe('2');
    broker.clock.advance(5000);
    expect(await queue.bodies()).toEqual(['by itself']);
    broker.clock.advance(5000);
    expect(await queue.bodies()).toEqual(['by the queue']);
  });

  it('go in batches, each by itself', async () => {
    const { client, queue } = await withQueue('q', { MaximumMessageSize: '1024' });
    const sent = await client.send(
      new SendMessageBatchCommand({
        QueueUrl: queue.url,
        Entries: [
          { Id: 'good', MessageBody: 'x' },
          { Id: 'control', MessageBody: '\u0001' },
          { Id: 'large', MessageBody: 'x'.repeat(1025) },
          { Id: 'delay', MessageBody: 'x', DelaySeconds: 901 },
          { Id: 'good-too', MessageBody: 'y', MessageAttributes: { a: { DataType: 'String', StringValue: '1' } } },
        ],
      }),
    );
    expect(sent.Successful?.map(({ Id }) => Id)).toEqual(['good', 'good-too']);
    expect(sent.Failed?.map(({ Id, Code, SenderFault }) => [Id, Code, SenderFault])).toEqual([
      ['control', 'InvalidMessageContents', true],
      ['large', 'InvalidParameterValue', true],
      ['delay', 'InvalidParameterValue', true],
    ]);
    const [first, second] = await queue.receive();
    const changed = await client.send(
      new ChangeMessageVisibilityBatchCommand({
        QueueUrl: queue.url,
        Entries: [
          { Id: 'a', ReceiptHandle: first?.ReceiptHandle, VisibilityTimeout: 0 },
          { Id: 'b', ReceiptHandle: 'nonsense', VisibilityTimeout: 0 },
        ],
      }),
    );
    expect(changed.Successful).toEqual([{ Id: 'a' }]);
    expect(changed.Failed).toMatchObject([{ Id: 'b', Code: 'ReceiptHandleIsInvalid', SenderFault: true }]);
    const deleted = await client.send(
      new DeleteMessageBatchCommand({
        QueueUrl: queue.url,
        Entries: [
          { Id: 'a', ReceiptHandle: first?.ReceiptHandle },
          { Id: 'b', ReceiptHandle: second?.ReceiptHandle },
          { Id: 'c', ReceiptHandle: 'nonsense' },
        ],
      }),
    );
    expect(deleted.Successful).toEqual([{ Id: 'a' }, { Id: 'b' }]);
    expect(deleted.Failed).toMatchObject([{ Id: 'c', Code: 'ReceiptHandleIsInvalid' }]);
    expect(await queue.attribute('ApproximateNumberOfMessagesNotVisible')).toBe('0');
  });

  it.each([
    ['EmptyBatchRequest', []],
    ['TooManyEntriesInBatchRequest', Array.from({ length: 11 }, (_, at) => ({ Id: `${at}`, MessageBody: 'x' }))],
    ['BatchEntryIdsNotDistinct', [1, 2].map(() => ({ Id: 'a', MessageBody: 'x' }))],
    ['InvalidBatchEntryId', [{ Id: 'a b', MessageBody: 'x' }]],
    ['BatchRequestTooLong', ['a', 'b'].map((Id) => ({ Id, MessageBody: 'x'.repeat(600_000) }))],
  ])('are refused as a batch: %s', async (name, entries) => {
    const { client, queue } = await withQueue();
    const command = new SendMessageBatchCommand({ QueueUrl: queue.url, Entries: entries });
    await expect(client.send(command)).rejects.toEqual(failure(name, `AWS.SimpleQueueService.${name}`));
    expect(await queue.attribute('ApproximateNumberOfMessages')).toBe('0');
  });

  it.each([
    [{ MessageBody: 'x'.repeat(2 ** 20 + 1) }, 'InvalidParameterValue', 'InvalidParameterValue'],
    [{ MessageBody: '' }, 'MissingParameter', 'MissingParameter'],
    [{ MessageBody: '\ud800' }, 'InvalidMessageContents', 'InvalidMessageContents'],
    [{ MessageDeduplicationId: 'x' }, 'InvalidParameterValue', 'InvalidParameterValue'],
    [{ MessageGroupId: 'é' }, 'InvalidParameterValue', 'InvalidParameterValue'],
    [
      { MessageAttributes: { 'aws.x': { DataType: 'String', StringValue: 'x' } } },
      'InvalidParameterValue',
      'InvalidParameterValue',
    ],
    [
      { MessageAttributes: { x: { DataType: 'Text', StringValue: 'x' } } },
      'InvalidParameterValue',
      'InvalidParameterValue',
    ],
    [
      { MessageAttributes: { x: { DataType: 'Number', StringValue: 'x' } } },
      'InvalidParameterValue',
      'InvalidParameterValue',
    ],
  ])('are refused: %#', async (others: Partial<SendMessageCommandInput>, name, code) => {
    const { queue } = await withQueue();
    const { MessageBody = 'x' } = others;
    await expect(queue.send(MessageBody, others)).rejects.toEqual(failure(name, code));
  });

  it('may be as large as the queue says, attributes counted', async () => {
    const { queue } = await withQueue();
    await queue.send('x'.repeat(2 ** 20));
    const attributes = { MessageAttributes: { a: { DataType: 'String', StringValue: 'b' } } };
    await queue.send('x'.repeat(2 ** 20 - 8), attributes);
    await expect(queue.send('x'.repeat(2 ** 20 - 7), attributes)).rejects.toThrow('must be shorter');
  });

  it('are not received by who asks for what there is not', async () => {
    const { queue, client } = await withQueue();
    const receive = (others: Partial<ReceiveMessageCommandInput>) => queue.receive(others);
    const invalid = failure('InvalidParameterValue', 'InvalidParameterValue');
    await expect(receive({ MaxNumberOfMessages: 11 })).rejects.toEqual(invalid);
    await expect(receive({ MaxNumberOfMessages: 0 })).rejects.toEqual(invalid);
    await expect(receive({ WaitTimeSeconds: 21 })).rejects.toEqual(invalid);
    await expect(receive({ VisibilityTimeout: 43_201 })).rejects.toEqual(invalid);
    await expect(receive({ QueueUrl: 'none' })).rejects.toEqual(
      failure('QueueDoesNotExist', 'AWS.SimpleQueueService.NonExistentQueue'),
    );
    await expect(
      client.send(new DeleteMessageCommand({ QueueUrl: queue.url, ReceiptHandle: 'nonsense' })),
    ).rejects.toEqual(failure('ReceiptHandleIsInvalid', 'ReceiptHandleIsInvalid'));
  });

  it('are no more than may be in flight', async () => {
    const { queue, broker } = await withQueue();
    broker.queues.workQueues.registry.configure('q', { maxInFlight: 1 });
    await queue.send('a');
    await queue.send('b');
    expect(await queue.bodies()).toHaveLength(1);
    await expect(queue.receive()).rejects.toEqual(failure('OverLimit', 'OverLimit'));
  });
});
