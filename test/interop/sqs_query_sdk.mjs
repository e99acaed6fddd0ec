/** The last AWS SDK for JavaScript that speaks the Query protocol, which checks MD5 sums: the messages' way, there and back. */
import { createRequire } from 'node:module';

const [, , url, key, secret, folder] = process.argv;
const {
  SQSClient,
  CreateQueueCommand,
  SendMessageCommand,
  SendMessageBatchCommand,
  ReceiveMessageCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListMessageMoveTasksCommand,
  StartMessageMoveTaskCommand,
} = createRequire(`${folder}/`)('aws-sdk-sqs-query');

const sqs = new SQSClient({
  endpoint: url,
  region: 'us-east-1',
  credentials: { accessKeyId: key, secretAccessKey: secret },
  maxAttempts: 1,
});

function check(name, condition) {
  console.log(`${condition ? 'ok' : 'FAILED'} ${name}`);
}

const call = (command) => sqs.send(command);

const { QueueUrl } = await call(new CreateQueueCommand({ QueueName: 'old' }));
check('makes a queue', QueueUrl === `${url}/000000000000/old`);
const attributes = {
  text: { DataType: 'String', StringValue: 'a<b' },
  bytes: { DataType: 'Binary', BinaryValue: new Uint8Array([0, 255]) },
};
const sent = await call(
  new SendMessageCommand({ QueueUrl, MessageBody: 'grün\r\n<&>', MessageAttributes: attributes }),
);
await call(
  new SendMessageBatchCommand({ QueueUrl, Entries: ['a', 'b'].map((Id) => ({ Id, MessageBody: `${Id}\r` })) }),
);
const { Messages } = await call(
  new ReceiveMessageCommand({
    QueueUrl,
    MaxNumberOfMessages: 10,
    AttributeNames: ['All'],
    MessageAttributeNames: ['All'],
  }),
);
check('receives what was sent', Messages.map(({ Body }) => Body).join() === 'grün\r\n<&>,a\r,b\r');
check('with its id', Messages[0].MessageId === sent.MessageId);
check('with attributes', JSON.stringify(Messages[0].MessageAttributes.text) !== undefined);
check('and bytes', [...Messages[0].MessageAttributes.bytes.BinaryValue].join() === '0,255');
const deleted = await call(
  new DeleteMessageBatchCommand({
    QueueUrl,
    Entries: [
      ...Messages.map(({ ReceiptHandle }, at) => ({ Id: `${at}`, ReceiptHandle })),
      { Id: 'bad', ReceiptHandle: 'x' },
    ],
  }),
);
check('deletes them', deleted.Successful.length === 3 && deleted.Failed[0].Code === 'ReceiptHandleIsInvalid');
const { Attributes } = await call(
  new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['ApproximateNumberOfMessages'] }),
);
check('reads attributes', Attributes.ApproximateNumberOfMessages === '0');
const refused = await call(new GetQueueUrlCommand({ QueueName: 'none' })).catch((error) => error);
check('knows the class of an error', refused.name === 'QueueDoesNotExist');
await call(
  new CreateQueueCommand({
    QueueName: 'old-source',
    Attributes: {
      RedrivePolicy: JSON.stringify({
        deadLetterTargetArn: 'arn:aws:sqs:us-east-1:000000000000:old',
        maxReceiveCount: 1,
      }),
    },
  }),
);
const SourceArn = 'arn:aws:sqs:us-east-1:000000000000:old';
await call(new StartMessageMoveTaskCommand({ SourceArn }));
const { Results } = await call(new ListMessageMoveTasksCommand({ SourceArn }));
check('moves dead letters', Results.length === 1 && ['RUNNING', 'COMPLETED'].includes(Results[0].Status));
