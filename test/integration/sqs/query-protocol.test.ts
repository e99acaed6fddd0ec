/** The older protocol, byte for byte: forms in, XML out. Older SDKs speak it, and whoever has nothing but `curl`. */
import { describe, expect, it } from 'vitest';
import { SqsBroker } from '../../support/sqs-broker.js';

const NAMESPACE = 'xmlns="http://queue.amazonaws.com/doc/2012-11-05/"';
const METADATA = '<ResponseMetadata><RequestId>[0-9a-f-]{36}</RequestId></ResponseMetadata>';

async function withQueue() {
  const broker = await SqsBroker.start({ broker: { queues: { q: {} } } });
  /** @param path of the queue, or with a query */
  const call = async (fields: Record<string, string>, path = '/000000000000/q') => {
    const body = new URLSearchParams({ Version: '2012-11-05', ...fields });
    const response = await fetch(broker.url + path, { method: 'POST', body });
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
  return { broker, call };
}

function answer(action: string, result: string): RegExp {
  const escaped = result.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('…', '.+?');
  return new RegExp(
    `^<\\?xml version="1.0"\\?><${action}Response ${NAMESPACE}>${escaped}${METADATA}</${action}Response>$`,
    's',
  );
}

describe('the Query protocol', () => {
  it('is enough for curl: a message is sent and received with the URL of its queue alone', async () => {
    const { broker } = await withQueue();
    const get = async (query: string) => await (await fetch(`${broker.queueUrl('q')}?${query}`)).text();
    expect(await get('Action=SendMessage&MessageBody=hello+world')).toMatch(
      answer(
        'SendMessage',
        '<SendMessageResult><MessageId>…</MessageId><MD5OfMessageBody>5eb63bbbe01eeed093cb22bb8f5acdc3</MD5OfMessageBody></SendMessageResult>',
      ),
    );
    expect(await get('Action=ReceiveMessage')).toMatch(
      answer(
        'ReceiveMessage',
        '<ReceiveMessageResult><Message><MessageId>…</MessageId><ReceiptHandle>…</ReceiptHandle><MD5OfBody>5eb63bbbe01eeed093cb22bb8f5acdc3</MD5OfBody><Body>hello world</Body></Message></ReceiveMessageResult>',
      ),
    );
    expect(await get('Action=ReceiveMessage')).toMatch(
      answer('ReceiveMessage', '<ReceiveMessageResult></ReceiveMessageResult>'),
    );
  });

  it('writes numbered names for lists and maps', async () => {
    const { call } = await withQueue();
    await call({
      Action: 'SendMessage',
      MessageBody: 'a\r\n<&>"',
      'MessageAttribute.1.Name': 'colour',
      'MessageAttribute.1.Value.DataType': 'String',
      'MessageAttribute.1.Value.StringValue': 'red',
      'MessageAttribute.2.Name': 'bytes',
      'MessageAttribute.2.Value.DataType': 'Binary',
      'MessageAttribute.2.Value.BinaryValue': 'AQI=',
    });
    const { text, headers } = await call({
      Action: 'ReceiveMessage',
      'AttributeName.1': 'ApproximateReceiveCount',
      'MessageAttributeName.1': 'All',
    });
    expect(headers.get('content-type')).toBe('text/xml');
    expect(text).toContain('<Body>a&#xD;\n&lt;&amp;&gt;&quot;</Body>');
    expect(text).toContain('<Attribute><Name>ApproximateReceiveCount</Name><Value>1</Value></Attribute>');
    expect(text).toContain(
      '<MessageAttribute><Name>colour</Name><Value><StringValue>red</StringValue><DataType>String</DataType></Value></MessageAttribute>' +
        '<MessageAttribute><Name>bytes</Name><Value><BinaryValue>AQI=</BinaryValue><DataType>Binary</DataType></Value></MessageAttribute>',
    );
  });

  it('names what was done and what was not in batches', async () => {
    const { call } = await withQueue();
    const { text } = await call({
      Action: 'SendMessageBatch',
      'SendMessageBatchRequestEntry.1.Id': 'good',
      'SendMessageBatchRequestEntry.1.MessageBody': 'x',
      'SendMessageBatchRequestEntry.2.Id': 'bad',
      'SendMessageBatchRequestEntry.2.MessageBody': 'x',
      'SendMessageBatchRequestEntry.2.DelaySeconds': '901',
    });
    expect(text).toMatch(
      answer(
        'SendMessageBatch',
        '<SendMessageBatchResult><SendMessageBatchResultEntry><Id>good</Id>…</SendMessageBatchResultEntry>' +
          '<BatchResultErrorEntry><Id>bad</Id><SenderFault>true</SenderFault><Code>InvalidParameterValue</Code><Message>…</Message></BatchResultErrorEntry></SendMessageBatchResult>',
      ),
    );
  });

  it('lists queues, attributes and tags', async () => {
    const { broker, call } = await withQueue();
    const made = await call(
      {
        Action: 'CreateQueue',
        QueueName: 'r.fifo',
        'Attribute.1.Name': 'FifoQueue',
        'Attribute.1.Value': 'True',
        'Tag.1.Key': 'team',
        'Tag.1.Value': 'a',
      },
      '/',
    );
    expect(made.text).toContain(`<QueueUrl>${broker.queueUrl('r.fifo')}</QueueUrl>`);
    expect((await call({ Action: 'ListQueues' }, '/')).text).toMatch(
      answer(
        'ListQueues',
        `<ListQueuesResult><QueueUrl>${broker.queueUrl('q')}</QueueUrl><QueueUrl>${broker.queueUrl('r.fifo')}</QueueUrl></ListQueuesResult>`,
      ),
    );
    const path = '/000000000000/r.fifo';
    expect((await call({ Action: 'GetQueueAttributes', AttributeName: 'FifoQueue' }, path)).text).toContain(
      '<GetQueueAttributesResult><Attribute><Name>FifoQueue</Name><Value>true</Value></Attribute></GetQueueAttributesResult>',
    );
    expect((await call({ Action: 'ListQueueTags' }, path)).text).toContain(
      '<Tag><Key>team</Key><Value>a</Value></Tag>',
    );
  });

  it('answers actions without output with nothing but the name of the request', async () => {
    const { call } = await withQueue();
    expect((await call({ Action: 'PurgeQueue' })).text).toMatch(answer('PurgeQueue', ''));
  });

  it('tells who is asking, for tools that want to know whether their keys work', async () => {
    const { call } = await withQueue();
    const { text } = await call({ Action: 'GetCallerIdentity', Version: '2011-06-15' }, '/');
    expect(text).toContain(
      '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:iam::000000000000:user/anybody</Arn><UserId>anybody</UserId><Account>000000000000</Account></GetCallerIdentityResult>',
    );
  });

  it.each([
    [{ Action: 'SendMessage', MessageBody: 'x' }, '/000000000000/none', 'AWS.SimpleQueueService.NonExistentQueue', 400],
    [{ Action: 'Dance' }, '/', 'InvalidAction', 400],
    [{}, '/', 'InvalidAction', 400],
    [{ Action: 'ReceiveMessage', 'Action.1': 'x' }, '/000000000000/q', 'MalformedInput', 400],
    [{ Action: 'SendMessage', 'a.b.c.d.e.f.g.h.i': 'x' }, '/000000000000/q', 'MalformedInput', 400],
    [{ Action: 'DeleteMessageBatch', Entries: '' }, '/000000000000/q', 'AWS.SimpleQueueService.EmptyBatchRequest', 400],
    [{ Action: 'TagQueue', 'Tag.1.Value': 'x' }, '/000000000000/q', 'MalformedInput', 400],
    [{ Action: 'CancelMessageMoveTask', TaskHandle: 'x' }, '/', 'ResourceNotFoundException', 404],
  ])('answers errors in XML: %j %s', async (fields, path, code, status) => {
    const { broker, call } = await withQueue();
    const refused = await call(fields as Record<string, string>, path);
    expect(refused.status).toBe(status);
    expect(refused.text).toMatch(
      new RegExp(
        `^<\\?xml version="1.0"\\?><ErrorResponse ${NAMESPACE}><Error><Type>Sender</Type><Code>${code}</Code><Message>.+</Message></Error><RequestId>[0-9a-f-]{36}</RequestId></ErrorResponse>$`,
      ),
    );
    expect(refused.headers.get('x-amzn-query-error')).toBe(`${code};Sender`);
    expect(broker.failures).toEqual([]);
  });

  it('takes no more fields than a request could need', async () => {
    const { broker, call } = await withQueue();
    const many = Object.fromEntries(Array.from({ length: 2001 }, (_, at) => [`x${at}`, '']));
    expect((await call({ Action: 'ListQueues', ...many })).status).toBe(400);
    expect(broker.failures).toEqual([]);
  });
});
