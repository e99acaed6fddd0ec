/** Errors as they come over the wire: current SDKs take the class from the body, older code looks at the header, tools at the status. */
import { describe, expect, it } from 'vitest';
import { SqsBroker } from '../../support/sqs-broker.js';

const SQS = 'com.amazonaws.sqs#';
const SERVICE = 'com.amazon.coral.service#';
const OLD = 'AWS.SimpleQueueService.';

const ENTRY = { Id: 'a', MessageBody: 'x' };

/** What is called, with what, and what comes of it; the queues `q` and `q.fifo` are there. */
const ERRORS: readonly (readonly [
  action: string,
  input: object | string,
  type: string,
  queryCode: string,
  status: number,
])[] = [
  ['GetQueueUrl', { QueueName: 'none' }, `${SQS}QueueDoesNotExist`, `${OLD}NonExistentQueue`, 400],
  ['SendMessage', { QueueUrl: 'none', MessageBody: 'x' }, `${SQS}QueueDoesNotExist`, `${OLD}NonExistentQueue`, 400],
  [
    'CreateQueue',
    { QueueName: 'q', Attributes: { DelaySeconds: '9' } },
    `${SQS}QueueNameExists`,
    'QueueAlreadyExists',
    400,
  ],
  ['SendMessageBatch', { QueueUrl: 'q', Entries: [] }, `${SQS}EmptyBatchRequest`, `${OLD}EmptyBatchRequest`, 400],
  [
    'SendMessageBatch',
    { QueueUrl: 'q', Entries: Array.from({ length: 11 }, (_, at) => ({ ...ENTRY, Id: `${at}` })) },
    `${SQS}TooManyEntriesInBatchRequest`,
    `${OLD}TooManyEntriesInBatchRequest`,
    400,
  ],
  [
    'SendMessageBatch',
    { QueueUrl: 'q', Entries: [ENTRY, ENTRY] },
    `${SQS}BatchEntryIdsNotDistinct`,
    `${OLD}BatchEntryIdsNotDistinct`,
    400,
  ],
  [
    'DeleteMessageBatch',
    { QueueUrl: 'q', Entries: [{ Id: 'a.b', ReceiptHandle: 'x' }] },
    `${SQS}InvalidBatchEntryId`,
    `${OLD}InvalidBatchEntryId`,
    400,
  ],
  [
    'SendMessageBatch',
    { QueueUrl: 'q', Entries: ['a', 'b'].map((Id) => ({ Id, MessageBody: 'x'.repeat(600_000) })) },
    `${SQS}BatchRequestTooLong`,
    `${OLD}BatchRequestTooLong`,
    400,
  ],
  ['AddPermission', { QueueUrl: 'q' }, `${SQS}UnsupportedOperation`, `${OLD}UnsupportedOperation`, 400],
  ['RemovePermission', { QueueUrl: 'q' }, `${SQS}UnsupportedOperation`, `${OLD}UnsupportedOperation`, 400],
  [
    'GetQueueAttributes',
    { QueueUrl: 'q', AttributeNames: ['Colour'] },
    `${SQS}InvalidAttributeName`,
    'InvalidAttributeName',
    400,
  ],
  [
    'SetQueueAttributes',
    { QueueUrl: 'q', Attributes: { VisibilityTimeout: 'soon' } },
    `${SQS}InvalidAttributeValue`,
    'InvalidAttributeValue',
    400,
  ],
  [
    'SendMessage',
    { QueueUrl: 'q', MessageBody: '\u0000' },
    `${SQS}InvalidMessageContents`,
    'InvalidMessageContents',
    400,
  ],
  [
    'SendMessage',
    { QueueUrl: 'q', MessageBody: '\uffff' },
    `${SQS}InvalidMessageContents`,
    'InvalidMessageContents',
    400,
  ],
  [
    'DeleteMessage',
    { QueueUrl: 'q', ReceiptHandle: 'x' },
    `${SQS}ReceiptHandleIsInvalid`,
    'ReceiptHandleIsInvalid',
    400,
  ],
  [
    'ListMessageMoveTasks',
    { SourceArn: 'arn:aws:sqs:us-east-1:000000000000:none' },
    `${SQS}ResourceNotFoundException`,
    'ResourceNotFoundException',
    404,
  ],
  [
    'CancelMessageMoveTask',
    { TaskHandle: 'e30=' },
    `${SQS}ResourceNotFoundException`,
    'ResourceNotFoundException',
    404,
  ],
  [
    'StartMessageMoveTask',
    { SourceArn: 'q' },
    `${SERVICE}InvalidParameterValueException`,
    'InvalidParameterValue',
    400,
  ],
  [
    'ReceiveMessage',
    { QueueUrl: 'q', MaxNumberOfMessages: 11 },
    `${SERVICE}InvalidParameterValueException`,
    'InvalidParameterValue',
    400,
  ],
  ['SendMessage', { QueueUrl: 'q' }, `${SERVICE}MissingRequiredParameterException`, 'MissingParameter', 400],
  ['ReceiveMessage', {}, `${SERVICE}MissingRequiredParameterException`, 'MissingParameter', 400],
  ['Dance', {}, `${SERVICE}UnknownOperationException`, 'InvalidAction', 400],
  ['ReceiveMessage', '{"QueueUrl":', `${SERVICE}SerializationException`, 'MalformedInput', 400],
  ['ReceiveMessage', '[]', `${SERVICE}SerializationException`, 'MalformedInput', 400],
  ['ReceiveMessage', { QueueUrl: {} }, `${SERVICE}SerializationException`, 'MalformedInput', 400],
  ['SendMessageBatch', { QueueUrl: 'q', Entries: 'all' }, `${SERVICE}SerializationException`, 'MalformedInput', 400],
  ['SendMessage', { QueueUrl: 'q', MessageBody: 7 }, `${SERVICE}SerializationException`, 'MalformedInput', 400],
  [
    'SendMessage',
    { QueueUrl: 'q', MessageBody: 'x', MessageAttributes: { a: 'b' } },
    `${SERVICE}SerializationException`,
    'MalformedInput',
    400,
  ],
];

describe('the error of', () => {
  it.each(ERRORS)('%s %j is %s, %s, %i', async (action, input, type, queryCode, status) => {
    const broker = await SqsBroker.start({ broker: { queues: { q: {}, 'q.fifo': { type: 'fifo' } } } });
    const answer = await broker.call(action, input);
    expect(JSON.parse(answer.text)).toEqual({ __type: type, message: expect.stringMatching(/./) });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('x-amzn-query-error')).toBe(`${queryCode};Sender`);
    expect(answer.headers.get('content-type')).toBe('application/x-amz-json-1.0');
    expect(answer.headers.get('x-amzn-requestid')).toMatch(/^[0-9a-f-]{36}$/);
    expect(broker.endpoint.counters.errors()).toEqual(new Map([[queryCode, 1]]));
    expect(broker.failures).toEqual([]);
  });

  it('too many messages in flight is OverLimit in a standard queue, and nothing at all in a fifo queue', async () => {
    const limited = { maxInFlight: 1 };
    const queues = { q: limited, 'q.fifo': { ...limited, type: 'fifo' } as const };
    const broker = await SqsBroker.start({ broker: { queues } });
    const send = (QueueUrl: string, others: object = {}) =>
      broker.call('SendMessage', { QueueUrl, MessageBody: 'x', ...others });
    for (const queue of ['q', 'q.fifo']) {
      for (const id of ['1', '2']) {
        await send(queue, queue === 'q' ? {} : { MessageGroupId: id, MessageDeduplicationId: id });
      }
      expect(JSON.parse((await broker.call('ReceiveMessage', { QueueUrl: queue })).text).Messages).toHaveLength(1);
    }
    const refused = await broker.call('ReceiveMessage', { QueueUrl: 'q' });
    expect([refused.status, refused.headers.get('x-amzn-query-error')]).toEqual([400, 'OverLimit;Sender']);
    expect((await broker.call('ReceiveMessage', { QueueUrl: 'q.fifo' })).text).toBe('{}');
  });

  it('a full queue is RequestThrottled, which SDKs try again', async () => {
    const broker = await SqsBroker.start({ broker: { queues: { q: { maxMessages: 1 } } } });
    await broker.call('SendMessage', { QueueUrl: 'q', MessageBody: 'x' });
    const refused = await broker.call('SendMessage', { QueueUrl: 'q', MessageBody: 'x' });
    expect([refused.status, JSON.parse(refused.text).__type]).toEqual([400, `${SQS}RequestThrottled`]);
    const batch = await broker.call('SendMessageBatch', { QueueUrl: 'q', Entries: [ENTRY] });
    expect(JSON.parse(batch.text).Failed).toMatchObject([{ Id: 'a', Code: 'RequestThrottled' }]);
  });

  it('a store that fails is 503, and not the sender’s fault', async () => {
    let isAccepting = false;
    const broker = await SqsBroker.start({
      broker: { queues: { q: {} } },
      service: { isAccepting: () => isAccepting },
    });
    const refused = await broker.call('SendMessage', { QueueUrl: 'q', MessageBody: 'x' });
    expect([refused.status, refused.headers.get('x-amzn-query-error')]).toEqual([503, 'ServiceUnavailable;Receiver']);
    isAccepting = true;
    expect((await broker.call('SendMessage', { QueueUrl: 'q', MessageBody: 'x' })).status).toBe(200);
  });
});
