/** The current AWS SDK works on the queues, as on those of SQS. */
import {
  CancelMessageMoveTaskCommand,
  ChangeMessageVisibilityBatchCommand,
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
  type Message,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageBatchCommand,
  SendMessageCommand,
  type SendMessageCommandInput,
  type SendMessageCommandOutput,
  SetQueueAttributesCommand,
  StartMessageMoveTaskCommand,
  TagQueueCommand,
  UntagQueueCommand,
} from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { SqsBroker } from '../../support/sqs-broker.js';

const FIFO = { FifoQueue: 'true' };

/** A broker, and one of its queues by the SDK. */
async function withQueue(name = 'q', attributes: Record<string, string> = {}) {
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

function arn(name: string): string {
  return `arn:aws:sqs:us-east-1:000000000000:${name}`;
}

/** What the SDK throws, as old and new code look at it; an error that has no class in the SDK has its code for a name. */
function failure(name: string, code: string, message: unknown = expect.any(String)) {
  return expect.objectContaining({ name, Code: code, message });
}

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

describe('receives that wait', () => {
  it('are answered when a message comes, in the order in which they asked', async () => {
    const { queue, broker } = await withQueue();
    const answers: string[] = [];
    const ask = async (name: string) => {
      const [body] = await queue.bodies({ MaxNumberOfMessages: 1, WaitTimeSeconds: 20 });
      answers.push(`${name}:${body}`);
    };
    const asked: Promise<void>[] = [];
    for (const [at, name] of ['a', 'b', 'c'].entries()) {
      asked.push(ask(name));
      await broker.waiting('q', at + 1);
    }
    for (const body of ['1', '2', '3']) await queue.send(body);
    await Promise.all(asked);
    expect(answers.sort()).toEqual(['a:1', 'b:2', 'c:3']);
  });

  it('are answered with nothing when the time is over', async () => {
    const { queue, broker } = await withQueue('q', { ReceiveMessageWaitTimeSeconds: '3' });
    const asked = queue.bodies();
    await broker.waiting('q', 1);
    expect(broker.endpoint.counters.waitingReceives).toBe(1);
    broker.clock.advance(3000);
    expect(await asked).toEqual([]);
    expect(broker.endpoint.counters.waitingReceives).toBe(0);
  });

  it('take nothing for somebody who has gone', async () => {
    const { queue, client, broker } = await withQueue();
    const gone = new AbortController();
    const asked = client.send(new ReceiveMessageCommand({ QueueUrl: queue.url, WaitTimeSeconds: 20 }), {
      abortSignal: gone.signal,
    });
    await broker.waiting('q', 1);
    gone.abort();
    await expect(asked).rejects.toThrow();
    await broker.waiting('q', 0);
    await queue.send('x');
    const [message] = await queue.receive({ MessageSystemAttributeNames: ['ApproximateReceiveCount'] });
    expect(message).toMatchObject({ Body: 'x', Attributes: { ApproximateReceiveCount: '1' } });
    expect(broker.endpoint.counters.waitingReceives).toBe(0);
  });
});

describe('a fifo queue', () => {
  it('keeps the order of each group, and holds a group back while one of it is out', async () => {
    const { queue } = await withQueue('q.fifo', { ...FIFO, ContentBasedDeduplication: 'true' });
    for (const body of ['a1', 'b1', 'a2', 'b2', 'a3']) await queue.send(body, { MessageGroupId: body[0] });
    const all = { MessageSystemAttributeNames: ['All' as const], MaxNumberOfMessages: 1 };
    const [first] = await queue.receive(all);
    expect(first).toMatchObject({ Body: 'a1', Attributes: { MessageGroupId: 'a' } });
    expect(first?.Attributes?.SequenceNumber).toMatch(/^\d{20}$/);
    const second = await queue.receive();
    expect(second.map(({ Body }) => Body)).toEqual(['b1', 'b2']);
    expect(await queue.receive()).toEqual([]);
    await queue.hide(first, 0);
    expect(await queue.bodies()).toEqual(['a1', 'a2', 'a3']);
  });

  it('takes a message once within five minutes, by id or by content', async () => {
    const { queue, broker } = await withQueue('q.fifo', { ...FIFO, ContentBasedDeduplication: 'true' });
    const group = { MessageGroupId: 'g' };
    const sent = await queue.send('x', group);
    expect(await queue.send('x', group)).toMatchObject({ MessageId: sent.MessageId });
    await queue.send('x', { ...group, MessageDeduplicationId: 'other' });
    await queue.send('y', { ...group, MessageDeduplicationId: 'other' });
    expect(await queue.attribute('ApproximateNumberOfMessages')).toBe('2');
    broker.clock.advance(300_000);
    await queue.send('x', group);
    expect(await queue.attribute('ApproximateNumberOfMessages')).toBe('3');
  });

  it('deduplicates within groups only, if it is told to', async () => {
    const { queue } = await withQueue('q.fifo', { ...FIFO, DeduplicationScope: 'messageGroup' });
    const send = (group: string) => queue.send('x', { MessageGroupId: group, MessageDeduplicationId: 'd' });
    for (const group of ['a', 'b', 'a']) await send(group);
    const messages = await queue.receive({ MessageSystemAttributeNames: ['All'] });
    expect(messages.map(({ Attributes }) => [Attributes?.MessageGroupId, Attributes?.MessageDeduplicationId])).toEqual([
      ['a', 'd'],
      ['b', 'd'],
    ]);
  });

  it.each([
    [{ MessageDeduplicationId: 'x' }, 'MissingParameter', 'MissingParameter'],
    [{ MessageGroupId: 'x' }, 'InvalidParameterValue', 'InvalidParameterValue'],
    [
      { MessageGroupId: 'x', MessageDeduplicationId: 'x', DelaySeconds: 1 },
      'InvalidParameterValue',
      'InvalidParameterValue',
    ],
  ])('refuses a message with %j', async (others, name, code) => {
    const { queue } = await withQueue('q.fifo', FIFO);
    await expect(queue.send('x', others)).rejects.toEqual(failure(name, code));
    await queue.send('x', { MessageGroupId: 'x', MessageDeduplicationId: 'x', DelaySeconds: 0 });
  });

  it('takes the newest handle only, and only while it lasts', async () => {
    const { queue, broker } = await withQueue('q.fifo', { ...FIFO, VisibilityTimeout: '5' });
    await queue.send('x', { MessageGroupId: 'g', MessageDeduplicationId: '1' });
    const [first] = await queue.receive();
    broker.clock.advance(5000);
    await expect(queue.remove(first)).rejects.toEqual(
      failure('InvalidParameterValue', 'InvalidParameterValue', expect.stringContaining('has expired')),
    );
    const [second] = await queue.receive();
    await expect(queue.remove(first)).rejects.toThrow('has expired');
    await queue.remove(second);
    expect(await queue.attribute('ApproximateNumberOfMessagesNotVisible')).toBe('0');
  });

  it('gives the same messages again for the same attempt, until something is done with one', async () => {
    const { queue, broker } = await withQueue('q.fifo', { ...FIFO, VisibilityTimeout: '30' });
    for (const id of ['1', '2']) await queue.send(id, { MessageGroupId: 'g', MessageDeduplicationId: id });
    const ask = () => queue.receive({ ReceiveRequestAttemptId: 'attempt' });
    const first = await ask();
    expect(first).toHaveLength(2);
    broker.clock.advance(20_000);
    const again = await ask();
    expect(again.map(({ ReceiptHandle }) => ReceiptHandle)).toEqual(first.map(({ ReceiptHandle }) => ReceiptHandle));
    // They are hidden anew.
    broker.clock.advance(20_000);
    expect(await queue.receive()).toEqual([]);
    await queue.remove(again[0]);
    expect(await ask()).toEqual([]);
  });
});

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
